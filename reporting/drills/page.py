"""Scores of drills: each as a table of its points, and all of them over time as a table and a picture."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from domain.values.local_time import Clock
from reporting.content.blocks import Block, Figure, Heading, Table
from reporting.drills.score import Score, Verdict
from reporting.formats.html import html
from reporting.formats.svg import svg
from reporting.picture.drawing import Bar, Diamond, Dot, Drawing, Label, Line, Shape, cut
from reporting.picture.lanes import EDGE

_LEFT, _TOP, _HEIGHT = 60.0, 30.0, 180.0
_MARKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_TONES: dict[Verdict, str] = {"passed": "good", "failed": "bad", "stopped": "idle", "running": "busy"}

COLUMNS: dict[str, Callable[[Score], str]] = {
    "Drill": lambda one: one.id,
    "Scenario": lambda one: f"{one.scenario} ({one.kind})",
    "Verdict": lambda one: one.verdict,
    "Points": lambda one: f"{one.met} of {len(one.points)}",
    "Missed": lambda one: ", ".join(point.name for point in one.points if not point.met) or "none",
    "Knew beforehand": lambda one: one.knew,
}


def page(scores: Sequence[Score], title: str, clock: Clock) -> bytes:
    """One HTML page, with the picture and everything in it as a table."""
    return html(_blocks(scores, title, clock), title).encode(errors="replace")


def chart(scores: Sequence[Score], title: str, clock: Clock) -> bytes:
    """The picture alone, as SVG."""
    return svg(picture(scores, title, clock), alone=True).encode(errors="replace")


def _blocks(scores: Sequence[Score], title: str, clock: Clock) -> Iterator[Block]:
    yield Heading(1, title)
    yield Figure(picture(scores, title, clock), "Everything that this picture shows stands in the table below.")
    rows = [[clock(one.declared_at), *(cell(one) for cell in COLUMNS.values())] for one in scores]
    yield Table(["Declared", *COLUMNS], rows)


def picture(scores: Sequence[Score], title: str, clock: Clock) -> Drawing:
    """The share of points that each drill has met, oldest first; a circle is a response, a diamond a simulation."""
    width = EDGE - _LEFT - 20
    shapes: list[Shape] = [Bar(0, 0, EDGE, _TOP + _HEIGHT + 10, "band")]
    for mark in _MARKS:
        y = _TOP + _HEIGHT * (1 - mark)
        shapes += [Line(_LEFT, y, EDGE - 10, y, "grid"), Label(_LEFT - 6, y + 4, f"{mark:.0%}", "soft", 10, "end")]
    places = [_LEFT + width * (number + 0.5) / max(len(scores), 1) for number in range(len(scores))]
    points = [(x, _TOP + _HEIGHT * (1 - one.met / len(one.points))) for x, one in zip(places, scores, strict=True)]
    shapes += [Line(*one, *other, "grid", 2) for one, other in pairwise(points)]
    each = width / max(len(scores), 1)
    for (x, y), one in zip(points, scores, strict=True):
        said = f"{one.id}: {one.verdict}, {one.met} of {len(one.points)}"
        shape = Dot if one.kind == "response" else Diamond
        shapes.append(shape(x, y, 6, _TONES[one.verdict], said))
        shapes.append(Label(x, _TOP + _HEIGHT + 26, cut(clock(one.declared_at)[:10], 9.5, each), "soft", 9.5, "middle"))
        shapes.append(Label(x, _TOP + _HEIGHT + 40, cut(one.scenario, 9.5, each), "soft", 9.5, "middle"))
    described = "; ".join(f"{one.id} {one.verdict} {one.met}/{len(one.points)}" for one in scores) or "no drills"
    return Drawing(EDGE, _TOP + _HEIGHT + 52, title, described, shapes)
