"""Who speaks like one of our workflows, or hands one of ours a state: nobody believes him where all is sealed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from codec.encoding import ENCODING
from domain.model.activity_io import PageRequest
from domain.model.declaration import KeyHold
from domain.rules.live import LiveIncident
from domain.values import ids
from domain.values.errors import ErrorKind
from domain.values.timestamps import stamp
from tests.attacks.sealing import first, kms, sealing, signalled
from tests.attacks.stranger import failed_tasks
from tests.builders import declaration
from tests.codec.kms import CountedKms
from tests.workflows.asking import approve, ask, begin, refused
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows.message_handlers import NOT_OURS

__all__ = ["kms"]


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
        said = await first(server.client, other.handle.id, signalled)
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
            "IncidentKey", hold, id=ids.key_workflow_id("production", "alarm"), task_queue=ids.INCIDENTS_QUEUE
        )
        await server.client.get_workflow_handle(key.id).signal("release", hold)
        assert await key.query("state") == {"incident": hold.incident_id, "refused": 1}
        told = await Told.start(client, declaration(declared_at=datetime.now(UTC), key="alarm"))
        await told.do("false_alarm", reason="nothing")
        assert await key.result() == hold.incident_id


@pytest.mark.parametrize("rubbish", ["no envelope", "a data key that KMS never made", "changed on the way"])
async def test_a_key_that_is_begun_with_rubbish(
    server: WorkflowEnvironment, world: World, kms: CountedKms, rubbish: str
) -> None:
    """It ends at once, and the alarm that it stood for is free: no worker could ever read what it was begun with."""
    client = sealing(server.client, kms)
    hold = KeyHold(incident_id="inc-20261123-7f3k")
    (payload,) = await client.data_converter.encode([hold])
    if rubbish == "no envelope":
        payload = Payload(metadata={"encoding": ENCODING}, data=b"x" * 100)
    elif rubbish == "changed on the way":
        payload.data = payload.data[:-1] + bytes([payload.data[-1] ^ 1])
    else:
        payload.metadata["data-key"] = b"x" * 150
    async with world.workers(client):
        key = await server.client.start_workflow(
            "IncidentKey",
            RawValue(payload),
            id=ids.key_workflow_id("production", "alarm"),
            task_queue=ids.INCIDENTS_QUEUE,
        )
        with pytest.raises(WorkflowFailureError) as ended:
            await key.result()
    assert "not started with that" in str(ended.value.cause)


async def test_what_is_under_another_key_waits_for_its_worker(
    server: WorkflowEnvironment, world: World, kms: CountedKms
) -> None:
    """A worker that was not given the key leaves it to one that was."""
    old = sealing(server.client, kms, "alias/old")
    hold = KeyHold(incident_id="inc-20261123-7f3k")
    key = await old.start_workflow(
        "IncidentKey", hold, id=ids.key_workflow_id("production", "alarm"), task_queue=ids.INCIDENTS_QUEUE
    )
    async with world.workers(sealing(server.client, kms)):
        while not await failed_tasks(server.client, key.id):
            await asyncio.sleep(0.02)
    both = sealing(server.client, kms, "alias/new", "alias/old")
    async with world.workers(both):
        state = await both.get_workflow_handle(key.id).query("state")
    assert state == {"incident": hold.incident_id, "refused": 0}


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
