"""The chart of many incidents: what people named stays text, it needs nothing else, and everything is inside of it."""

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.picture.drawing import Bar, Dot, Drawing, Label, Line, width_of
from reporting.picture.time_scale import TimeScale, median_and_mean
from reporting.statistics.chart import stats_picture
from reporting.statistics.page import Scope, chart, kept, page
from reporting.statistics.tally import Group, Kept, Spread, Stats

NASTY = '<script>alert("1")</script>&\x00\u202e]]>'
SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: bytes) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own


def group(name: str = "system-outage", **changes: Any) -> Group:
    return Group(
        name=name,
        incidents=5,
        open=1,
        time_to_acknowledge=Spread.of([60, 120, 600, 3600]),
        time_to_resolve=Spread.of([3600, 86400]),
        response=Kept(met=3, breached=1, running=1),
        escalation=Kept(met=1, breached=3),
        **changes,
    )


def stats(name: str = "system-outage") -> Stats:
    return Stats(total=group("all", drills=2, false_alarms=1), by_severity=[group("P0")], by_type=[group(name)])


def scope(environment: str = "production", unreadable: tuple[tuple[str, str], ...] = ()) -> Scope:
    return Scope(environment, "2026-11-01", "2026-11-25 20:00:00 +11:00", unreadable)


def test_what_people_named_stays_text() -> None:
    """No name, environment, id or reason becomes markup, in the picture as in the page."""
    root = parsed(chart(stats(NASTY), scope(NASTY)))
    assert not [one for one in root.iter() if one.tag == f"{SVG}script"]
    assert any("<script>" in (one.text or "") for one in root.iter(f"{SVG}text"))
    written = page(stats(NASTY), scope(NASTY, ((NASTY, NASTY),))).decode()
    assert "<script" not in written
    assert written.count("&lt;script&gt;") >= 5


@pytest.mark.parametrize("make", [page, chart])
def test_it_needs_nothing_else_and_follows_light_and_dark(make: Any) -> None:
    """No address but the namespace's name, no script; one stylesheet with a dark side that paper does not take."""
    written = make(stats(), scope()).decode()
    assert not re.search(r"""\b(?:src|href)=["'](?!#)|url\(|@import|<script""", written)
    assert set(re.findall(r"https?://[^\"' ]+", written)) == {"http://www.w3.org/2000/svg"}
    assert "@media screen and (prefers-color-scheme:dark)" in written


def test_what_could_not_be_told_stands_with_the_numbers() -> None:
    lost = (("inc-20261123-7f3k", "the chain is broken at entry 3"),)
    for written in (page(stats(), scope(unreadable=lost)).decode(), chart(stats(), scope(unreadable=lost)).decode()):
        assert "Could not be read, and in no number: 1." in written
        assert "declared since 2026-11-01" in written
    assert "the chain is broken at entry 3" in page(stats(), scope(unreadable=lost)).decode()
    assert "Could not be read" not in page(stats(), scope()).decode()


def test_the_page_says_in_words_what_the_picture_shows() -> None:
    written = page(stats(), scope()).decode()
    for text in ("median 6m, mean 18m 15s, n 4", "3 of 4 (75%), 1 running", "1 of 4 (25%)", "median 12h 30m"):
        assert f"<td>{text}" in written


@pytest.mark.parametrize(
    ("spread", "words"),
    [
        (Spread.of([]), "none yet"),
        (Spread.of([90]), "1m 30s, n 1"),
        (Spread.of([60, 60, 600]), "median 1m, mean 4m, n 3"),
    ],
)
def test_few_are_told_by_their_number(spread: Spread, words: str) -> None:
    """The median stands beside the mean, with how many they are made of; one alone is itself."""
    assert median_and_mean(spread) == words


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (Kept(), "none"),
        (Kept(running=2), "2 running"),
        (Kept(breached=1), "0 of 1 (0%)"),
        (Kept(met=2, breached=1, running=1), "2 of 3 (67%), 1 running"),
    ],
)
def test_a_clock_is_told_of_those_that_ended(clock: Kept, words: str) -> None:
    assert kept(clock) == words


SECONDS = st.floats(0, timedelta(days=9000).total_seconds())
SPREADS = st.lists(SECONDS, max_size=6).map(Spread.of)
COUNTS = st.integers(0, 99_999)
KEPT = st.builds(Kept, met=COUNTS, breached=COUNTS, running=COUNTS)


@st.composite
def any_stats(draw: st.DrawFn) -> Stats:
    """Figures whose whole is around its parts, as it is of counted ones."""
    groups = []
    for name in draw(st.lists(st.text(min_size=1, max_size=60), max_size=3)):
        took = {"time_to_acknowledge": draw(SPREADS), "time_to_resolve": draw(SPREADS)}
        clocks = {"response": draw(KEPT), "escalation": draw(KEPT)}
        counts = {"incidents": draw(COUNTS), "open": draw(COUNTS), "drills": draw(COUNTS), "false_alarms": draw(COUNTS)}
        groups.append(Group(name=name, **took, **clocks, **counts))
    total = Group(name="all", incidents=sum(one.incidents for one in groups), time_to_acknowledge=draw(SPREADS))
    return Stats(total=total, by_severity=groups, by_type=groups)


@given(any_stats())
def test_everything_is_inside_the_picture(drawn: Stats) -> None:
    """No mark and no text leaves the picture, and what is written is XML, whatever the figures."""
    picture = stats_picture(drawn, "Incidents", ["As the ledger tells it."])
    for shape in picture.shapes:
        left, right = ends(shape)
        assert left >= -0.01
        assert right <= picture.width + 0.01, shape
    assert parsed(chart(drawn, scope())).tag == f"{SVG}svg"


def ends(shape: Any) -> tuple[float, float]:
    """Where a shape begins and ends, from left to right."""
    if isinstance(shape, Bar):
        return shape.x, shape.x + shape.width
    if isinstance(shape, Line):
        return min(shape.x1, shape.x2), max(shape.x1, shape.x2)
    if isinstance(shape, Label):
        wide = width_of(shape.text, shape.size)
        left = shape.x - wide / 2 if shape.anchor == "middle" else shape.x
        return left, left + wide
    return shape.x - shape.radius, shape.x + shape.radius


@given(SPREADS, st.lists(SECONDS, min_size=2, max_size=2).map(sorted))
def test_a_longer_time_never_stands_left_of_a_shorter(spread: Spread, pair: list[float]) -> None:
    scale = TimeScale(spread)
    assert 0 <= scale.place(pair[0]) <= scale.place(pair[1]) <= 1
    marks = scale.marks(0.16)
    assert (marks[0].place, marks[-1].place) == (0, 1)
    assert [mark.place for mark in marks] == sorted(mark.place for mark in marks)


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [([90, 1000], ("1m", "1h")), ([60, 60], ("1m", "5m")), ([0], ("1s", "10s")), ([86400 * 20], ("15d", "50d"))],
)
def test_the_scale_reaches_around_what_it_shows(seconds: list[float], ends: tuple[str, str]) -> None:
    marks = TimeScale(Spread.of(seconds)).marks(0)
    assert (marks[0].label, marks[-1].label) == ends


def test_a_drawing_of_nothing_is_a_drawing() -> None:
    nothing = stats_picture(Stats(total=Group(name="all"), by_severity=[], by_type=[]), "Incidents", [])
    assert isinstance(nothing, Drawing)
    assert not [shape for shape in nothing.shapes if isinstance(shape, Dot) and shape.y < nothing.height - 60]
