"""What many incidents came to: how many there were, how long they took, and whether the service levels were met.

Only live incidents count. False alarms and drills are counted apart, in no mean; dry runs are left out.
"""

from collections.abc import Iterable
from statistics import fmean, median
from typing import Literal

from pydantic import BaseModel

from domain.model.state import IncidentState
from domain.values.status import Status

RESPONSE_CLOCK = "ack"
ESCALATION_CLOCK = "progress"

Outcome = Literal["met", "breached", "running"]


class Spread(BaseModel):
    """How `n` durations lie, in seconds; nothing but `n` where there is none. With few of them trust the median."""

    n: int = 0
    mean_seconds: float | None = None
    median_seconds: float | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None

    @classmethod
    def of(cls, seconds: list[float]) -> "Spread":
        if not seconds:
            return cls()
        return cls(
            n=len(seconds),
            mean_seconds=fmean(seconds),
            median_seconds=median(seconds),
            min_seconds=min(seconds),
            max_seconds=max(seconds),
        )


class Kept(BaseModel):
    """In how many incidents a clock was met, missed, or still runs; one that was called off counts nowhere."""

    met: int = 0
    breached: int = 0
    running: int = 0

    @property
    def ended(self) -> int:
        return self.met + self.breached


class Group(BaseModel):
    """Incidents that have something in common. `incidents` and all below it leave drills and false alarms out.

    Times count from the declaration: to the first acknowledgement, and to the resolution that stands.
    """

    name: str
    incidents: int = 0
    open: int = 0
    time_to_acknowledge: Spread = Spread()
    time_to_resolve: Spread = Spread()
    response: Kept = Kept()
    escalation: Kept = Kept()
    false_alarms: int = 0
    drills: int = 0


class Stats(BaseModel):
    """The whole, by severity (as it stands, P0 first) and by type (most incidents first)."""

    total: Group
    by_severity: list[Group]
    by_type: list[Group]
    dry_runs: int = 0


class _Gathered:
    """One group while it is counted: of each incident nothing is kept but two numbers."""

    def __init__(self, name: str) -> None:
        self._group = Group(name=name, response=Kept(), escalation=Kept())
        self._acknowledged: list[float] = []
        self._resolved: list[float] = []

    def take(self, state: IncidentState) -> None:
        group = self._group
        if state.declaration.mode == "drill":
            group.drills += 1
            return
        if state.status is Status.FALSE_ALARM:
            group.false_alarms += 1
            return
        group.incidents += 1
        group.open += not state.ended
        if state.first_acknowledged_at is not None:
            self._acknowledged.append((state.first_acknowledged_at - state.declared_at).total_seconds())
        if state.resolved_at is not None:
            self._resolved.append((state.resolved_at - state.declared_at).total_seconds())
        _count(group.response, outcome(state, RESPONSE_CLOCK))
        _count(group.escalation, outcome(state, ESCALATION_CLOCK))

    def told(self) -> Group:
        times = {
            "time_to_acknowledge": Spread.of(self._acknowledged),
            "time_to_resolve": Spread.of(self._resolved),
        }
        return self._group.model_copy(update=times)


def outcome(state: IncidentState, clock: str) -> Outcome | None:
    """How an incident kept a clock in all its runs: missed once is missed; None where every run was called off."""
    states = {run.state for run in state.clocks if run.name == clock}
    found: Iterable[Outcome] = ("breached", "running", "met")
    return next((state for state in found if state in states), None)


def _count(kept: Kept, how: Outcome | None) -> None:
    if how is not None:
        setattr(kept, how, getattr(kept, how) + 1)


class Tally:
    """Counts accounts, one after the other, in any order."""

    def __init__(self) -> None:
        self._total = _Gathered("all")
        self._severities: dict[str, _Gathered] = {}
        self._types: dict[str, _Gathered] = {}
        self._dry_runs = 0

    def take(self, state: IncidentState) -> None:
        if state.declaration.mode == "dry-run":
            self._dry_runs += 1
            return
        severity, type_ = state.severity.value, state.type
        self._total.take(state)
        self._severities.setdefault(severity, _Gathered(severity)).take(state)
        self._types.setdefault(type_, _Gathered(type_)).take(state)

    def stats(self) -> Stats:
        types = [gathered.told() for gathered in self._types.values()]
        return Stats(
            total=self._total.told(),
            by_severity=[self._severities[name].told() for name in sorted(self._severities)],
            by_type=sorted(types, key=lambda group: (-group.incidents, group.name)),
            dry_runs=self._dry_runs,
        )
