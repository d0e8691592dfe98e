"""A query of Logs Insights lives as long as somebody waits for it, and is paid for once."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from moto.logs.models import logs_backends
from temporalio import workflow
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.common import RetryPolicy
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.aws.shared import logs_insights as ours
from domain.model.activity_io import ObserveRequest
from domain.model.finding import Finding, FindingStatus
from sandbox.aws import logs_insights
from tests.activities.log_worlds import log_of
from tests.activities.scopes import ACCOUNT, NOW, REGION, scope
from tests.activities.trial import named
from tests.house import FixedHouse, about

QUEUE = "diagnose"
CALL = ObserveRequest(about=about(scope()), step="errors", params={"service": "backend"}, at=NOW)


@workflow.defn(sandboxed=False)
class _Looks:
    """One look at the log."""

    @workflow.run
    async def run(self, call: ObserveRequest) -> Finding:
        found: Finding = await workflow.execute_activity(
            "logs.errors.observe",
            call,
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=5),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            retry_policy=RetryPolicy(maximum_attempts=3, initial_interval=timedelta(milliseconds=100)),
            result_type=Finding,
        )
        return found


class Queries:
    """The queries of the account, and whether they may end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_end = False
        finish = logs_insights._Query.finish

        def finished(query: Any) -> None:
            if self.may_end:
                finish(query)

        monkeypatch.setattr(logs_insights._Query, "finish", finished)

    @property
    def statuses(self) -> list[str]:
        known: dict[str, Any] = vars(logs_backends[ACCOUNT][REGION]).get(logs_insights._QUERIES, {})
        return [one.status for one in known.values()]

    async def are(self, *statuses: str) -> None:
        while self.statuses != [*statuses]:
            await asyncio.sleep(0.05)


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queries]:
    with mock_aws():
        yield Queries(monkeypatch)


async def looking(server: WorkflowEnvironment) -> WorkflowHandle[_Looks, Finding]:
    return await server.client.start_workflow(_Looks.run, CALL, id=CALL.about.incident, task_queue=QUEUE)


def worker(server: WorkflowEnvironment) -> Worker:
    clients = log_of((5, "ERROR no tide"), busy=True)
    return Worker(
        server.client,
        task_queue=QUEUE,
        workflows=[_Looks],
        activities=[named(clients, FixedHouse(scope().environment))["logs.errors.observe"]],
        activity_executor=ThreadPoolExecutor(2),
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_heartbeat_throttle_interval=timedelta(seconds=0.2),
    )


async def test_a_query_is_stopped_with_its_activity(server: WorkflowEnvironment, queries: Queries) -> None:
    """Whoever cancels the look ends the query, while it runs."""
    async with worker(server):
        look = await looking(server)
        await asyncio.wait_for(queries.are("Running"), 20)
        await look.cancel()
        with pytest.raises(WorkflowFailureError):
            await look.result()
    assert queries.statuses == ["Cancelled"]


async def test_a_query_is_taken_up_by_the_next_attempt(
    server: WorkflowEnvironment, queries: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that takes longer than an attempt is waited for by the next, and is not started again."""
    monkeypatch.setattr(ours, "_PATIENCE_SECONDS", 2)
    async with worker(server):
        look = await looking(server)
        await asyncio.wait_for(queries.are("Running"), 20)
        while (await _attempt(look)) < 2:
            await asyncio.sleep(0.1)
        queries.may_end = True
        found = await look.result()
    assert (found.status, found.facts["count"]) == (FindingStatus.SUSPECT, 1)
    assert queries.statuses == ["Complete"]


async def _attempt(look: WorkflowHandle[_Looks, Finding]) -> int:
    pending = (await look.describe()).raw_description.pending_activities
    return max((one.attempt for one in pending), default=0)
