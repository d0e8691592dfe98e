"""Who answers in the place of ours: nobody believes him.

With the codec that is every worker's outside a sandbox. Without it an answer that cannot be read fails no task either.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import AsyncActivityHandle, Client
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.model.scheduled import ScheduledRun
from domain.rules.run import RestoreRequest
from domain.values import ids
from domain.values.errors import ErrorKind
from starters.client.replays import refuse_unless_replayed
from tests.attacks.sealing import completed, first, kms, sealing
from tests.attacks.stranger import failed_tasks, runs
from tests.builders import declaration
from tests.codec.kms import CountedKms
from tests.workflows.asking import approve, ask, begin, refused
from tests.workflows.serving import hands
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows.asking import UNREADABLE, UNSEALED

__all__ = ["kms"]

FORGED: dict[str, Any] = {
    "people.page": {"channel": "sms", "reference": "forged"},
    "people.page_wave": {"sent": [{"channel": "sms", "reference": "forged"}]},
    "test.health.observe": {"status": "ok", "summary": "forged"},
    "test.deployments.observe": {"status": "ok", "summary": "forged"},
    "ledger.append": {"written": 1000, "epoch": 7},
    "test.rollback.apply": {"outcome": "applied"},
    "test.rollback.verify": {"message": "forged"},
}


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
    """The incident has its pages, findings and changes by our hands, once they are there; no task has failed.

    A release that is to go on with it replays it as it went.
    """
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
        assert all(one["data"]["outside"] for one in await told.timeline() if one["kind"] == "refused")
        assert len(world.acted) == 1
        assert len(world.ledger) > 10
        assert "forged" not in str(await told.timeline())
        assert await failed_tasks(client, told.handle.id, change["workflow_id"]) == []
        await refuse_unless_replayed(client, [told.handle.id, change["workflow_id"]], "the next")


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
            await pending[name].complete(RawValue(await first(server.client, told.handle.id, completed)))
        await doubted(told, 2, (UNSEALED,))
        await _sees_through(client, world, told)


async def test_a_run_that_keeps_no_record_has_the_hands_note_it(
    server: WorkflowEnvironment, world: World, kms: CountedKms
) -> None:
    """What was said in their place to a run of a schedule, and to a request to restore, is told to the hands once."""
    client = sealing(server.client, kms)
    run = ScheduledRun(schedule="nightly", environment="staging", declares="drift")
    async with world.incidents(client):
        async with hands(server.client, answering(ROGUES["well made"])):
            scheduled = await client.start_workflow(
                "Scheduled", run, id="scheduled/staging/nightly-1", task_queue=ids.INCIDENTS_QUEUE
            )
            restore = await client.start_workflow(
                "Restore", RestoreRequest(), id=ids.restore_workflow_id("x"), task_queue=ids.INCIDENTS_QUEUE
            )
            for one in (scheduled, restore):
                while not [e async for e in one.fetch_history_events() if e.HasField("timer_started_event_attributes")]:
                    await asyncio.sleep(0.02)
        async with world.hands(client):
            while len(world.strange) < 2:
                await asyncio.sleep(0.02)
            await restore.result()
    assert sorted(world.strange) == ["ledger.restorable", "schedules.declare"]
    assert await failed_tasks(client, scheduled.id, restore.id) == []


async def test_a_key_that_is_changed_amid(server: WorkflowEnvironment, world: World, kms: CountedKms) -> None:
    """An incident that was begun under the key before goes on under the new one, by processes with their own data keys.

    Nothing that is ours is doubted on the way.
    """
    old = sealing(server.client, kms, "alias/old")
    async with world.incidents(old):
        told = await Told.start(old, declaration(declared_at=datetime.now(UTC)))
        await _pending(server.client, told.handle.id, 4)
    client, hands_client = (sealing(server.client, kms, "alias/new", "alias/old") for _ in range(2))
    told = Told(client, client.get_workflow_handle(told.handle.id))
    async with world.incidents(client), world.hands(hands_client):
        await told.until(lambda state: len(state["findings"]) == 2)
        await told.do("acknowledge")
        change = await ask(told)
        await approve(told, change)
        await told.change_is("rollback", "applied")
        assert await refused(told, 0) == []
        assert len(world.acted) == 1


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
