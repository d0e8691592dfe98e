"""What the command costs before it does anything: its help, and declaring an incident."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from uuid import uuid4

from benchmarks.bare import PREFIX
from benchmarks.figures import Figure, compared
from benchmarks.outage import ENVIRONMENT, LEAD
from benchmarks.sides import Side
from benchmarks.stage import Size, Stage
from domain.values.ids import task_queue

_ENTRY = "from starters.cli.main import main; main()"
_SMALLEST = """
import asyncio, json, os, sys
from temporalio.client import Client

async def main():
    client = await Client.connect(sys.argv[1])
    shape = {"segments": [[], []]}
    handle = await client.start_workflow("Bare", shape, id=sys.argv[2], task_queue=sys.argv[3])
    print(json.dumps({"incident_id": handle.id}))

asyncio.run(main())
sys.stdout.flush()
os._exit(0)  # the interpreter's own exit crashes now and then after the SDK was used (sdk-python 300)
"""
_START = [
    *("-c", _ENTRY, "start", "system-outage", "--severity", "P0", "--title", "Portal down", "--json"),
    *("--environment", "sandbox", "--as", LEAD),
]
_INHERITED_NOT = ("TEMPORAL_", "INCIDENT_", "OTEL_")
_SETTLE_SECONDS = 0.3
_HELPS = 5


async def run(stage: Stage, size: Size) -> list[Figure]:
    """Run each command and its base in turns, each in a new process; each first run warms the disk and is not told.

    `incident start` is run twice: with what an earlier one has kept of the checked files, and without.
    """
    helps: list[tuple[float, float]] = []
    starts: list[tuple[float, float]] = []
    firsts: list[tuple[float, float]] = []
    warm = 0 if size.quick else 1
    with tempfile.TemporaryDirectory(prefix="incident-bench-") as caches:
        for turn in range(size.pairs + warm):
            helps.append(_help(stage, 1 if size.quick else _HELPS))
            bare = await _start(stage, stage.bare, "-c", _SMALLEST, stage.server.address, f"bare-{uuid4()}", _queue())
            starts.append((await _start(stage, stage.ours, *_START, cache=f"{caches}/kept"), bare))
            firsts.append((await _start(stage, stage.ours, *_START, cache=f"{caches}/{turn}"), bare))
    return [
        compared("command", "incident --help / bare interpreter", "ms", helps[warm:], 8, at_most=True),
        compared("command", "incident start / smallest start script", "ms", starts[warm:], 1.25, at_most=True),
        compared("command", "the first after a change of files / smallest", "ms", firsts[warm:], None, at_most=True),
    ]


def _help(stage: Stage, times: int) -> tuple[float, float]:
    """Medians of so many turns; one process is over too soon to be measured alone."""
    turns = [(_timed(stage, "-c", _ENTRY, "--help")[0], _timed(stage, "-c", "pass")[0]) for _ in range(times)]
    return statistics.median(ours for ours, _ in turns), statistics.median(bare for _, bare in turns)


def _queue() -> str:
    return PREFIX + task_queue(ENVIRONMENT)


def _timed(stage: Stage, *arguments: str, cache: str = "") -> tuple[float, str]:
    """Milliseconds from the process's start to its end, and what it said. Raises when it fails."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_INHERITED_NOT)}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**plain, "TEMPORAL_ADDRESS": stage.server.address, "XDG_CACHE_HOME": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    return (time.perf_counter() - started) * 1000, done.stdout


async def _start(stage: Stage, side: Side, *arguments: str, cache: str = "") -> float:
    """Start a workflow by a command, then end it, so that the next one finds the workers idle."""
    taken, said = await asyncio.to_thread(_timed, stage, *arguments, cache=cache)
    await side.client.get_workflow_handle(json.loads(said)["incident_id"]).terminate()
    await asyncio.sleep(_SETTLE_SECONDS)
    await side.worker.marks()
    return taken
