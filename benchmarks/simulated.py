"""How much faster a P0's first hour is played by `incident simulate` than it is lived on Temporal, nobody acting.

Temporal's cost is the CPU of our worker and of the server. The simulation's is that of this process.
"""

import asyncio
import time
from datetime import timedelta

from benchmarks import outage
from benchmarks.figures import Figure, compared
from benchmarks.stage import Size, Stage, new_id
from domain.simulation.play import Simulation
from domain.values.severity import Severity
from starters.files.simulated import CLASSES

_MARK = 100
_HOUR = timedelta(hours=1)
_INCIDENTS, _SPEED, _PLAYED = 10, 300, 50
_ROUNDS = 13
"""Of pages within the hour: one each five minutes."""


async def run(stage: Stage, size: Size) -> list[Figure]:
    """Tell the ratio of the CPU that a round of pages takes, of the thirteen that a P0's hour has."""
    incidents, speed, played = (1, 1800, 5) if size.quick else (_INCIDENTS, _SPEED, _PLAYED)
    pairs = []
    for _ in range(size.pairs):
        lived = await _lived(stage, incidents, speed)
        pairs.append((1000 * lived, 1000 * _simulated(played)))
    what = "CPU of a round of pages, Temporal / simulated"
    return [compared("simulated", what, "ms", pairs, _MARK, at_most=False)]


async def _lived(stage: Stage, incidents: int, speed: float) -> float:
    """CPU seconds of worker and server that a round of pages takes; a busy worker catches up several in one."""
    side = stage.ours
    before, begun = await _cpu_seconds(stage), time.monotonic()
    handles = [await side.start(new_id(side), severity=Severity.P0, speed=speed) for _ in range(incidents)]
    await asyncio.sleep(max(begun + _HOUR.total_seconds() / speed - time.monotonic(), 0))
    taken = await _cpu_seconds(stage) - before
    rounds = 0
    for handle in handles:
        rounds += len({page["at"] for page in (await handle.query("state"))["pages"]})
        await handle.terminate()
    await side.worker.marks()
    return taken / rounds


async def _cpu_seconds(stage: Stage) -> float:
    return await stage.ours.worker.cpu_seconds() + await asyncio.to_thread(stage.server.cpu_seconds)


def _simulated(times: int) -> float:
    declaration = outage.declaration("simulated")
    before = time.process_time()
    for _ in range(times):
        Simulation(declaration, CLASSES, ()).run((), _HOUR)
    return (time.process_time() - before) / times / _ROUNDS
