"""The worker process of one side: the queues and options of `incident worker`, and a pipe to be asked through."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from benchmarks import memory, outage
from benchmarks.bare import PREFIX, Bare, Idle, Marks
from domain.values import ids
from worker.command import leave
from worker.run import _EAGER_ACTIVITIES, _STICKY_TIMEOUT
from worker.runner import runner
from worker.settings import Settings
from workflows.catalogue import WORKFLOWS

_SPAWN = get_context("spawn")


def serve(pipe: Connection, address: str, ours: bool) -> NoReturn:
    """Serve one side until told to stop; answers `cpu` (seconds, all threads) and `marks`. Does not return."""
    asyncio.run(_serve(pipe, address, ours))
    leave(0)


async def _serve(pipe: Connection, address: str, ours: bool) -> None:
    marks = Marks()
    if ours:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        todo = memory.activities(outage.declaration("none").runbook, marks)
        workers = [_worker(client, queue, WORKFLOWS, todo) for queue in ids.QUEUES]
    else:
        client = await Client.connect(address)
        workers = [_worker(client, PREFIX + queue, (Bare,), [Idle(marks).bare]) for queue in ids.QUEUES]
    async with AsyncExitStack() as running:
        for worker in workers:
            await running.enter_async_context(worker)
        pipe.send("ready")
        while (asked := await asyncio.to_thread(pipe.recv)) != "stop":
            pipe.send(time.process_time() if asked == "cpu" else marks.take())


def _worker(client: Client, queue: str, workflows: tuple[type, ...], todo: list[Any]) -> Worker:
    """Build one queue's worker as the product does: workflows on one queue, activities on the others."""
    settings = Settings.model_construct()
    home = queue.endswith(ids.INCIDENTS_QUEUE)
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows if home else (),
        activities=() if home else todo,
        activity_executor=None if home else ThreadPoolExecutor(settings.max_concurrent_activities, queue),
        max_concurrent_activities=None if home else settings.max_concurrent_activities,
        workflow_runner=runner(share_workflows=True),
        max_cached_workflows=settings.max_cached_workflows,
        max_eager_activity_reservations_per_workflow_task=_EAGER_ACTIVITIES,
        sticky_queue_schedule_to_start_timeout=_STICKY_TIMEOUT,
    )


class WorkerProcess:
    """A worker in a process of its own, so that its CPU is its own."""

    def __init__(self, address: str, *, ours: bool) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=serve, args=(theirs, address, ours), daemon=True)
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
