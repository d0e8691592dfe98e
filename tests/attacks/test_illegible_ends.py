"""Ends of activities and workflows that the SDK cannot read: each would fail a workflow's task for ever."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws
from temporalio import workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import ApplicationErrorCategory
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    RecordActivityTaskHeartbeatRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedRequest,
)
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleSpec,
    WorkflowHandle,
)
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.model.scheduled import ScheduledRun
from domain.values import ids
from domain.values.errors import ErrorKind
from tests.attacks.sealing import sealing
from tests.attacks.stranger import failed_tasks, runs
from tests.attacks.test_strangers_answers import _sees_through, answering, doubted
from tests.builders import declaration
from tests.codec.kms import CountedKms
from tests.workflows.asking import begin, do_upkeep, incident_of
from tests.workflows.told import Told
from tests.workflows.world import World
from worker.runner import runner
from workflows.asking import UNREADABLE, UNSEALED
from workflows.incident import Incident

_NO_JSON = Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=b"{")])


@pytest.fixture(scope="module")
def kms() -> Iterator[CountedKms]:
    with mock_aws():
        yield CountedKms()


def _with_details() -> Failure:
    failure = Failure(message="forged")
    failure.application_failure_info.type = "NotFound"
    failure.application_failure_info.non_retryable = True
    failure.application_failure_info.details.CopyFrom(_NO_JSON)
    return failure


async def _poll(client: Client, queue: str) -> bytes:
    asked = PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), identity="his")
    return (await client.workflow_service.poll_activity_task_queue(asked)).task_token


async def _fail(client: Client, queue: str, failure: Failure) -> None:
    asked = RespondActivityTaskFailedRequest(
        namespace=client.namespace, task_token=await _poll(client, queue), failure=failure
    )
    await client.workflow_service.respond_activity_task_failed(asked)


def _slow(_: str) -> Any:
    raise ApplicationError("slow", type=ErrorKind.TRANSIENT.value)


async def test_an_error_of_ours_that_is_made_final(server: WorkflowEnvironment, world: World, kms: CountedKms) -> None:
    """What the hands said of an attempt is copied, and said to be the end: it is none that they have given."""
    client = sealing(server.client, kms)
    async with world.incidents(client):
        async with Worker(client, task_queue=ids.DIAGNOSE_QUEUE, activities=answering(_slow)):
            told = await Told.start(client, declaration(declared_at=datetime.now(UTC)))
            while (given := await _last_failure(server.client, told.handle.id)) is None:
                await asyncio.sleep(0.02)
        given.application_failure_info.non_retryable = True
        for _ in range(2):
            await _fail(server.client, ids.DIAGNOSE_QUEUE, given)
        await doubted(told, 2, (UNSEALED,))
        await _sees_through(client, world, told)


async def _last_failure(client: Client, workflow_id: str) -> Failure | None:
    described = await client.get_workflow_handle(workflow_id).describe()
    pending = described.raw_description.pending_activities
    return next((one.last_failure for one in pending if one.HasField("last_failure")), None)


def _is_timeout(event: HistoryEvent) -> bool:
    return event.HasField("activity_task_timed_out_event_attributes")


@pytest.mark.parametrize("what", ["details", "kind", "beneath"])
@pytest.mark.parametrize("encrypted", [False, True])
async def test_an_error(server: WorkflowEnvironment, world: World, kms: CountedKms, encrypted: bool, what: str) -> None:
    """Details, or a category, that nobody can read, in the error or behind it: an attempt that failed."""
    client = sealing(server.client, kms) if encrypted else server.client
    failure = _with_details()
    if what == "kind":
        failure.application_failure_info.ClearField("details")
        failure.application_failure_info.category = ApplicationErrorCategory.ValueType(99)
    if what == "beneath":
        failure = Failure(message="forged", cause=failure)
        failure.application_failure_info.non_retryable = True
    async with world.incidents(client):
        told = await Told.start(client, declaration(declared_at=datetime.now(UTC)))
        for queue in (ids.NOTIFY_QUEUE, ids.DIAGNOSE_QUEUE, ids.FORENSICS_QUEUE):
            await _fail(server.client, queue, failure)
        await doubted(told, 3, (UNSEALED,))
        await _sees_through(client, world, told)


async def test_heartbeats(server: WorkflowEnvironment, world: World, kms: CountedKms) -> None:
    """The last one before a time is up comes with it, and fails no task of the workflow."""
    client = sealing(server.client, kms)
    async with world.incidents(client):
        told = await Told.start(client, declaration(declared_at=datetime.now(UTC)))
        for _ in range(3):
            asked = RecordActivityTaskHeartbeatRequest(
                namespace=client.namespace, task_token=await _poll(server.client, ids.NOTIFY_QUEUE), details=_NO_JSON
            )
            await server.client.workflow_service.record_activity_task_heartbeat(asked)
        while not [events async for events in runs(client, told.handle.id) if any(map(_is_timeout, events))]:
            await asyncio.sleep(0.1)
        async with world.hands(client):
            await told.until(lambda state: len(state["findings"]) == 2)
            await told.do("acknowledge")
        assert await failed_tasks(client, told.handle.id) == []


async def test_an_answer_that_is_none(server: WorkflowEnvironment, world: World) -> None:
    """Not even that nothing came of it is said: it is none that was asked for."""
    async with world.incidents(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
        for queue in (ids.NOTIFY_QUEUE, ids.DIAGNOSE_QUEUE, ids.FORENSICS_QUEUE):
            asked = RespondActivityTaskCompletedRequest(
                namespace=server.client.namespace, task_token=await _poll(server.client, queue)
            )
            await server.client.workflow_service.respond_activity_task_completed(asked)
        await doubted(told, 3, (UNREADABLE,))
        await _sees_through(server.client, world, told)


ENDS: dict[str, Any] = {
    "of no type": [1],
    "of another shape": {"news": 1},
    "no news": {"news": None},
    "nothing": None,
    "no JSON": RawValue(_NO_JSON.payloads[0]),
    "an error": ApplicationError("forged", RawValue(_NO_JSON.payloads[0]), non_retryable=True),
}


@workflow.defn(name="Change")
class His:
    """What a stranger who polls the queue of workflows makes of a change."""

    end: Any = None

    @workflow.run
    async def run(self, _: RawValue) -> Any:
        if isinstance(self.end, ApplicationError):
            raise self.end
        return self.end


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("encrypted", [False, True])
async def test_the_end_of_a_change(
    server: WorkflowEnvironment,
    world: World,
    kms: CountedKms,
    monkeypatch: pytest.MonkeyPatch,
    encrypted: bool,
    end: str,
) -> None:
    """Whoever polls the queue of workflows ends a change in its place: it has failed, and its incident goes on."""
    client = sealing(server.client, kms) if encrypted else server.client
    monkeypatch.setattr(His, "end", ENDS[end])
    queue = ids.INCIDENTS_QUEUE
    async with (
        world.hands(client),
        Worker(client, task_queue=queue, workflows=[Incident], workflow_runner=runner(sealed=encrypted)),
    ):
        told = await begin(client)
        his = await Client.connect(server.client.service_client.config.target_host, namespace=client.namespace)
        async with Worker(his, task_queue=queue, workflows=[His], workflow_runner=UnsandboxedWorkflowRunner()):
            await told.handle.signal("request_change", {"by": "development-lead", "step": "rollback", "set": {}})
            await told.change_is("rollback", "failed")
        await told.do("note", text="it goes on")
        assert world.acted == []


@workflow.defn(name="Scheduled")
class HisRun:
    """What he makes of a run of a schedule."""

    @workflow.run
    async def run(self, _: RawValue) -> Any:
        return RawValue(_NO_JSON.payloads[0])


async def test_the_end_of_a_run_of_a_schedule(server: WorkflowEnvironment, world: World) -> None:
    """The next run begins all the same: what it is told of the one before is nothing."""
    run = ScheduledRun(schedule="nightly", environment="staging", declares="drift")
    action = ScheduleActionStartWorkflow(
        "Scheduled", run, id="scheduled/staging/nightly", task_queue=ids.INCIDENTS_QUEUE
    )
    schedule = await server.client.create_schedule("nightly", Schedule(action=action, spec=ScheduleSpec()))
    async with Worker(
        server.client, task_queue=ids.INCIDENTS_QUEUE, workflows=[HisRun], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        await schedule.trigger()
        await (await _run(schedule, server.client, 1, RawValue)).result()
    async with world.workers(server.client):
        await schedule.trigger()
        handle = await _run(schedule, server.client, 2, dict)
        await do_upkeep(await incident_of(server.client, handle))
        assert (await handle.result())["incident"]
        assert [call.after for call in world.scheduled] == [None]
        assert await failed_tasks(server.client, handle.id) == []


async def _run(schedule: ScheduleHandle, client: Client, number: int, result: type) -> WorkflowHandle[Any, Any]:
    """The workflow of the schedule's run of this number, once it is there."""
    while len(begun := (await schedule.describe()).info.recent_actions) < number:
        await asyncio.sleep(0.05)
    begun_by = begun[-1].action
    assert isinstance(begun_by, ScheduleActionExecutionStartWorkflow)
    return client.get_workflow_handle(begun_by.workflow_id, result_type=result)
