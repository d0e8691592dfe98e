"""How far the timeline is safe outside Temporal. A ledger that cannot be written never stops the response."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate, islice, takewhile

from domain.model.state import LEDGER_CLOCK, Clock
from domain.model.timeline import Entry
from domain.rules.incident import Incident
from domain.values import limits

BATCH = 100
KEPT = 200
"""How many of the latest entries stay in the workflow, at most, when it carries on as a new run."""

_PATIENCE = timedelta(minutes=5)
_FLOOR = timedelta(seconds=5)
"""Real time: writing does not get faster with a sandbox's policy clocks."""


def is_behind(incident: Incident) -> bool:
    """Whether there are entries that the ledger does not have; a dry run writes none."""
    return incident.live and incident.state.ledger.written < incident.state.timeline.length


def next_batch(incident: Incident, now: datetime) -> list[Entry]:
    """The entries to write next, as many as one transaction takes; from now on the ledger's clock runs."""
    clock = incident.state.clocks.get(LEDGER_CLOCK)
    if clock is None or clock.state == "met":
        incident.state.clocks[LEDGER_CLOCK] = Clock(due_at=now + max(incident.scaled(_PATIENCE), _FLOOR))
    entries = incident.state.timeline.after(incident.state.ledger.written, BATCH)
    return entries[: max(_fitting(entries), 1)]


def _fitting(entries: Iterable[Entry]) -> int:
    """How many of the first entries are `sizes.BATCH` bytes at most together."""
    totals = accumulate(len(entry.model_dump_json().encode()) for entry in entries)
    return sum(1 for _ in takewhile(lambda total: total <= limits.BATCH, totals))


def written(incident: Incident, upto: int, epoch: int, now: datetime) -> None:
    """Take note of what is safe. A new epoch says that another history of this incident had been written before."""
    ledger = incident.state.ledger
    ledger.written = max(ledger.written, upto)
    if epoch != ledger.epoch:
        ledger.epoch = epoch
        text = f"The ledger held another history of this incident: epoch {epoch} begins"
        incident.record(now, "orchestrator", "ledger", text, {"epoch": epoch})
    clock = incident.state.clocks[LEDGER_CLOCK]
    if clock.state == "breached":
        incident.record(now, "orchestrator", "ledger", "The ledger is written again; nothing is missing in it")
    incident.state.clocks[LEDGER_CLOCK] = Clock(due_at=clock.due_at, state="met")


def forget(incident: Incident) -> None:
    """Leave out of the carried state every entry; for one whose entries are all written one by one."""
    incident.state.timeline.drop(incident.state.timeline.length, 0)


def shorten(incident: Incident) -> None:
    """Leave out of the carried state what is safe outside, but for the latest entries."""
    latest = islice(reversed(incident.state.timeline.entries), KEPT)
    incident.state.timeline.drop(incident.state.ledger.written, _fitting(latest))
