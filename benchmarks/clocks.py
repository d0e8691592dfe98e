"""How late SLA clocks are when many are due within one second.

Nobody acknowledges a P3, so that it pages again when its re-page interval is over. The lateness is from that instant
to the beginning of the first activity that follows, a page. The bare workflow sleeps until the same instant and asks
for as many activities before and after.
"""

import asyncio
import time
from dataclasses import replace

from benchmarks import outage
from benchmarks.bare import Shape, shape_of
from benchmarks.figures import Figure, compared, percentile
from benchmarks.sides import BareSide, Handle, OurSide
from benchmarks.stage import Size, Stage, events_of, new_id
from domain.values.severity import Severity

_MARK = 1.15
_COUNTS, _QUICK_COUNTS = (100, 1000), (2,)
_STARTS_A_SECOND, _LEAST_LEAD_SECONDS = 8, 1.5
_PATIENCE_SECONDS = 120.0
_ATTEMPTS = 3
_AT_ONCE = 20
_EARLY_SECONDS = 0.05
_CLOCK_SECONDS = 0.001
"""What two processes' clocks can tell apart: nothing is less late."""


class NotQuietError(Exception):
    """The machine was still starting incidents when their clocks were due."""


async def run(stage: Stage, size: Size) -> list[Figure]:
    """Tell the ratio of the 99th percentiles of lateness, for each number of clocks."""
    shape = await _shape(stage)
    figures = []
    for count in _QUICK_COUNTS if size.quick else _COUNTS:
        pairs = []
        for _ in range(size.pairs):
            bare = await _late(stage.bare, count, shape)
            pairs.append((percentile(await _late(stage.ours, count, shape), 99), percentile(bare, 99)))
        what = f"lateness, {count} clocks within a second, p99"
        figures.append(compared("clocks", what, "s", pairs, _MARK, at_most=True))
    return figures


async def _shape(stage: Stage) -> Shape:
    """What one incident asks for before and after its clock; starts anew where its first task came after that."""
    lead = _LEAST_LEAD_SECONDS
    for _ in range(_ATTEMPTS):
        shape = await _played(stage.ours, lead)
        if len(shape.segments) > 1:
            before, after = shape.segments[0], shape.segments[1]
            # the timer that fires is the bare workflow's sleep; those before it that were replaced are left out
            shape.segments = [[op for op in before if op.kind == "call"], after]
            return replace(shape, stays=True)
        lead *= 2
    raise NotQuietError(f"one incident is not started within {lead / 2:.0f} s")


async def _played(side: OurSide, lead: float) -> Shape:
    handle, due = await _start_ours(side, time.time() + lead)
    await asyncio.sleep(max(due - time.time(), 0))
    await _first_after(side, {handle.id: due})
    until = time.time() + _PATIENCE_SECONDS
    while time.time() < until:
        await asyncio.sleep(0.5)  # the rest of what it asks for
        shape = shape_of(await events_of(side, handle.id), told_by=side.tell, at_timers=True)
        if len(shape.segments) > 1 and any(op.kind == "call" for op in shape.segments[-1]):
            await handle.terminate()
            return shape
    raise TimeoutError("the clock has paged nobody: what began after its instant was the ledger's write")


async def _start_ours(side: OurSide, due: float) -> tuple[Handle, float]:
    """Start an incident that pages again at `due`."""
    repage = outage.declaration("none").organisation.severities[Severity.P3].repage
    declared_at = outage.instant(due) - repage
    return await side.start(new_id(side), severity=Severity.P3, declared_at=declared_at), due


async def _start_bare(side: BareSide, due: float, shape: Shape) -> tuple[Handle, float]:
    return await side.start(new_id(side), shape=replace(shape, due=due).padded()), due


async def _late(side: OurSide | BareSide, count: int, shape: Shape) -> list[float]:
    """Seconds that each clock was late; starts anew with more time ahead where the start was not over in time."""
    lead = _LEAST_LEAD_SECONDS + count / _STARTS_A_SECOND
    for _ in range(_ATTEMPTS):
        try:
            return await _once(side, count, shape, lead)
        except NotQuietError:
            lead *= 2
    raise NotQuietError(f"{count} workflows are not started and at rest within {lead / 2:.0f} s")


async def _once(side: OurSide | BareSide, count: int, shape: Shape, lead: float) -> list[float]:
    await side.worker.marks()
    first, free = time.time() + lead, asyncio.Semaphore(_AT_ONCE)

    async def start(number: int) -> tuple[Handle, float]:
        due = first + number / count
        async with free:
            return await (_start_ours(side, due) if isinstance(side, OurSide) else _start_bare(side, due, shape))

    started = await asyncio.gather(*(start(number) for number in range(count)))
    try:
        await asyncio.sleep(max(first - 1 - time.time(), 0))
        await side.worker.marks()
        await asyncio.sleep(max(first - _EARLY_SECONDS - time.time(), 0))
        if await side.worker.marks() or time.time() > first:
            raise NotQuietError
        return await _first_after(side, {handle.id: due for handle, due in started})
    finally:
        await asyncio.gather(*(_end(handle, free) for handle, _ in started))


async def _end(handle: Handle, free: asyncio.Semaphore) -> None:
    async with free:
        await handle.terminate()


async def _first_after(side: OurSide | BareSide, due: dict[str, float]) -> list[float]:
    """Wait until each workflow has begun an activity after its instant; returns by how much each was late."""
    late: dict[str, float] = {}
    until = time.time() + _PATIENCE_SECONDS
    while len(late) < len(due):
        for workflow_id, at in await side.worker.marks():
            if workflow_id in due and at >= due[workflow_id] - _EARLY_SECONDS:
                late.setdefault(workflow_id, max(at - due[workflow_id], _CLOCK_SECONDS))
        if time.time() > until:
            raise TimeoutError(f"{len(due) - len(late)} clocks have not fired after {_PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(0.05)
    return list(late.values())
