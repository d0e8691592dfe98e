"""A logarithmic scale of durations: seconds of one incident and weeks of another on one line."""

from datetime import timedelta
from math import log
from typing import NamedTuple

from domain.values.durations import spoken
from reporting.statistics.tally import Spread

_MARKS = (1, 10, 60, 300, 900, 3600, 4 * 3600, *(86400 * days for days in (1, 4, 15, 50, 200, 1000, 5000)))


class Mark(NamedTuple):
    """A place on the scale, 0 left to 1 right, with its duration in words."""

    place: float
    label: str


class TimeScale:
    """From the mark at or below the shortest duration to the one at or above the longest."""

    def __init__(self, spread: Spread) -> None:
        least = 60 if spread.min_seconds is None else spread.min_seconds
        most = 3600 if spread.max_seconds is None else spread.max_seconds
        first = max((n for n, mark in enumerate(_MARKS) if mark <= least), default=0)
        last = min((n for n, mark in enumerate(_MARKS) if mark >= most), default=len(_MARKS) - 1)
        self._marks = _MARKS[min(first, len(_MARKS) - 2) : max(last, first + 1) + 1]

    def place(self, seconds: float) -> float:
        """Where a duration lies; what is shorter or longer than the scale stands at its end."""
        low, high = self._marks[0], self._marks[-1]
        return log(min(max(seconds, low), high) / low) / log(high / low)

    def marks(self, apart: float) -> list[Mark]:
        """The first mark and the last, and between them those that are `apart` (a share of the scale) from others."""
        marks = [Mark(self.place(seconds), spoken(timedelta(seconds=seconds))) for seconds in self._marks]
        kept = marks[:1]
        for mark in marks[1:-1]:
            if mark.place - kept[-1].place >= apart and marks[-1].place - mark.place >= apart:
                kept.append(mark)
        return [*kept, marks[-1]]


def median_and_mean(spread: Spread) -> str:
    """A spread in words, with how many it is made of; of one duration, that."""
    if spread.median_seconds is None or spread.mean_seconds is None:
        return "none yet"
    median = spoken(timedelta(seconds=spread.median_seconds))
    if spread.n == 1:
        return f"{median}, n 1"
    return f"median {median}, mean {spoken(timedelta(seconds=spread.mean_seconds))}, n {spread.n}"
