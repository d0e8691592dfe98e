"""The process set that everything is measured in: one server, our worker, the bare worker, and the people here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple
from uuid import uuid4

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks import play
from benchmarks.bare import shape_of
from benchmarks.server import server
from benchmarks.sides import BareSide, OurSide, Side
from benchmarks.working import WorkerProcess


class Size(NamedTuple):
    """How much is run: pairs of turns, and whether only to see that it works."""

    pairs: int = 5
    quick: bool = False


@dataclass(frozen=True)
class Counted:
    """What one incident costs the server; wake-ups are workflow tasks. The change's workflow is counted in."""

    events: int
    wake_ups: int
    history_bytes: int


@dataclass(frozen=True)
class Stage:
    address: str
    ours: OurSide
    bare: BareSide
    counted: dict[str, Counted]

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both sides: ours first."""
        return self.ours, self.bare


_numbers = count(1)
_RUN = uuid4().hex[:8]


def new_id(side: Side) -> str:
    """An id that no workflow on this server has had."""
    return f"{side.name}-{_RUN}-{next(_numbers)}"


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Bring everything up, play one incident, and give the bare workflow that incident's shape."""
    async with server() as address:
        processes = [WorkerProcess(address, ours=True), WorkerProcess(address, ours=False)]
        try:
            for process in processes:
                await process.ready()
            ours = OurSide(await Client.connect(address, data_converter=pydantic_data_converter), processes[0])
            incident = new_id(ours)
            await play.play(ours, incident)
            parent = await events_of(ours, incident)
            child = await events_of(ours, ours.change_id(incident))
            shape = shape_of(parent, told_by=ours.tell)
            shape.child = shape_of(child, told_by=ours.tell, ordered=True)
            bare = BareSide(await Client.connect(address), processes[1], shape.padded())
            played = new_id(bare)
            await play.play(bare, played)
            bare_events = await events_of(bare, played), await events_of(bare, bare.change_id(played))
            counted = {ours.name: _counted(parent, child), bare.name: _counted(*bare_events)}
            yield Stage(address, ours, bare, counted)
        finally:
            for process in processes:
                process.stop()


async def events_of(side: Side, workflow_id: str) -> list[HistoryEvent]:
    return list((await side.client.get_workflow_handle(workflow_id).fetch_history()).events)


def _counted(*histories: list[HistoryEvent]) -> Counted:
    events = [event for history in histories for event in history]
    return Counted(
        events=len(events),
        wake_ups=sum(event.HasField("workflow_task_completed_event_attributes") for event in events),
        history_bytes=sum(event.ByteSize() for event in events),
    )
