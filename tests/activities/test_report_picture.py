"""The picture: whatever happened has a place on one axis, and nothing covers anything."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.model.timeline import Entry
from domain.rules.evolve import fold
from reporting.picture import lanes
from reporting.picture.axis import LEFT, RIGHT, Axis
from reporting.picture.drawing import Bar, Dot, Drawing, Label, Line, Shape, width_of
from reporting.picture.incident_picture import picture
from reporting.picture.lanes import Moment
from tests.activities.report_parts import SYDNEY
from tests.activities.report_worlds import Played, breach, outage
from tests.builders import T0, declaration

LEDGERS: dict[str, Callable[[], tuple[Entry, ...]]] = {
    "outage": outage,
    "breach": breach,
    "declared": lambda: tuple(Played(declaration()).entries),
}


def drawn(entries: tuple[Entry, ...]) -> Drawing:
    return picture(fold(entries), [*entries], SYDNEY)


def labels(drawing: Drawing) -> list[Label]:
    return [shape for shape in drawing.shapes if isinstance(shape, Label)]


def extent(label: Label) -> tuple[float, float]:
    """Where a label begins and ends."""
    width = width_of(label.text, label.size)
    start = label.x - {"start": 0.0, "middle": width / 2, "end": width}[label.anchor]
    return start, start + width


@pytest.mark.parametrize("name", list(LEDGERS))
def test_no_label_covers_another_or_leaves_the_picture(name: str) -> None:
    drawing = drawn(LEDGERS[name]())
    for one, other in combinations(labels(drawing), 2):
        if abs(one.y - other.y) < 8:
            (start, end), (begin, finish) = extent(one), extent(other)
            assert end <= begin + 1 or finish <= start + 1, (one, other)
    for label in labels(drawing):
        start, end = extent(label)
        assert start >= 0, label
        assert end <= drawing.width, label
        assert 0 < label.y < drawing.height


@pytest.mark.parametrize("name", list(LEDGERS))
def test_every_shape_is_inside(name: str) -> None:
    drawing = drawn(LEDGERS[name]())
    for shape in drawing.shapes:
        for x, y in corners(shape):
            assert -1 <= x <= drawing.width + 1, shape
            assert -1 <= y <= drawing.height + 1, shape


def corners(shape: Shape) -> Iterator[tuple[float, float]]:
    if isinstance(shape, Bar):
        yield from ((shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height))
    elif isinstance(shape, Line):
        yield from ((shape.x1, shape.y1), (shape.x2, shape.y2))
    else:
        yield shape.x, shape.y


def test_every_change_deadline_and_duty_has_a_row() -> None:
    """In words, with what came of it."""
    told = {label.text for label in labels(drawn(outage()))}
    assert {"rollback", "applied", "promote", "rejected", "acknowledge", "mitigate", "phase immediate"} <= told
    assert {"update stakeholders", "missed", "approve rollback", "assessment", "superseded", "statement"} <= told
    assert {"discharged", "discharged, 2m 30s late", "acknowledged", "closed", "P0"} <= told
    assert drawn(outage()).description.startswith("A P0 incident of type system-outage, closed; acknowledged after 7m;")


def test_a_late_line_is_red_from_when_it_was_due() -> None:
    """The phase was due after 15 minutes and done after 83; the axis breaks 8 % behind the mitigation."""
    line = next(s for s in drawn(outage()).shapes if isinstance(s, Line) and s.tone == "bad" and "immediate" in s.title)
    mitigated, closed, middle = 1.08 * (22 + 40 / 60), 175 + 40 / 60, LEFT + (RIGHT - LEFT) * 0.64
    assert line.x1 == pytest.approx(LEFT + 15 / mitigated * (middle - LEFT), abs=0.1)
    after = (83 + 10 / 60 - mitigated) / (closed - mitigated)
    assert line.x2 == pytest.approx(middle + 12 + after * (RIGHT - middle - 12), abs=0.1)


def test_weeks_of_follow_up_leave_room_for_the_response() -> None:
    """The axis breaks behind the mitigation, and names both units, both offsets and the first day."""
    caption = next(label.text for label in labels(drawn(breach())) if "Australia" in label.text)
    assert caption == (
        "From 24 Sep 2026, Australia/Sydney (UTC+10:00, later UTC+11:00); "
        "from one mark to the next: 10m, right of the break 10d"
    )


@settings(max_examples=150)
@given(
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)),
    st.floats(0, 1),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["Australia/Sydney", "UTC", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"]),
)
@example(timedelta(days=3, seconds=984), 0.19921875, datetime(2022, 1, 1, 17, 27), "Pacific/Apia")  # noqa: DTZ001
def test_the_marks_of_any_axis_stay_apart(length: timedelta, share: float, start: datetime, zone: str) -> None:
    """Whatever the time told, the scale and the zone: marks in order, their labels apart, at least one of them."""
    begun = start.replace(tzinfo=UTC)
    axis = Axis(begun, [begun + length * share], begun + length, ZoneInfo(zone))
    shown = [shape for shape in axis.shapes(56, 100) if isinstance(shape, Label)]
    for row in {label.y for label in shown}:
        ends = sorted(extent(label) for label in shown if label.y == row)
        assert all(before[1] <= after[0] for before, after in pairwise(ends)), ends
    assert shown
    places = [axis.x(begun + length * part / 20) for part in range(21)]
    assert places == sorted(places)
    assert (places[0], axis.x(begun + timedelta(days=999))) == (LEFT, RIGHT)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 3600), max_size=60))
def test_marks_never_touch_and_count_all(seconds: list[int]) -> None:
    """Moments that would touch are one mark with their number."""
    axis = Axis(T0, [], T0 + timedelta(hours=1), UTC)
    shapes = [*lanes.moments(axis, [Moment(T0 + timedelta(seconds=s), "page", "p") for s in seconds], 0)]
    dots = sorted(shape.x for shape in shapes if isinstance(shape, Dot))
    assert all(after - before >= 16 for before, after in pairwise(dots))
    counted = [int(shape.text) for shape in shapes if isinstance(shape, Label)]
    assert sum(counted) + len(dots) - len(counted) == len(seconds)


class Counting(Axis):
    """An axis that counts how often it is asked."""

    asked = 0

    def x(self, at: datetime) -> float:
        self.asked += 1
        return super().x(at)


def test_a_long_record_is_drawn_in_time() -> None:
    """Thousands of moments cost a step each, close together or not: the report has two minutes to be made."""
    axis = Counting(T0, [], T0 + timedelta(hours=1), UTC)
    seen = [Moment(T0 + timedelta(seconds=number % 7), "page", "p") for number in range(5000)]
    assert any(isinstance(shape, Label) and shape.text == "5000" for shape in lanes.moments(axis, seen, 0))
    assert axis.asked == 5000
