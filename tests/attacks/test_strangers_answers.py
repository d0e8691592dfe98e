"""Who answers in the place of ours, speaks like one of ours, or hands ours a state: nobody believes him.

With the codec that is every worker's outside a sandbox. Without it an answer that cannot be read fails no task either.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import AsyncActivityHandle, Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from codec.converter import encrypted
from codec.data_keys import DataKeys
from codec.payload_codec import EnvelopeCodec
from domain.model.activity_io import PageRequest
from domain.model.declaration import KeyHold
from domain.rules.live import LiveIncident
from domain.values import ids
from domain.values.errors import ErrorKind
from domain.values.timestamps import stamp
from tests.attacks.stranger import failed_tasks, runs
from tests.builders import declaration
from tests.codec.kms import CountedKms
from tests.workflows.asking import approve, ask, begin, refused
from tests.workflows.told import Told
from tests.workflows.world import World, hands
from workflows.asking import UNREADABLE, UNSEALED
from workflows.message_handlers import NOT_OURS

FORGED: dict[str, Any] = {
    "people.page": {"channel": "sms", "reference": "forged"},
    "people.page_wave": {"sent": [{"channel": "sms", "reference": "forged"}]},
    "test.health.observe": {"status": "ok", "summary": "forged"},
    "test.deployments.observe": {"status": "ok", "summary": "forged"},
    "ledger.append": {"written": 1000, "epoch": 7},
    "test.rollback.apply": {"outcome": "applied"},
    "test.rollback.verify": {"message": "forged"},
}


@pytest.fixture(scope="module")
def kms() -> Iterator[CountedKms]:
    with mock_aws():
        yield CountedKms()


def sealing(client: Client, kms: CountedKms) -> Client:
    """The same connection as ours have it: with the codec."""
    codec = EnvelopeCodec(DataKeys(kms, ("alias/new",)))
    told: dict[str, Any] = {**client.config(), "data_converter": encrypted(pydantic_data_converter, codec)}
    return Client(**told)


def answering(answer: Callable[[str], Any]) -> list[Callable[..., Any]]:
    """One activity for whatever is asked, as a process has it that polls our queues and has no key."""

    @activity.defn(dynamic=True)
    async def run(_: Sequence[RawValue]) -> Any:
        return answer(activity.info().activity_type)

    return [run]


def _fail(_: str) -> Any:
    raise ApplicationError("the incident goes on elsewhere", type=ErrorKind.SUPERSEDED.value, non_retryable=True)


ROGUES: dict[str, Callable[[str], Any]] = {
    "well made": lambda name: FORGED.get(name, {}),
    "of no type": lambda _: ["x", {"y": 1}],
    "nothing": lambda _: None,
    "bytes": lambda _: b"{}",
    "an error": _fail,
}


async def doubted(told: Told, count: int, why: tuple[str, ...]) -> list[str]:
    """The answers that are not believed, once there are so many."""
    while len(found := [one for one in await refused(told, 0) if one.endswith(why)]) < count:
        await asyncio.sleep(0.02)
    return found


async def _sees_through(client: Client, world: World, told: Told) -> None:
    """The incident has its pages, findings and changes by our hands, once they are there; no task has failed."""
    async with world.hands(client):
        await told.until(lambda state: len(state["findings"]) == 2)
        await told.do("acknowledge")
        change = await ask(told)
        await approve(told, change)
        await told.change_is("rollback", "applied")
        state = await told.until(lambda now: now["timeline"]["written"] > 10)
        findings = {one["summary"] for one in state["findings"]}
        assert findings == {"test.health seen", "test.deployments seen"}
        assert [role for role, _ in world.pages][:1] == ["devops-lead"]
        assert len(world.acted) == 1
        assert len(world.ledger) > 10
        assert "forged" not in str(await told.timeline())
        assert await failed_tasks(client, told.handle.id, change["workflow_id"]) == []


@pytest.mark.parametrize("rogue", ROGUES)
async def test_who_polls_our_queues(server: WorkflowEnvironment, world: World, kms: CountedKms, rogue: str) -> None:
    """What he answers is an attempt that failed, on record; ours are asked again and do what is to be done."""
    client = sealing(server.client, kms)
    async with world.incidents(client):
        async with hands(server.client, answering(ROGUES[rogue])):
            told = await Told.start(client, declaration(declared_at=datetime.now(UTC)))
            await doubted(told, 4, (UNSEALED,))
        await _sees_through(client, world, told)


@pytest.mark.parametrize("rogue", ["of no type", "nothing", "bytes"])
async def test_an_answer_of_no_type_in_a_sandbox(server: WorkflowEnvironment, world: World, rogue: str) -> None:
    """Nothing is sealed there, and still it fails no task: ours are asked again."""
    async with world.incidents(server.client):
        async with hands(server.client, answering(ROGUES[rogue])):
            told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
            await doubted(told, 3, (UNREADABLE,))
        await _sees_through(server.client, world, told)


@pytest.mark.parametrize("answer", ["well made", "nothing"])
async def test_who_completes_activities_by_their_ids(
    server: WorkflowEnvironment, world: World, kms: CountedKms, answer: str
) -> None:
    """Nobody has to poll for that; what it says is an attempt that failed too."""
    client = sealing(server.client, kms)
    async with world.incidents(client):
        told = await Told.start(client, declaration(declared_at=datetime.now(UTC)))
        for name, handle in (await _pending(server.client, told.handle.id, 4)).items():
            await handle.complete(ROGUES[answer](name))
        await doubted(told, 4, (UNSEALED,))
        await _sees_through(client, world, told)


async def test_an_answer_of_ours_to_something_else(server: WorkflowEnvironment, world: World, kms: CountedKms) -> None:
    """What the hands have sealed for one call is not believed as the answer to another."""
    client = sealing(server.client, kms)
    async with world.incidents(client):
        told = await Told.start(client, declaration(declared_at=datetime.now(UTC)))
        pending = await _pending(server.client, told.handle.id, 4)
        async with Worker(client, task_queue=ids.DIAGNOSE_QUEUE, activities=world.activities()):
            await told.until(lambda state: len(state["findings"]) == 2)
        for name in ("people.page_wave", "ledger.append"):
            await pending[name].complete(RawValue(await _first(server.client, told.handle.id, _completed)))
        await doubted(told, 2, (UNSEALED,))
        await _sees_through(client, world, told)


async def test_a_run_that_was_reset_has_its_answers(server: WorkflowEnvironment, world: World, kms: CountedKms) -> None:
    """What the hands answered before is in its history under another run, and is believed: its tasks go on."""
    client = sealing(server.client, kms)
    async with world.workers(client):
        told = await begin(client)
        await told.until(lambda state: len(state["findings"]) == 2)
        [events] = [one async for one in runs(client, told.handle.id)]
        done = [one.event_id for one in events if one.HasField("workflow_task_completed_event_attributes")]
        asked = ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=told.handle.id),
            workflow_task_finish_event_id=done[-1],
            request_id="reset",
            reason="tried",
        )
        await client.workflow_service.reset_workflow_execution(asked)
        change = await ask(told)
        await approve(told, change)
        await told.change_is("rollback", "applied")
        causes = await failed_tasks(client, told.handle.id)
        assert [one for one in causes if "RESET_WORKFLOW" not in one] == []
        assert [one for one in await told.timeline() if "none that the hands" in one["text"]] == []


def _completed(event: HistoryEvent) -> Payload | None:
    results = event.activity_task_completed_event_attributes.result.payloads
    return results[0] if results else None


def _signalled(event: HistoryEvent) -> Payload | None:
    said = event.workflow_execution_signaled_event_attributes
    return said.input.payloads[0] if said.signal_name == "change_progress" else None


async def _first(client: Client, workflow_id: str, wanted: Callable[[HistoryEvent], Payload | None]) -> Payload:
    """The first payload of its kind in a history, as it stands there."""
    while True:
        async for events in runs(client, workflow_id):
            for event in events:
                if (found := wanted(event)) is not None:
                    return found


async def _pending(client: Client, workflow_id: str, count: int) -> dict[str, AsyncActivityHandle]:
    """The activities that wait for an answer, once there are so many, by their types."""
    while True:
        described = await client.get_workflow_handle(workflow_id).describe()
        found = {one.activity_type.name: one.activity_id for one in described.raw_description.pending_activities}
        if len(found) >= count:
            return {
                name: client.get_async_activity_handle(workflow_id=workflow_id, run_id=None, activity_id=one)
                for name, one in found.items()
            }


async def test_news_of_a_change_that_is_forged(server: WorkflowEnvironment, world: World, kms: CountedKms) -> None:
    """An end that was none, a vote that nobody gave, an entry of 1999: refused whole, also as said by another."""
    client = sealing(server.client, kms)
    async with world.workers(client):
        told = await begin(client)
        other = await Told.start(client, declaration(incident_id="inc-20261123-0000", declared_at=datetime.now(UTC)))
        change, others = await ask(told), await ask(other)
        stranger = server.client.get_workflow_handle(told.handle.id)
        await stranger.signal("change_progress", _news(change["workflow_id"]))
        await stranger.signal("change_progress")
        said = await _first(server.client, other.handle.id, _signalled)
        await stranger.signal("change_progress", RawValue(said))  # it is sealed, by a change of another incident
        assert [one.endswith(NOT_OURS) for one in await refused(told, 3)] == [True] * 3
        [kept] = (await told.state())["changes"]
        assert (kept["status"], kept["approvals"]) == ("awaiting-approval", [])
        assert not [one for one in await told.timeline() if one["at"].startswith("1999")]
        await approve(told, change)
        await told.change_is("rollback", "applied")
        assert (await other.state())["changes"][0]["workflow_id"] == others["workflow_id"]


async def test_what_an_incident_says_that_is_forged(server: WorkflowEnvironment, world: World, kms: CountedKms) -> None:
    """Who commands, that evidence is under way, that nobody waits for a change's end: a change hears none of it."""
    client = sealing(server.client, kms)
    async with world.workers(client):
        told = await begin(client)
        change = await ask(told)
        stranger = server.client.get_workflow_handle(change["workflow_id"])
        await stranger.signal("commander_is", {"commander": "cto"})
        await stranger.signal("evidence_begun", {})
        await stranger.signal("tell_by_signal")
        assert [one.endswith(NOT_OURS) for one in await refused(told, 3)] == [True] * 3
        await approve(told, change)
        await told.change_is("rollback", "applied")


