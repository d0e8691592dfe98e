"""From the approval's signal to the beginning of the first AWS call of the change, idle and under load."""

import asyncio
import time

from benchmarks import play
from benchmarks.figures import Figure, compared, percentile
from benchmarks.play import Played
from benchmarks.sides import Side
from benchmarks.stage import Size, Stage, new_id

_MARK = 1.3
IDLE, _LOADED, _CEILING, _AT_ONCE = 30, 100, 40, 20


async def run(stage: Stage, size: Size) -> list[Figure]:
    """Tell the ratio of the medians and of the 99th percentiles; the load is half of what bare can do at most."""
    alone, loaded, probe = (1, 1, 1) if size.quick else (IDLE, _LOADED, _CEILING)
    rate = await _ceiling(stage.bare, probe) / 2
    taken: dict[tuple[str, str], list[list[float]]] = {}
    for _ in range(size.pairs):
        for side in reversed(stage.sides):
            taken.setdefault(("idle", side.name), []).append(await idle(side, alone))
            taken.setdefault(("half load", side.name), []).append(await _loaded(side, loaded, rate))
    figures = []
    for load in ("idle", "half load"):
        for percent in (50, 99):
            pairs = [
                (percentile(ours, percent) * 1000, percentile(bare, percent) * 1000)
                for ours, bare in zip(taken[load, "ours"], taken[load, "bare"], strict=True)
            ]
            what = f"approval to first call, {load}, p{percent}"
            figures.append(compared("latency", what, "ms", pairs, _MARK, at_most=True))
    return figures


async def _ceiling(side: Side, incidents: int) -> float:
    """Incidents a second that a side does at most."""
    started = time.perf_counter()
    await play.many(side, [new_id(side) for _ in range(incidents)], _AT_ONCE)
    return incidents / (time.perf_counter() - started)


async def idle(side: Side, incidents: int) -> list[float]:
    """Seconds of each approval, one incident after the other."""
    await side.worker.marks()
    return await _seconds(side, [await play.play(side, new_id(side)) for _ in range(incidents)])


async def _loaded(side: Side, incidents: int, rate: float) -> list[float]:
    """Seconds of each approval while `rate` incidents a second begin, whether earlier ones have ended or not."""
    await side.worker.marks()
    playing = []
    for _ in range(incidents):
        playing.append(asyncio.create_task(play.play(side, new_id(side))))
        await asyncio.sleep(1 / rate)
    return await _seconds(side, await asyncio.gather(*playing))


async def _seconds(side: Side, played: list[Played]) -> list[float]:
    """How long after its approval each change's next activity began."""
    begun: dict[str, list[float]] = {}
    for workflow_id, at in await side.worker.marks():
        begun.setdefault(workflow_id, []).append(at)
    return [
        min(at for at in begun[side.change_id(one.workflow_id)] if at >= one.approved_at) - one.approved_at
        for one in played
    ]
