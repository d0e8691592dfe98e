"""The picture of an incident: what held, what people did, who was paged, changes and deadlines on one time axis."""

from collections.abc import Iterator
from functools import partial

from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.values.durations import spoken
from domain.values.local_time import Clock
from reporting.content.deadlines import after_declaration
from reporting.picture import lanes
from reporting.picture.axis import LEFT, Axis
from reporting.picture.drawing import Diamond, Dot, Drawing, Label, Line, Shape, width_of
from reporting.picture.lane_rows import Lane, row_lanes
from reporting.picture.lanes import Moment

_TOP = 56
_MILESTONES = {"acknowledged", "mitigated", "resolved", "closed", "false-alarm", "reopened"}
_DECIDED = {"approval", "severity"}
_SAID = {"note", "task", "severity", "change-requested", "fact", "custody", "command-taken"}
_STATUS_TONES = {
    "declared": "P0",
    "acknowledged": "page",
    "mitigated": "busy",
    "resolved": "good",
    "closed": "idle",
    "false-alarm": "idle",
}
_LEGEND = (("met, applied", "good"), ("under way", "busy"), ("missed, failed", "bad"), ("stopped", "idle"))


def picture(state: IncidentState, entries: list[Entry], clock: Clock) -> Drawing:
    """Draw an incident from its declaration to its end, or as far as its entries reach."""
    end = state.closed_at if state.ended and state.closed_at else max(entry.at for entry in entries)
    pivots = [at for at in (state.resolved_at, state.mitigated_at) if at is not None]
    axis = Axis(state.declared_at, pivots, end, clock.zone)
    shapes: list[Shape] = []
    bottom = float(_TOP)
    for rows, name, drawn in _lanes(state, entries, axis, clock):
        shapes += [*lanes.lane(bottom, rows, name)]
        shapes += drawn(bottom)
        bottom = lanes.after(bottom, rows)
    ground = [shape for shape in shapes if getattr(shape, "tone", "") == "band"]
    above = [shape for shape in shapes if shape not in ground]
    return Drawing(
        lanes.EDGE,
        bottom + 44,
        f"{state.id}: {state.title}",
        _described(state),
        [*ground, *axis.shapes(_TOP, bottom - 6), *above, *_foot(axis, bottom)],
    )


def _lanes(state: IncidentState, entries: list[Entry], axis: Axis, clock: Clock) -> Iterator[Lane]:
    for name, steps, tones in (("Severity", state.severities, {}), ("Status", state.statuses, _STATUS_TONES)):
        band = [(s.at, s.to, tones.get(s.to, s.to), f"{s.to} since {clock(s.at)}, by {s.by}") for s in steps]
        yield 1, name, partial(lanes.band, axis, band)
    yield 2, "People", partial(lanes.moments, axis, _people(entries, axis, clock))
    pages = [
        Moment(p.at, "page", f"{clock(p.at)} {p.to} as {p.role}, level {p.level}: {p.reason}") for p in state.pages
    ]
    yield 1, "Pages", partial(lanes.moments, axis, [page for page in pages if axis.shows(page.at)])
    yield from row_lanes(state, axis, clock)


def _people(entries: list[Entry], axis: Axis, clock: Clock) -> list[Moment]:
    """What people said and decided; of the program's own doing only the end is there."""
    seen = []
    for entry in entries:
        title = f"{clock(entry.at)} {entry.actor}: {entry.text[:200]}"
        decided = entry.kind in _DECIDED
        if not axis.shows(entry.at):
            continue
        if entry.kind in _MILESTONES:
            seen.append(Moment(entry.at, "person", title, entry.kind.replace("-", " ")))
        elif entry.actor != "orchestrator" and (entry.kind in _SAID or decided):
            seen.append(Moment(entry.at, "person", title, decided=decided))
    return seen


def _foot(axis: Axis, y: float) -> Iterator[Shape]:
    yield Label(LEFT, y + 12, axis.caption(), "soft", 10.5)
    x = float(LEFT)
    for name, tone in _LEGEND:
        yield Line(x, y + 30, x + 16, y + 30, tone, 5)
        yield Label(x + 21, y + 34, name, "soft", 10.5)
        x += 34 + width_of(name, 10.5)
    yield Diamond(x + 6, y + 30, 6, "person")
    yield Label(x + 17, y + 34, "decision", "soft", 10.5)
    yield Dot(x + 84, y + 30, 8, "page")
    yield Label(x + 84, y + 33.5, "3", "on", 9.5, "middle", bold=True)
    yield Label(x + 97, y + 34, "three at once", "soft", 10.5)
    yield Line(x + 180, y + 23, x + 180, y + 37, "soft", 2)
    yield Label(x + 187, y + 34, "due", "soft", 10.5)


def _described(state: IncidentState) -> str:
    missed = sum(run.state == "breached" for run in state.clocks)
    said = [f"A {state.severity} incident of type {state.type}, {state.status}"]
    took = after_declaration(state).items()
    said += [f"{name} after {spoken(one)}" for name, one in took if one is not None and name != "closed"]
    said += [f"{len(state.pages)} pages", f"{len(state.changes)} changes", f"{missed} deadlines missed"]
    return "; ".join(said) + ". The tables below say the same in words."
