"""How long urgent incidents wait for their first page amid a storm of minor ones.

300 P3 and, spread evenly among them, 20 P0 are declared within ten seconds, more than two cores can start at once.
From the declaration until the server knows that the first page of a P0 is sent; idle is the same P0 alone.

It asks little of the code that it measures, so that `--against` can run it on the packages of an older checkout.
"""

import asyncio
import time
from typing import Any

from temporalio.common import Priority

from benchmarks.figures import Figure, compared, percentile
from benchmarks.sides import Handle, OurSide
from benchmarks.stage import Size, Stage, new_id

_MARK = 5
_MINOR, _URGENT, _SECONDS = 300, 20, 10.0
_IDLE = 10
_PAGES = ("people.page", "people.page_wave")
_POLL_SECONDS = 0.2
_QUIET_SECONDS = 1.0


class _Prioritised:
    """A client that starts workflows with a priority, as `incident start` does."""

    def __init__(self, client: Any, priority: int) -> None:
        self._client = client
        self._priority = Priority(priority_key=priority)

    async def start_workflow(self, *given: Any, **options: Any) -> Handle:
        started: Handle = await self._client.start_workflow(*given, priority=self._priority, **options)
        return started


async def run(stage: Stage, size: Size) -> list[Figure]:
    """Compare the 99th percentile of the storm with the median of idle; the median of the storm has no mark."""
    minor, urgent, seconds = (6, 2, 1.0) if size.quick else (_MINOR, _URGENT, _SECONDS)
    slowest, middle = [], []
    for _ in range(size.pairs):
        idle = percentile([await _alone(stage.ours) for _ in range(1 if size.quick else _IDLE)], 50)
        waited = await _storm(stage.ours, minor, urgent, seconds)
        slowest.append((percentile(waited, 99), idle))
        middle.append((percentile(waited, 50), idle))
    what = f"first page of {urgent} P0 amid {minor} P3"
    return [
        compared("storm", f"{what}, p99 / idle", "s", slowest, _MARK, at_most=True),
        compared("storm", f"{what}, p50 / idle", "s", middle, None, at_most=True),
    ]


async def _declare(side: OurSide, severity: str) -> tuple[Handle, float]:
    at = time.time()
    prioritised: Any = _Prioritised(side.client, 1 + int(severity[1:]))
    return await OurSide(prioritised, side.worker).start(new_id(side), severity=severity), at


async def _alone(side: OurSide) -> float:
    handle, at = await _declare(side, "P0")
    waited = await _paged(handle) - at
    await _quiet(side)
    await handle.terminate()
    return waited


async def _storm(side: OurSide, minor: int, urgent: int, seconds: float) -> list[float]:
    """Declare all of them at even intervals, whether earlier ones have begun or not; returns what the P0s waited."""
    total = minor + urgent
    begun = time.monotonic()
    minors, urgents = [], []
    for number in range(total):
        await asyncio.sleep(max(begun + number * seconds / total - time.monotonic(), 0))
        if (number * urgent) // total == ((number + 1) * urgent) // total:
            minors.append(asyncio.create_task(_declare(side, "P3")))
        else:
            urgents.append(asyncio.create_task(_declare(side, "P0")))
    waited = [await _paged(handle) - at for handle, at in await asyncio.gather(*urgents)]
    await _quiet(side)
    for handle, _ in await asyncio.gather(*minors, *urgents):
        await handle.terminate()
    return waited


async def _paged(handle: Handle) -> float:
    """When the server learned that the first page was sent, in Unix seconds."""
    while True:
        pages = set()
        for event in (await handle.fetch_history()).events:
            if event.activity_task_scheduled_event_attributes.activity_type.name in _PAGES:
                pages.add(event.event_id)
            elif event.activity_task_completed_event_attributes.scheduled_event_id in pages:
                return event.event_time.ToNanoseconds() / 1e9
        await asyncio.sleep(_POLL_SECONDS)


async def _quiet(side: OurSide) -> None:
    """Wait until the worker has nothing left to do."""
    while True:
        before = await side.worker.cpu_seconds()
        await asyncio.sleep(_QUIET_SECONDS)
        if await side.worker.cpu_seconds() - before < _QUIET_SECONDS / 20:
            return
