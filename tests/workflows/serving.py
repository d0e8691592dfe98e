"""Serving the queues that tests of workflows need."""

from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from domain.values import ids
from tests.workflows.checking import check, witness
from worker.runner import runner
from worker.sealed_input import RefusesUnsealed
from workflows.catalogue import WORKFLOWS

QUEUES = (ids.DIAGNOSE_QUEUE, ids.REMEDIATE_QUEUE, ids.NOTIFY_QUEUE, ids.FORENSICS_QUEUE)


@asynccontextmanager
async def incidents(client: Client, build_id: str | None = None, environment: str | None = None) -> AsyncIterator[None]:
    """Serve the queue of workflows alone, with the look at proofs."""
    async with Worker(
        client,
        task_queue=_named(ids.INCIDENTS_QUEUE, environment),
        workflows=WORKFLOWS,
        activities=[check],
        activity_executor=ThreadPoolExecutor(1),
        no_remote_activities=True,
        workflow_runner=runner(sealed=client.data_converter.payload_codec is not None),
        build_id=build_id,
    ):
        yield


@asynccontextmanager
async def hands(
    client: Client, made: list[Callable[..., Any]], environment: str | None = None, queues: Iterable[str] = QUEUES
) -> AsyncIterator[None]:
    """Serve queues of activities with these."""
    async with AsyncExitStack() as stack:
        for queue in queues:
            named = _named(queue, environment)
            worker = Worker(client, task_queue=named, activities=[*made, witness], interceptors=[RefusesUnsealed()])
            await stack.enter_async_context(worker)
        yield


def _named(queue: str, environment: str | None) -> str:
    return queue if environment is None else ids.task_queue(environment, queue)
