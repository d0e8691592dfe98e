"""The process set that everything is measured in: one server, our worker, the bare worker, and the people here."""

import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from itertools import count
from typing import NamedTuple
from uuid import uuid4

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks import play
from benchmarks.frozen import outage_shape
from benchmarks.server import Server, server
from benchmarks.sides import BareSide, OurSide, Side
from benchmarks.working import WorkerProcess


class Size(NamedTuple):
    """How much is run: pairs of turns, and whether only to see that it works."""

    pairs: int = 5
    quick: bool = False


@dataclass(frozen=True)
class Counted:
    """What one outage costs the server; wake-ups are workflow tasks. The change's workflow is counted in."""

    events: float
    wake_ups: float
    history_bytes: float


@dataclass(frozen=True)
class Stage:
    server: Server
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
async def stage(outages: int = 5) -> AsyncIterator[Stage]:
    """Bring everything up, with the bare workflow in its frozen shape, and play some outages on each side."""
    async with server() as serving:
        address = serving.address
        processes = [WorkerProcess(address, ours=True), WorkerProcess(address, ours=False)]
        try:
            for process in processes:
                await process.ready()
            ours = OurSide(await Client.connect(address, data_converter=pydantic_data_converter), processes[0])
            bare = BareSide(await Client.connect(address), processes[1], outage_shape().padded())
            counted = {side.name: await _played(side, outages) for side in (ours, bare)}
            yield Stage(serving, ours, bare, counted)
        finally:
            for process in processes:
                process.stop()


async def events_of(side: Side, workflow_id: str) -> list[HistoryEvent]:
    return list((await side.client.get_workflow_handle(workflow_id).fetch_history()).events)


async def _played(side: Side, outages: int) -> Counted:
    """Medians of a few outages, one at a time: a single one may have a dozen events more or less."""
    taken = []
    for _ in range(outages):
        incident = new_id(side)
        await play.play(side, incident)
        taken.append(_counted(*[await events_of(side, one) for one in (incident, side.change_id(incident))]))
    return Counted(*(statistics.median(figures) for figures in zip(*map(astuple, taken), strict=True)))


def _counted(*histories: list[HistoryEvent]) -> Counted:
    events = [event for history in histories for event in history]
    return Counted(
        events=len(events),
        wake_ups=sum(event.HasField("workflow_task_completed_event_attributes") for event in events),
        history_bytes=sum(event.ByteSize() for event in events),
    )
