"""The time axis of a picture: minutes or weeks, with marks whose labels stay apart.

Where nearly all of the time is follow-up, the axis breaks once: the response left of it, then another scale.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from domain.values.durations import spoken
from domain.values.local_time import Clock
from reporting.picture.drawing import Label, Line, Shape, width_of

LEFT = 176
RIGHT = 880
_APART = 14
_SIZE = 10.5
_BREAK_AT = 0.25
_RESPONSE_SHARE = 0.64
_LEAST = timedelta(seconds=20)
_DAY = timedelta(days=1)
_STEPS = [
    *(timedelta(seconds=s) for s in (1, 2, 5, 10, 15, 30)),
    *(timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=h) for h in (1, 2, 3, 6, 12)),
    *(timedelta(days=d) for d in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
]


class Stretch(NamedTuple):
    """A part of the axis in one scale."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        share = (at - self.start) / (self.end - self.start)
        return self.left + share * (self.right - self.left)

    def step(self) -> timedelta:
        """The shortest step whose marks' labels do not touch."""
        for step in _STEPS:
            wide = width_of(f"{self.start:{_format(step)}}", _SIZE) + _APART
            if step / (self.end - self.start) * (self.right - self.left) >= wide:
                return step
        return _STEPS[-1]


class Axis:
    """Places instants between `LEFT` and `RIGHT`; those outside of it stand at its ends.

    It breaks behind the first of `pivots` before which little of its time lies.
    """

    def __init__(self, start: datetime, pivots: Iterable[datetime], end: datetime, zone: tzinfo) -> None:
        self.start, self.end, self._zone = start, (end := max(end, start + _LEAST)), zone
        self._stretches = [Stretch(start, end, LEFT, RIGHT)]
        ends = [max(start + (pivot - start) * 1.08, start + _LEAST) for pivot in pivots]
        middle = LEFT + (RIGHT - LEFT) * _RESPONSE_SHARE
        pivot = next((at for at in ends if at - start < (end - start) * _BREAK_AT), None)
        if pivot is not None:
            self._stretches = [Stretch(start, pivot, LEFT, middle), Stretch(pivot, end, middle + 12, RIGHT)]

    def x(self, at: datetime) -> float:
        at = min(max(at, self.start), self.end)
        stretch = next(s for s in self._stretches if at <= s.end)
        return stretch.x(max(at, stretch.start))

    def shows(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    def caption(self) -> str:
        """The first day, the zone and the units, in words."""
        clock = Clock(self._zone)
        offsets = dict.fromkeys(f"UTC{clock.offset(at)}" for at in (self.start, self.end))
        where = f"From {self.start.astimezone(self._zone):%d %b %Y}, {clock.name} ({', later '.join(offsets)})"
        steps = [spoken(stretch.step()) for stretch in self._stretches]
        if len(steps) == 1:
            return f"{where}; from one mark to the next: {steps[0]}"
        return f"{where}; from one mark to the next: {steps[0]}, right of the break {steps[1]}"

    def shapes(self, top: float, bottom: float) -> Iterator[Shape]:
        """Marks with their labels above `top`, and lines through to `bottom`."""
        taken = dict.fromkeys((top - 9, top - 23), float("-inf"))
        for stretch in self._stretches:
            for shape in self._marks(stretch, top, bottom):
                if isinstance(shape, Label):
                    half = width_of(shape.text, _SIZE) / 2
                    if shape.x - half < taken[shape.y]:
                        continue
                    taken[shape.y] = shape.x + half
                yield shape
        for before, after in zip(self._stretches, self._stretches[1:], strict=False):
            for x in (before.right + 3, after.left - 3):
                yield Line(x, top - 8, x, bottom, "soft", 1.2, dashed=True, title="From here on in another scale")

    def _marks(self, stretch: Stretch, top: float, bottom: float) -> Iterator[Shape]:
        step, day, free = stretch.step(), "", stretch.left - 80
        for at in self._instants(stretch, step):
            x, local = stretch.x(at), at.astimezone(self._zone)
            text = f"{local:{_format(step)}}"
            half = width_of(text, _SIZE) / 2
            yield Line(x, top - 5, x, bottom, "grid")
            if x - half < stretch.left - 20 or x + half > stretch.right + 20:
                continue
            yield Label(x, top - 9, text, "soft", _SIZE, "middle")
            date = f"{local:%d %b %Y}" if not day else f"{local:%d %b}"
            if step < _DAY and date[:6] != day[:6] and x - half >= free:
                yield Label(x, top - 23, date, "ink", _SIZE, "middle", bold=True)
                day, free = date, x + width_of(date, _SIZE) + _APART

    def _instants(self, stretch: Stretch, step: timedelta) -> Iterator[datetime]:
        """The marks: whole steps of the local day; those of days stand at local midnight, summer time or not."""
        local = stretch.start.astimezone(self._zone).replace(tzinfo=None)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        number = (local - midnight) // step
        while True:
            at = (midnight + number * step).replace(tzinfo=self._zone)
            number += 1
            if at > stretch.end:
                return
            if at >= stretch.start:
                yield at


def _format(step: timedelta) -> str:
    if step >= _DAY:
        return "%d %b"
    return "%H:%M" if step >= timedelta(minutes=1) else "%H:%M:%S"
