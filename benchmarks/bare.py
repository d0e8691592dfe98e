"""The baseline: a workflow of a measured incident's shape that decides nothing, and activities that return at once.

`shape_of` reads a played incident's history and writes down what it asked for between two human inputs (or two
due instants): activities, timers, children, signals, each with its size in bytes. `Bare` asks for the same.
"""

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

PREFIX = "bare-"
TELL = "tell"
_LONG = timedelta(days=1)
_TIMEOUT = timedelta(minutes=1)


@dataclass
class Op:
    """One thing that a workflow asks for: `call`, `tell`, `timer` or `child`; sizes in bytes of JSON."""

    kind: str
    queue: str = ""
    sends: int = 0
    answers: int = 2


@dataclass
class Shape:
    """What is asked for in each segment. The first segment opens at once, each other at a signal or when due.

    `ordered` says that calls run one after the other; otherwise those of a segment run at once. `size` and
    `result` are the bytes of the workflow's input and result. `due` is a Unix time in seconds; 0 waits for signals.
    One that `stays` is open until it is terminated.
    """

    segments: list[list[Op]]
    ordered: bool = False
    size: int = 0
    result: int = 2
    due: float = 0
    stays: bool = False
    child: "Shape | None" = None
    pad: str = ""

    def padded(self) -> "Shape":
        """This shape, filled up so that it is as large a payload as the input it stands for."""
        child = self.child.padded() if self.child else None
        plain = replace(self, child=child, pad="")
        return replace(plain, pad="x" * max(self.size - len(json.dumps(asdict(plain))), 0))


class Marks:
    """When which workflow's activities began, in Unix seconds; a benchmark takes them out of the worker."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []

    def add(self) -> None:
        self.seen.append((activity.info().workflow_id or "", time.time()))

    def take(self) -> list[tuple[str, float]]:
        taken, self.seen = self.seen, []
        return taken


class Idle:
    """The one activity of the baseline."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    @activity.defn(name="bare")
    def bare(self, _pad: str, answers: int) -> str:
        """Answer that many bytes at once."""
        self._marks.add()
        return "x" * (answers - 2)


@dataclass
class _Open:
    working: list["asyncio.Task[None]"] = field(default_factory=list)
    timers: list["asyncio.Task[None]"] = field(default_factory=list)


@workflow.defn(name="Bare")
class Bare:
    """Asks for what its shape says and ends."""

    @workflow.init
    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._heard = 0
        self._open = _Open()

    @workflow.run
    async def run(self, shape: Shape) -> str:
        """Go through the segments; returns a text of the size that was asked for."""
        for number, ops in enumerate(shape.segments):
            if number:
                await self._opens(number)
            for op in ops:
                await self._begin(op)
        await asyncio.gather(*self._open.working)
        await workflow.wait_condition(lambda: not shape.stays)
        for timer in self._open.timers:  # not earlier: one that is cancelled in the wake-up that made it costs nothing
            timer.cancel()
        return "x" * (shape.result - 2)

    async def _opens(self, number: int) -> None:
        if self._shape.due:
            # as ours does: a timer armed in a long first wake-up would be late by that wake-up's length
            await asyncio.gather(*self._open.working)
            await workflow.sleep(max(self._shape.due - workflow.time(), 0))
        else:
            await workflow.wait_condition(lambda: self._heard >= number)

    async def _begin(self, op: Op) -> None:
        if op.kind == "timer":
            self._open.timers.append(asyncio.create_task(workflow.sleep(_LONG)))
            return
        task = asyncio.create_task({"call": self._call, "tell": self._tell, "child": self._child}[op.kind](op))
        self._open.working.append(task)
        if self._shape.ordered and op.kind == "call":
            await task

    async def _call(self, op: Op) -> None:
        await workflow.execute_activity(
            "bare",
            args=["x" * max(op.sends - 2, 0), op.answers],
            task_queue=op.queue,
            start_to_close_timeout=_TIMEOUT,
            result_type=str,
        )

    async def _tell(self, op: Op) -> None:
        parent = workflow.info().parent
        if parent is not None:
            handle = workflow.get_external_workflow_handle(parent.workflow_id)
            await handle.signal(TELL, "x" * max(op.sends - 2, 0))

    async def _child(self, _op: Op) -> None:
        if self._shape.child is not None:
            await workflow.execute_child_workflow(
                "Bare", self._shape.child, id=child_id(workflow.info().workflow_id), result_type=str
            )

    @workflow.signal
    def go(self, _pad: str) -> None:
        """Open the next segment."""
        self._heard += 1

    @workflow.signal(name=TELL)
    def told(self, _pad: str) -> None:
        """Hear from the child."""


def child_id(parent: str) -> str:
    return f"{parent}/child/1"


def _bytes(payloads: Payloads) -> int:
    return sum(len(payload.data) for payload in payloads.payloads)


def _signal(event: HistoryEvent) -> str:
    return event.workflow_execution_signaled_event_attributes.signal_name


def shape_of(events: Iterable[HistoryEvent], *, told_by: str, ordered: bool = False, at_timers: bool = False) -> Shape:
    """Read a history. Segments are cut at people's signals (all but `told_by`), or at the timers that fired."""
    shape = Shape(segments=[[]], ordered=ordered)
    asked: dict[int, Op] = {}
    for event in events:
        ops = shape.segments[-1]
        kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        if kind == "WORKFLOW_EXECUTION_STARTED":
            shape.size = _bytes(event.workflow_execution_started_event_attributes.input)
        elif kind == "WORKFLOW_EXECUTION_COMPLETED":
            shape.result = max(_bytes(event.workflow_execution_completed_event_attributes.result), 2)
        elif kind == "ACTIVITY_TASK_SCHEDULED":
            called = event.activity_task_scheduled_event_attributes
            asked[event.event_id] = Op("call", PREFIX + called.task_queue.name, _bytes(called.input))
            ops.append(asked[event.event_id])
        elif kind == "ACTIVITY_TASK_COMPLETED":
            done = event.activity_task_completed_event_attributes
            asked[done.scheduled_event_id].answers = max(_bytes(done.result), 2)
        elif kind == "TIMER_STARTED":
            ops.append(Op("timer"))
        elif kind == "START_CHILD_WORKFLOW_EXECUTION_INITIATED":
            ops.append(Op("child"))
        elif kind == "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED":
            told = event.signal_external_workflow_execution_initiated_event_attributes
            ops.append(Op("tell", sends=_bytes(told.input)))
        elif kind == ("TIMER_FIRED" if at_timers else "WORKFLOW_EXECUTION_SIGNALED") and _signal(event) != told_by:
            shape.segments.append([])
    return shape