async def test_a_key_that_is_given_back_by_a_stranger(
    server: WorkflowEnvironment, world: World, kms: CountedKms
) -> None:
    """The key stands until its own incident gives it back: no second incident begins under the same alarm."""
    client = sealing(server.client, kms)
    async with world.workers(client):
        hold = KeyHold(incident_id="inc-20261123-7f3k")
        key = await client.start_workflow(
            "IncidentKey", hold, id=ids.key_workflow_id("alarm"), task_queue=ids.INCIDENTS_QUEUE
        )
        await server.client.get_workflow_handle(key.id).signal("release", hold)
        assert await key.query("state") == {"incident": hold.incident_id, "refused": 1}
        told = await Told.start(client, declaration(declared_at=datetime.now(UTC), key="alarm"))
        await told.do("false_alarm", reason="nothing")
        assert await key.result() == hold.incident_id


@workflow.defn(name="Strange")
class Strange:
    """A stranger's own workflow, under any id, on a queue of his own."""

    @workflow.run
    async def run(self, what: str) -> Any:
        if what == "continue":
            workflow.continue_as_new(args=[_carried()], workflow="Incident", task_queue=ids.INCIDENTS_QUEUE)
        if what == "leave":
            left = {"state": LiveIncident.declared(declaration()).state.model_dump(mode="json")}
            return await workflow.execute_child_workflow("FollowUp", left, id="left", task_queue=ids.INCIDENTS_QUEUE)
        within: dict[str, Any] = {"start_to_close_timeout": timedelta(seconds=30), "task_queue": ids.NOTIFY_QUEUE}
        return await workflow.execute_activity("people.page", _page(), **within)


