"""How far the timeline is safe outside Temporal. A ledger that cannot be written never stops the response."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate, islice, takewhile

from pydantic import BaseModel

from domain.model.event_kinds import Happening
from domain.model.records import ClockState
from domain.model.state import IncidentState
from domain.model.timeline import Entry, Timeline
from domain.model.work_events import LedgerTold
from domain.rules import paging
from domain.values import limits

BATCH = 96
"""Entries written at once: DynamoDB takes 100 items in a transaction; beside them it checks the term, lists the
incident, and says that it is declared and that it has ended.
"""

KEPT = 200
"""How many of the latest entries stay in the workflow, at most, when it carries on as a new run."""

_PATIENCE = timedelta(minutes=5)
_FLOOR = timedelta(seconds=5)
"""Real time: writing does not get faster with a sandbox's policy clocks."""


class LedgerProgress(BaseModel):
    """How many entries the ledger has, in which epoch, and under which term this life of the incident writes them.

    `due_at` (UTC) is until when what is new must be, or was to be, written; `clock` says what became of that deadline,
    and `missed` whether one ever was.
    """

    written: int = 0
    epoch: int = 1
    term: int = 1
    due_at: datetime | None = None
    clock: ClockState = "met"
    missed: bool = False

    def next_batch(self, state: IncidentState, timeline: Timeline, now: datetime) -> list[Entry]:
        """The entries to write next, as many as one transaction takes; from now on the deadline runs.

        What came of one cause is written together where it fits: a round of paging whose pages were lost with Temporal
        would be taken for one that has paged.
        """
        if self.clock == "met":
            self.clock = "running"
            self.due_at = now + max(state.scaled(_PATIENCE), _FLOOR)
        entries = timeline.after(self.written, BATCH + 1)
        items = accumulate(1 + ("proof" in entry.cause) for entry in entries)  # its claim is used up beside it
        most = min(max(_fitting(entries), 1), sum(1 for one in items if one <= BATCH))
        whole = (cut for cut in range(most, 0, -1) if cut == len(entries) or "entry" not in entries[cut].cause)
        return entries[: next(whole, most)]

    def is_behind(self, state: IncidentState, timeline: Timeline) -> bool:
        """Whether there are entries that the ledger does not have; a dry run writes none."""
        return state.live and self.written < timeline.length

    def overdue(self, state: IncidentState, now: datetime) -> Iterator[Happening]:
        """Page whoever is on call first, once, when the record could not be written for minutes."""
        if self.due_at is None or self.clock != "running" or self.due_at > now:
            return
        self.clock, self.missed = "breached", True
        yield Happening(LedgerTold(state="failing"), cause=paging.deadline("ledger overdue", self.due_at))
        yield from paging.page_roles(state, state.declaration.runbook.on_call[:1], "the ledger cannot be written")

    def wrote(self, upto: int, epoch: int) -> Iterator[Happening]:
        """Take note of what is safe. A new epoch says that another history of this incident had been written before."""
        self.written = max(self.written, upto)
        if epoch != self.epoch:
            self.epoch = epoch
            yield Happening(LedgerTold(state="forked", epoch=epoch))
        if self.clock == "breached":
            yield Happening(LedgerTold(state="written-again"))
        self.clock = "met"

    def can_carry(self, timeline: Timeline) -> bool:
        """Whether what is not safe outside yet is little enough to be handed to a new run."""
        return _fitting(timeline.after(self.written, timeline.length)) == timeline.length - self.written

    def shorten(self, timeline: Timeline) -> None:
        """Leave out of a carried timeline what is safe outside, but for the latest entries."""
        latest = islice(reversed(timeline.entries), KEPT)
        timeline.drop(self.written, _fitting(latest))


def _fitting(entries: Iterable[Entry]) -> int:
    """How many of the first entries are `limits.BATCH` bytes at most together."""
    totals = accumulate(len(entry.model_dump_json().encode()) for entry in entries)
    return sum(1 for _ in takewhile(lambda total: total <= limits.BATCH, totals))
