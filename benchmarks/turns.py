"""One checkout's side of `--against`: its own server and workers, and turns that are taken when asked for.

Run by the interpreter of either checkout, with its folder as the current one. What an older checkout does not have yet
(this module, the storm) is taken from here, and then works on that checkout's own sides.
"""

# ruff: noqa: SLF001 - an older checkout has the turns only under private names

import asyncio
import json
import os
import statistics
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import benchmarks

benchmarks.__path__.append(str(Path(__file__).parent))  # behind the checkout's own modules

from benchmarks import latency, play, stage, storm, throughput  # noqa: E402 - found by the line above

Turn = dict[str, float]
_COUNTED = 5
_IDLE = 30


async def _throughput(on: stage.Stage) -> Turn:
    rate, cpu = await throughput.burst(on.ours, throughput.INCIDENTS)
    return {"incidents a second, 1/s": rate, "worker CPU an incident, s": cpu}


async def _latency(on: stage.Stage) -> Turn:
    seconds = await latency.idle(on.ours, _IDLE)
    return {"approval to first call, idle, p50, s": statistics.median(seconds)}


async def _storm(on: stage.Stage) -> Turn:
    waited = sorted(await storm._storm(on.ours, storm._MINOR, storm._URGENT, storm._SECONDS))
    return {"first page of 20 P0 amid 300 P3, p99, s": waited[-1], "the same, p50, s": statistics.median(waited)}


async def _counted(on: stage.Stage) -> Turn:
    """Medians of a few outages, one at a time: one alone may vary by a dozen events."""
    taken = []
    for _ in range(_COUNTED):
        incident = stage.new_id(on.ours)
        await play.play(on.ours, incident)
        change = on.ours.change_id(incident)
        taken.append(asdict(stage._counted(*[await stage.events_of(on.ours, one) for one in (incident, change)])))
    return {f"{name} an outage": statistics.median(one[name] for one in taken) for name in taken[0]}


TURNS: dict[str, Callable[[stage.Stage], Awaitable[Turn]]] = {
    "throughput": _throughput,
    "latency": _latency,
    "storm": _storm,
    "counted": _counted,
}


async def serve() -> None:
    """Take a turn for each name read from stdin and answer with one JSON line; at the end of stdin stop."""
    async with stage.stage() as on:
        print("ready", flush=True)
        while name := (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(json.dumps(await TURNS[name](on)), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
    os._exit(0)
