"""How much faster a P0's first hour is played by `incident simulate` than it is lived on Temporal, nobody acting.

Temporal's cost is the CPU of our worker alone; the server takes about as much again. The simulation is this process's.
"""

import asyncio
import time
from datetime import timedelta

from benchmarks import outage
from benchmarks.figures import Figure, compared
from benchmarks.sides import OurSide
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
        lived = await _lived(stage.ours, incidents, speed)
        pairs.append((1000 * lived, 1000 * _simulated(played)))
    what = "CPU of a round of pages, Temporal / simulated"
    return [compared("simulated", what, "ms", pairs, _MARK, at_most=False)]


async def _lived(side: OurSide, incidents: int, speed: float) -> float:
    """Worker CPU seconds that a round of pages takes; a busy worker catches up several in one."""
    before, begun = await side.worker.cpu_seconds(), time.monotonic()
    handles = [await side.start(new_id(side), severity=Severity.P0, speed=speed) for _ in range(incidents)]
    await asyncio.sleep(max(begun + _HOUR.total_seconds() / speed - time.monotonic(), 0))
    taken = await side.worker.cpu_seconds() - before
    rounds = 0
    for handle in handles:
        rounds += len({page["at"] for page in (await handle.query("state"))["pages"]})
        await handle.terminate()
    await side.worker.marks()
    return taken / rounds


def _simulated(times: int) -> float:
    declaration = outage.declaration("simulated")
    before = time.process_time()
    for _ in range(times):
        Simulation(declaration, CLASSES, ()).run((), _HOUR)
    return (time.process_time() - before) / times / _ROUNDS
