"""Pieces of a picture's lanes: bands with names, runs of deadlines, marks that are counted where they would touch."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from reporting.picture.axis import LEFT, Axis
from reporting.picture.drawing import Bar, Diamond, Dot, Label, Line, Shape, cut, width_of

EDGE = 1000
ROW = 24
_GAP = 8
_TOUCH = 17
_LEAST = 4
_BOLD = 1.12
_TONES = {"met": "good", "cancelled": "idle"}


class Moment(NamedTuple):
    """Something that happened at an instant. One with a `label` is named where there is room for it."""

    at: datetime
    tone: str
    title: str
    label: str = ""
    decided: bool = False


def lane(y: float, rows: int, name: str) -> Iterator[Shape]:
    """The ground of a lane with its name."""
    yield Bar(0, y, EDGE, rows * ROW + _GAP, "band")
    yield Label(8, y + 16, name, "ink", 12, bold=True)


def after(y: float, rows: int) -> float:
    """Where the next lane begins."""
    return y + rows * ROW + _GAP + 6


def band(axis: Axis, steps: list[tuple[datetime, str, str, str]], y: float) -> Iterator[Shape]:
    """What held from one instant to the next: instant, name, tone, title."""
    ends = [at for at, *_ in steps[1:]] + [axis.end]
    for (at, name, tone, title), end in zip(steps, ends, strict=True):
        x = axis.x(at)
        width = max(axis.x(end) - x, _LEAST)
        yield Bar(x, y + 5, width - 1, ROW - 6, tone, title)
        if width_of(name, 10.5) * _BOLD + 8 < width:
            yield Label(x + 5, y + 18, name, "on", 10.5, bold=True)


def moments(axis: Axis, seen: Iterable[Moment], y: float) -> Iterator[Shape]:
    """Marks on one line; those that would touch are one with their number. Names stand below, where there is room."""
    middle, free = y + 12, 0.0
    for x, together in _clusters(axis, seen):
        strongest = max(together, key=lambda one: (bool(one.label), one.decided))
        title = "\n".join(one.title for one in together[:12])
        if len(together) > 1:
            yield Dot(x, middle, 8, strongest.tone, title)
            yield Label(x, middle + 3.5, str(len(together)), "on", 9.5, "middle", bold=True)
        elif strongest.decided:
            yield Diamond(x, middle, 6, strongest.tone, title)
        else:
            yield Dot(x, middle, 4, strongest.tone, title)
        name = ", ".join(dict.fromkeys(one.label for one in together if one.label))
        half = width_of(name, 10) / 2
        centre = min(max(x, half + 4), EDGE - half - 4)
        if name and centre - half >= free:
            yield Label(centre, middle + 20, name, "ink", 10, "middle")
            free = centre + half + 8


def _clusters(axis: Axis, seen: Iterable[Moment]) -> list[tuple[float, list[Moment]]]:
    """Moments in order with where they stand; those whose marks would touch are together, in their middle."""
    clusters: list[tuple[float, list[Moment]]] = []
    for one in sorted(seen, key=lambda one: one.at):
        x, together = axis.x(one.at), [one]
        while clusters and x - clusters[-1][0] < _TOUCH:
            before, earlier = clusters.pop()
            x = (before * len(earlier) + x * len(together)) / (len(earlier) + len(together))
            together = earlier + together
        clusters.append((x, together))
    return clusters


def row(y: float, name: str) -> Shape:
    """The name of a row in the margin."""
    return Label(LEFT - 12, y + 16, cut(name, 11, LEFT - 24), "ink", 11, "end")


def deadline(
    axis: Axis, y: float, title: str, state: str, started: datetime, due: datetime | None, ended: datetime | None
) -> Iterator[Shape]:
    """A deadline on its way: waiting, met or late, until it was met or stopped; the mark is where it was due."""
    middle, x, end = y + 12, axis.x(started), axis.x(ended or axis.end)
    if due is None:
        yield Line(x, middle, max(end, x + _LEAST), middle, _TONES.get(state, "busy"), 5, title=title)
        return
    late, mark = state == "breached", axis.x(due)
    yield Line(x, middle, max(mark if late else end, x + _LEAST), middle, _TONES.get(state, "busy"), 5, title=title)
    if late:
        yield Line(mark, middle, max(end, mark + _LEAST), middle, "bad", 5, title=title)
    if axis.shows(due):
        if mark > end:
            yield Line(end, middle, mark, middle, "idle", 1, dashed=True, title=title)
        yield Line(mark, middle - 8, mark, middle + 8, "bad" if late else "soft", 2, title=title)


def beside(x: float, before: float, y: float, text: str, tone: str = "ink") -> Label:
    """A text right of `x`, or left of `before` where it would leave the picture."""
    if x + 6 + width_of(text, 10.5) <= EDGE:
        return Label(x + 6, y + 16, text, tone, 10.5)
    return Label(before - 6, y + 16, text, tone, 10.5, "end")
