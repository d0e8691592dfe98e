"""What an incident costs as it grows long: a note, `incident show`, carrying on as a new run, replay.

Notes are spoken as `incident note` speaks them, ten at once. The base is the same incident while it was short.
"""

import asyncio
import time
from typing import NamedTuple
from uuid import uuid4

from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from benchmarks.figures import Figure, compared
from benchmarks.outage import LEAD
from benchmarks.sides import Handle, OurSide
from benchmarks.stage import Size, Stage, new_id
from domain.values.severity import Severity
from worker.runner import runner
from workflows.catalogue import WORKFLOWS

_FLAT = 1.5
_MOST_EVENTS = 10_000
_AT_ONCE = 10
_SHOWS = 20
_REST_SECONDS = 0.2
_REPLAYS = 5


class Cost(NamedTuple):
    """CPU at one length, in milliseconds: the worker's for a note and for a `show`, ours here for a replayed event."""

    note: float
    show: float
    replay: float


class Grown(NamedTuple):
    """One incident grown to the longest length. `carried` are the bytes that each new run began with."""

    costs: dict[int, Cost]
    carried: list[int]
    longest_history: int


async def run(stage: Stage, size: Size) -> list[Figure]:
    """Grow an incident in each turn; tells how much dearer it is when long, and its longest history."""
    lengths, window = ((10, 30), 10) if size.quick else ((50, 500, 5000), 50)
    limit = {"history_limit": 80} if size.quick else {}
    grown = [await _grow(stage.ours, lengths, window, limit) for _ in range(size.pairs)]
    short = lengths[0]
    figures = []
    for name in Cost._fields:
        what = {"note": "CPU a note", "show": "CPU a show", "replay": "CPU a replayed event"}[name]
        for length in lengths[1:]:
            pairs = [(getattr(one.costs[length], name), getattr(one.costs[short], name)) for one in grown]
            figures.append(compared("length", f"{what}, {length} / {short} entries", "ms", pairs, _FLAT, at_most=True))
    carried = [(float(one.carried[-1]), float(one.carried[0])) for one in grown if len(one.carried) > 1]
    if carried:
        figures.append(compared("length", "carried on, last / first time", "bytes", carried, _FLAT, at_most=True))
    most = [(float(one.longest_history), float(_MOST_EVENTS)) for one in grown]
    return [*figures, compared("length", "longest history / 10,000", "events", most, 1, at_most=True)]


async def _grow(side: OurSide, lengths: tuple[int, ...], window: int, limit: dict[str, int]) -> Grown:
    handle = await side.start(new_id(side), severity=Severity.P3, **limit)
    await _rest(handle)
    costs: dict[int, Cost] = {}
    written = 0
    for length in lengths:
        await _write(handle, length - window - written)
        await _rest(handle)
        before = await side.worker.cpu_seconds()
        await _write(handle, window)
        await _rest(handle)
        note = (await side.worker.cpu_seconds() - before) / window
        written = length
        costs[length] = Cost(note * 1000, await _show(side, handle) * 1000, await _replay(side, handle) * 1000)
    carried, longest = await _runs(side, handle)
    await handle.terminate()
    await side.worker.marks()
    return Grown(costs, carried, longest)


async def _write(handle: Handle, notes: int) -> None:
    for first in range(0, notes, _AT_ONCE):
        await asyncio.gather(*(_note(handle, number) for number in range(first, min(first + _AT_ONCE, notes))))


async def _note(handle: Handle, number: int) -> None:
    """Write one note; a workflow that is just carrying on as a new run turns it away, and is told again."""
    payload, update = {"by": LEAD, "text": f"Note {number}: still looking at the backend"}, str(uuid4())
    while True:
        try:
            await handle.execute_update("note", payload, id=update)
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
            await asyncio.sleep(0.02)
        else:
            return


async def _rest(handle: Handle) -> None:
    """Wait until nothing runs outside any more, so that the CPU taken is that of what was asked."""
    quiet = 0
    while quiet < 2:
        described = await handle.describe()
        quiet = 0 if described.raw_description.pending_activities else quiet + 1
        await asyncio.sleep(_REST_SECONDS)


async def _show(side: OurSide, handle: Handle) -> float:
    before = await side.worker.cpu_seconds()
    for _ in range(_SHOWS):
        await handle.query("state")
    return (await side.worker.cpu_seconds() - before) / _SHOWS


async def _replay(side: OurSide, handle: Handle) -> float:
    """CPU seconds an event, to bring a run back into memory: what its first task takes is the same for any length."""
    newest = await handle.fetch_history()
    before = newest.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    runs = [newest]
    if before:
        runs.append(await side.client.get_workflow_handle(handle.id, run_id=before).fetch_history())
    whole = max(runs, key=lambda run: len(run.events))
    first = next(
        n for n, event in enumerate(whole.events, 1) if event.HasField("workflow_task_started_event_attributes")
    )
    begun = WorkflowHistory(whole.workflow_id, whole.events[:first])
    await _replayed(begun)  # the first replay of a process loads what every later one has
    both = [(await _replayed(begun), await _replayed(whole)) for _ in range(_REPLAYS)]  # in turns: noise comes in waves
    fixed, full = min(short for short, _ in both), min(long for _, long in both)
    return (full - fixed) / (len(whole.events) - first)


async def _replayed(history: WorkflowHistory) -> float:
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=runner(), data_converter=pydantic_data_converter)
    started = time.process_time()
    await replayer.replay_workflow(history)
    return time.process_time() - started


async def _runs(side: OurSide, handle: Handle) -> tuple[list[int], int]:
    """The bytes that each continued run began with, oldest first, and the longest run's number of events."""
    carried: list[int] = []
    longest, run_id = 0, (await handle.describe()).run_id
    while run_id:
        history: WorkflowHistory = await side.client.get_workflow_handle(handle.id, run_id=run_id).fetch_history()
        longest = max(longest, len(history.events))
        begun = history.events[0].workflow_execution_started_event_attributes
        run_id = begun.continued_execution_run_id
        if run_id:
            carried.insert(0, begun.input.ByteSize())
    return carried, longest
