"""The lanes of a picture that have a row for each thing: changes, clocks and obligations."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from domain.model.duty_records import ObligationRecord
from domain.model.records import ChangeRecord
from domain.model.records import Clock as DeadlineClock
from domain.model.state import IncidentState
from domain.rules.obligation_rules import definition
from domain.values.durations import spoken
from domain.values.local_time import Clock
from reporting.content.deadlines import OF_THE_RESPONSE, name_of
from reporting.picture import lanes
from reporting.picture.axis import Axis
from reporting.picture.drawing import Bar, Diamond, Shape
from reporting.picture.lanes import ROW

Drawn = Callable[[float], Iterable[Shape]]
Lane = tuple[int, str, Drawn]

_MOST = 14
_TONES = {
    **dict.fromkeys(("applied", "already-done", "planned"), "good"),
    **dict.fromkeys(("partly-applied", "failed", "expired"), "bad"),
}


def row_lanes(state: IncidentState, axis: Axis, clock: Clock) -> Iterator[Lane]:
    """Changes from request to end with the votes on them, clocks with all their runs, duties with their signatures."""
    named: dict[str, list[DeadlineClock]] = {}
    for run in state.clocks:
        if axis.shows(run.started_at):
            named.setdefault(run.name, []).append(run)
    yield from _lane("Changes", [partial(_change, axis, clock, change) for change in state.changes])
    yield from _lane("Deadlines", [partial(_clock, state, axis, clock, runs) for runs in named.values()])
    yield from _lane("Obligations", [partial(_duty, axis, clock, state, duty) for duty in state.obligations])


def _lane(name: str, rows: Sequence[Drawn]) -> Iterator[Lane]:
    """One lane with its rows below its name; too many rows are cut, and the lane says so."""
    shown = rows[:_MOST]
    title = name if len(shown) == len(rows) else f"{name} (the first {_MOST} of {len(rows)})"

    def drawn(y: float) -> Iterator[Shape]:
        for number, row in enumerate(shown, start=1):
            yield from row(y + number * ROW)

    if rows:
        yield len(shown) + 1, title, drawn


def _change(axis: Axis, clock: Clock, change: ChangeRecord, y: float) -> Iterator[Shape]:
    start, end = axis.x(change.requested_at), axis.x(change.ended_at or axis.end)
    tone = "busy" if change.in_flight else _TONES.get(change.status, "idle")
    title = f"{change.workflow_id}: {change.status}\nrequested by {change.requested_by} {clock(change.requested_at)}"
    title += f"\n{change.plan.summary}" if change.plan else ""
    yield lanes.row(y, change.step if change.generation == 1 else f"{change.step} ({change.generation})")
    yield Bar(start, y + 6, max(end - start, 5), 12, tone, title)
    for vote in change.approvals:
        alone = "" if vote.break_glass is None else " alone (break-glass)"
        title = f"{clock(vote.at)} {vote.by} ({vote.role}): {vote.decision}{alone}"
        yield Diamond(axis.x(vote.at), y + 12, 7, "person" if vote.decision == "approve" else "bad", title)
    yield lanes.beside(max(end, start + 5) + 2, start, y, change.status, "soft")


def _clock(state: IncidentState, axis: Axis, clock: Clock, runs: list[DeadlineClock], y: float) -> Iterator[Shape]:
    name, over = name_of(runs[0].name), state.resolved_at or state.closed_at
    stops = [run.ended_at or (over if run.name in OF_THE_RESPONSE else None) for run in runs]
    yield lanes.row(y, name)
    for run, stop in zip(runs, stops, strict=True):
        title = f"{name}: {run.state}, due {clock(run.due_at)}"
        yield from lanes.deadline(axis, y, title, run.state, run.started_at, run.due_at, stop)
    late = [run.late for run in runs if run.late is not None]
    never = any(run.state == "breached" and run.ended_at is None for run in runs)
    if late or never:
        said = "missed" if never else f"{spoken(max(late))} late"
        ends = [at for at in (stops[-1] or axis.end, runs[-1].due_at) if axis.shows(at)]
        yield lanes.beside(axis.x(max(ends, default=axis.end)) + 4, axis.x(runs[0].started_at), y, said, "bad")


def _duty(axis: Axis, clock: Clock, state: IncidentState, duty: ObligationRecord, y: float) -> Iterator[Shape]:
    how = "breached" if duty.missed else {"open": "running", "discharged": "met"}.get(duty.state, "cancelled")
    title = f"{definition(state, duty).title}: {duty.state}, due {clock(duty.due_at)}"
    ended = duty.ended.done_at if duty.ended else None
    due = None if how == "cancelled" else duty.due_at  # what is not to be done any more is not due either
    yield lanes.row(y, duty.step)
    yield from lanes.deadline(axis, y, title, how, duty.opened_at, due, ended)
    for signature in duty.signatures:
        if axis.shows(signature.at):
            at = f"{clock(signature.at)} signed by {signature.by} ({signature.role})"
            yield Diamond(axis.x(signature.at), y + 12, 7, "person", at)
    said, tone = (f"{duty.state}, {spoken(duty.late)} late", "bad") if duty.late else (duty.state, "soft")
    marks = [due, *(signature.at for signature in duty.signatures)]
    ends = [ended or axis.end, *(at for at in marks if at is not None and axis.shows(at))]
    yield lanes.beside(axis.x(max(ends)) + 4, axis.x(duty.opened_at), y, said, tone)
