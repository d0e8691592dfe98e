"""What many incidents came to: how many there were, how long they took, and whether the service levels were met.

Only live incidents count. False alarms and drills are counted apart, in no mean; dry runs and upkeep are left out.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from statistics import fmean, median
from typing import Literal, NamedTuple

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
    def of(cls, durations: Iterable[float | None]) -> "Spread":
        """Of the durations that there are, in seconds."""
        seconds = [one for one in durations if one is not None]
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

    @classmethod
    def of(cls, outcomes: Iterable[Outcome | None]) -> "Kept":
        counts = Counter(outcomes)
        return cls(met=counts["met"], breached=counts["breached"], running=counts["running"])

    @property
    def ended(self) -> int:
        return self.met + self.breached


class _Counted(NamedTuple):
    """What is kept of an incident while they are counted. Times are in seconds from its declaration."""

    severity: str
    type: str
    drill: bool
    false_alarm: bool
    open: bool
    acknowledged: float | None
    resolved: float | None
    response: Outcome | None
    escalation: Outcome | None


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

    @classmethod
    def of(cls, name: str, counted: list[_Counted]) -> "Group":
        live = [one for one in counted if not (one.drill or one.false_alarm)]
        return cls(
            name=name,
            incidents=len(live),
            open=sum(one.open for one in live),
            time_to_acknowledge=Spread.of(one.acknowledged for one in live),
            time_to_resolve=Spread.of(one.resolved for one in live),
            response=Kept.of(one.response for one in live),
            escalation=Kept.of(one.escalation for one in live),
            false_alarms=sum(one.false_alarm for one in counted),
            drills=sum(one.drill for one in counted),
        )


class Stats(BaseModel):
    """The whole, by severity (as it stands, P0 first) and by type (most incidents first)."""

    total: Group
    by_severity: list[Group]
    by_type: list[Group]
    dry_runs: int = 0
    upkeep: int = 0


def tally(states: Iterable[IncidentState]) -> Stats:
    """Count incidents, in any order; each is taken only after the one before it is counted and let go of."""
    counted: list[_Counted] = []
    apart: Counter[str] = Counter()
    for state in states:
        if state.upkeep or not state.live:
            apart[state.declaration.mode] += 1
        else:
            counted.append(_counted(state))
    severities, types = sorted({one.severity for one in counted}), {one.type for one in counted}
    by_type = [Group.of(name, [one for one in counted if one.type == name]) for name in types]
    return Stats(
        total=Group.of("all", counted),
        by_severity=[Group.of(name, [one for one in counted if one.severity == name]) for name in severities],
        by_type=sorted(by_type, key=lambda group: (-group.incidents, group.name)),
        dry_runs=apart["dry-run"],
        upkeep=apart["upkeep"],
    )


def _counted(state: IncidentState) -> _Counted:
    def after(at: datetime | None) -> float | None:
        return None if at is None else (at - state.declared_at).total_seconds()

    drill = state.declaration.mode == "drill"
    return _Counted(
        severity=state.severity.value,
        type=state.type,
        drill=drill,
        false_alarm=not drill and state.status is Status.FALSE_ALARM,
        open=not state.ended,
        acknowledged=after(state.first_acknowledged_at),
        resolved=after(state.resolved_at),
        response=outcome(state, RESPONSE_CLOCK),
        escalation=outcome(state, ESCALATION_CLOCK),
    )


def outcome(state: IncidentState, clock: str) -> Outcome | None:
    """How an incident kept a clock in all its runs: missed once is missed; None where every run was called off."""
    states = {run.state for run in state.clocks if run.name == clock}
    found: Iterable[Outcome] = ("breached", "running", "met")
    return next((state for state in found if state in states), None)