def _carried() -> dict[str, Any]:
    incident = LiveIncident.declared(declaration())
    state, timeline = incident.state.model_dump(mode="json"), incident.timeline.model_dump(mode="json")
    return {"carried": {"state": state, "timeline": timeline, "ledger": {}}}


def _page() -> dict[str, Any]:
    about = LiveIncident.declared(declaration()).state.about
    return PageRequest(
        about=about, page_id="p", message="page", to="cto", role="cto", heading="h", reason="r", ask="a"
    ).model_dump(mode="json")


@pytest.mark.parametrize("what", ["continue", "leave", "page"])
async def test_a_workflow_of_the_strangers_own(
    server: WorkflowEnvironment, world: World, kms: CountedKms, what: str
) -> None:
    """It goes on as one of ours with a state that it made up, leaves work behind, or asks our hands: in vain."""
    async with (
        world.workers(sealing(server.client, kms)),
        Worker(server.client, task_queue="his", workflows=[Strange], workflow_runner=UnsandboxedWorkflowRunner()),
    ):
        with pytest.raises(WorkflowFailureError) as failed:
            await server.client.execute_workflow("Strange", what, id=declaration().incident_id, task_queue="his")
        assert _kind(failed.value) == ErrorKind.REFUSED.value
    assert (world.pages, world.ledger, world.followed) == ([], [], [])


def _kind(error: BaseException) -> str | None:
    while error.__cause__ is not None:
        error = error.__cause__
    return error.type if isinstance(error, ApplicationError) else None


def _news(workflow_id: str) -> dict[str, Any]:
    about = {"step": "rollback", "workflow_id": workflow_id, "title": "t"}
    vote = {"kind": "approval", **about, "by": "cto", "role": "cto", "verified": True}
    ended = {"kind": "change", **about, "status": "applied", "reason": "r"}
    at = stamp(datetime(1999, 1, 1, tzinfo=UTC))
    return {"workflow_id": workflow_id, "events": [{"at": at, "actor": "cto", "event": one} for one in (vote, ended)]}
