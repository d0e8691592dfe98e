"""How many outages a second go from start to closed, and what worker CPU each takes."""

import asyncio
import time

from benchmarks import play
from benchmarks.figures import Figure, compared
from benchmarks.sides import Side
from benchmarks.stage import Size, Stage, new_id

INCIDENTS, _AT_ONCE = 100, 20


async def run(stage: Stage, size: Size) -> list[Figure]:
    """Play a burst on each side in turns; tells the ratios of incidents a second and of CPU an incident."""
    incidents = 2 if size.quick else INCIDENTS
    taken: dict[str, list[tuple[float, float]]] = {side.name: [] for side in stage.sides}
    for _ in range(size.pairs):
        for side in reversed(stage.sides):
            taken[side.name].append(await burst(side, incidents))
    pairs = list(zip(taken["ours"], taken["bare"], strict=True))
    rates = [(ours[0], bare[0]) for ours, bare in pairs]
    cpu = [(ours[1] * 1000, bare[1] * 1000) for ours, bare in pairs]
    counted = stage.counted["ours"], stage.counted["bare"]
    told = [("events an incident", "events"), ("wake-ups an incident", "wake_ups"), ("history bytes", "history_bytes")]
    return [
        compared("throughput", "incidents a second", "1/s", rates, 0.85, at_most=False),
        compared("throughput", "worker CPU an incident", "ms", cpu, 1.25, at_most=True),
        *(
            compared(
                "throughput", what, "", [(getattr(counted[0], name), getattr(counted[1], name))], None, at_most=True
            )
            for what, name in told
        ),
    ]


async def burst(side: Side, incidents: int) -> tuple[float, float]:
    """Incidents a second, and worker CPU seconds an incident."""
    before, started = await side.worker.cpu_seconds(), time.perf_counter()
    await play.many(side, [new_id(side) for _ in range(incidents)], _AT_ONCE)
    seconds = time.perf_counter() - started
    await side.worker.marks()
    await asyncio.sleep(0.2)  # what the worker does after the end is its cost too
    return incidents / seconds, (await side.worker.cpu_seconds() - before) / incidents
