"""The worker process of one side: the queues and options of `incident worker`, and a pipe to be asked through."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.proofs import checker
from benchmarks import memory, outage
from benchmarks.bare import PREFIX, Bare, Idle, Marks
from benchmarks.signatures import House
from domain.values import ids
from worker.command import leave
from worker.run import build_worker
from worker.settings import Settings

_BARE_ACTIVITIES = 50
_BARE_SHARES = ("pydantic", "pydantic_core", "domain", "structlog", "opentelemetry")
_SPAWN = get_context("spawn")
Connect = Callable[[str], Awaitable[Client]]


async def in_the_clear(address: str) -> Client:
    """Connect as ours do where nothing is encrypted."""
    return await Client.connect(address, data_converter=pydantic_data_converter)


def serve(pipe: Connection, address: str, ours: bool, connected: Connect) -> NoReturn:
    """Serve one side until told to stop; answers `cpu` (seconds, all threads) and `marks`. Does not return."""
    asyncio.run(_serve(pipe, address, ours, connected))
    leave(0)


async def _serve(pipe: Connection, address: str, ours: bool, connected: Connect) -> None:
    marks = Marks()
    if ours:
        client = await connected(address)
        todo = memory.activities(outage.declaration("none").runbook, marks)
        settings = Settings.model_construct(environment=outage.ENVIRONMENT)
        workers = [build_worker(client, queue, settings, _on(queue, todo, [checker(House())])) for queue in ids.QUEUES]
    else:
        client = await Client.connect(address)
        workers = [
            _bare_worker(client, PREFIX + ids.task_queue(outage.ENVIRONMENT, queue), _on(queue, [Idle(marks).bare]))
            for queue in ids.QUEUES
        ]
    async with AsyncExitStack() as running:
        for worker in workers:
            await running.enter_async_context(worker)
        pipe.send("ready")
        while (asked := await asyncio.to_thread(pipe.recv)) != "stop":
            pipe.send(time.process_time() if asked == "cpu" else marks.take())


def _on(queue: str, todo: list[Any], own: Sequence[Any] = ()) -> list[Any]:
    """What a queue's worker does: on that of workflows their `own` local activities."""
    return list(own) if queue == ids.INCIDENTS_QUEUE else todo


def _bare_worker(client: Client, queue: str, todo: list[Any]) -> Worker:
    """Build one queue's worker as a careful user of the SDK does; frozen, as the shape is.

    The options are those that `incident worker` had at commit ed2512f, its sandbox with pydantic shared included.
    """
    return Worker(
        client,
        task_queue=queue,
        workflows=() if todo else (Bare,),
        activities=todo,
        activity_executor=ThreadPoolExecutor(_BARE_ACTIVITIES, queue) if todo else None,
        max_concurrent_activities=_BARE_ACTIVITIES if todo else None,
        workflow_runner=SandboxedWorkflowRunner(SandboxRestrictions.default.with_passthrough_modules(*_BARE_SHARES)),
        max_cached_workflows=1000,
        max_eager_activity_reservations_per_workflow_task=10,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    )


class WorkerProcess:
    """A worker in a process of its own, so that its CPU is its own."""

    def __init__(self, address: str, *, ours: bool, connected: Connect = in_the_clear) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=serve, args=(theirs, address, ours, connected), daemon=True)
        self._process.start()
        theirs.close()

    async def _ask(self, question: str) -> Any:
        self._pipe.send(question)
        return await asyncio.to_thread(self._pipe.recv)

    async def ready(self) -> None:
        """Wait until it polls; raises `EOFError` when it died on the way."""
        await asyncio.to_thread(self._pipe.recv)

    async def cpu_seconds(self) -> float:
        taken: float = await self._ask("cpu")
        return taken

    async def marks(self) -> list[tuple[str, float]]:
        """Which workflows' activities began, and when (Unix seconds), since this was asked last."""
        taken: list[tuple[str, float]] = await self._ask("marks")
        return taken

    def stop(self) -> None:
        if self._process.is_alive():
            self._pipe.send("stop")
            self._process.join(15)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
