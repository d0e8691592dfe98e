"""Workflow code runs only on what a workflow task has started, whatever a query brings along."""

import asyncio
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio import workflow
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import WithSerializationContext, WorkflowSerializationContext
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker, WorkflowInstance

from domain.values.errors import ASK_AGAIN
from worker.runner import Attentive, runner

QUEUE = "sleepers"


@workflow.defn
class Sleeper:
    """Sleeps three times and tells when it woke."""

    def __init__(self) -> None:
        self.woke: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        for _ in range(3):
            await workflow.sleep(timedelta(seconds=1))
            self.woke.append(workflow.now().isoformat())
        return self.woke

    @workflow.query
    def times(self) -> list[str]:
        return self.woke


def _worker(client: Client) -> Worker:
    return Worker(client, task_queue=QUEUE, workflows=[Sleeper], workflow_runner=runner())


async def _asked(handle: WorkflowHandle[Any, Any]) -> None:
    """Ask until a worker answers."""
    while True:
        try:
            await handle.query("times", rpc_timeout=timedelta(seconds=5))
        except (RPCError, WorkflowQueryFailedError):
            continue
        return


async def test_queries_that_wait_for_a_worker_change_nothing(bare_server: WorkflowEnvironment) -> None:
    """Timers fire while nobody works and people ask: each workflow wakes at its time, and replays."""
    client = bare_server.client
    async with _worker(client):
        handles = [await client.start_workflow("Sleeper", id=f"sleeper-{n}", task_queue=QUEUE) for n in range(8)]
        await asyncio.gather(*(_asked(handle) for handle in handles))
    asking = [asyncio.create_task(_asked(handle)) for handle in handles]
    for handle in handles:
        while not await _fired(handle):
            await asyncio.sleep(0.05)
    async with _worker(client):
        await asyncio.gather(*asking)
        woke = [await client.get_workflow_handle(handle.id, result_type=list).result() for handle in handles]
    for times in woke:
        first, second, third = map(datetime.fromisoformat, times)
        assert second - first >= timedelta(seconds=1)
        assert third - second >= timedelta(seconds=1)
    replayer = Replayer(workflows=[Sleeper], workflow_runner=UnsandboxedWorkflowRunner())
    for handle in handles:
        await replayer.replay_workflow(await handle.fetch_history())


async def _fired(handle: WorkflowHandle[Any, Any]) -> bool:
    history = await handle.fetch_history()
    return any(event.HasField("timer_fired_event_attributes") for event in history.events)


class _Inner(WorkflowInstance):
    """Takes note of what it was activated with."""

    def __init__(self) -> None:
        self.got: list[int] = []

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        self.got.append(act.history_length)
        return WorkflowActivationCompletion(run_id=act.run_id)

    def get_serialization_context(self, command_info: Any) -> Any:
        return command_info

    def get_external_store_context(self, command_info: Any) -> Any:
        return command_info

    def get_info(self) -> Any:
        return SimpleNamespace(namespace="default", workflow_id="inc-1")


def _activation(length: int, second: int, job: str, *, replaying: bool = False) -> WorkflowActivation:
    made = WorkflowActivation(run_id="run", history_length=length, is_replaying=replaying)
    made.timestamp.FromSeconds(second)
    one = WorkflowActivationJob()
    getattr(one, job).SetInParent()
    made.jobs.append(one)
    return made


@pytest.mark.parametrize(
    ("second", "taken"),
    [
        pytest.param(_activation(8, 12, "fire_timer"), True, id="a task of its own time"),
        pytest.param(_activation(7, 10, "fire_timer"), False, id="news at the time of the task before"),
        pytest.param(_activation(7, 10, "signal_workflow"), False, id="a signal at the time of the task before"),
        pytest.param(_activation(3, 10, "resolve_activity"), True, id="more of the same task"),
        pytest.param(_activation(7, 10, "query_workflow"), True, id="a query"),
        pytest.param(_activation(7, 10, "fire_timer", replaying=True), True, id="a replay"),
        pytest.param(_activation(7, 10, "remove_from_cache"), True, id="an eviction"),
    ],
)
def test_news_without_a_started_task_is_refused(second: WorkflowActivation, taken: bool) -> None:
    """Only what tells of news at the time of the task before is refused, and then nothing of it is run."""
    inner = _Inner()
    instance = Attentive(inner)
    assert not instance.activate(_activation(3, 10, "initialize_workflow", replaying=True)).HasField("failed")
    answer = instance.activate(second)
    assert (second.history_length in inner.got[1:]) is taken
    assert answer.failed.failure.message == ("" if taken else ASK_AGAIN)


def test_every_payload_has_the_context_of_its_workflow() -> None:
    """The SDK's question about a payload is answered without entering the sandbox, whatever command it belongs to."""
    instance = Attentive(_Inner())
    for command in (None, "an activity of this workflow"):
        context = instance.get_serialization_context(command)
        assert context == WorkflowSerializationContext(namespace="default", workflow_id="inc-1")
        assert instance.get_external_store_context(command).target is None


def test_our_converter_looks_at_no_context() -> None:
    """What allows the one answer: no part of the converter treats a payload by the command it belongs to."""
    context = WorkflowSerializationContext(namespace="default", workflow_id="inc-1")
    converter = pydantic_data_converter.payload_converter
    assert isinstance(converter, WithSerializationContext)
    assert converter.with_context(context) is converter
    assert not isinstance(pydantic_data_converter.failure_converter, WithSerializationContext)
    assert pydantic_data_converter.payload_codec is None
    assert pydantic_data_converter.external_storage is None
