"""Stretches of whole days by an organisation's clock: a quarter, a month, from one day to another."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

_DAY = timedelta(days=1)


class Period(NamedTuple):
    """From the first day to the last, both in it; `since` and `until` (no more in it) are the instants, in UTC."""

    first: date
    last: date
    since: datetime
    until: datetime

    @property
    def name(self) -> str:
        """The shortest name that `period` reads."""
        for found in (_quarter(self.first), _month(self.first)):
            if found[:2] == (self.first, self.last):
                return found[2]
        return f"{self.first}..{self.last}"


def period(text: str, zone: tzinfo) -> Period:
    """Read `2026-Q3`, `2026-07` or `2026-01-01..2026-03-31`. Raises `ValueError` for anything else."""
    if found := re.fullmatch(r"(\d{4})-Q([1-4])", text):
        first, last, _ = _quarter(date(int(found[1]), 3 * int(found[2]), 1))
    elif found := re.fullmatch(r"(\d{4})-(\d{2})", text):
        first, last, _ = _month(date(int(found[1]), int(found[2]), 1))
    elif found := re.fullmatch(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", text):
        first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2])
    else:
        raise ValueError(f"{text!r} is no period; write 2026-Q3, 2026-07 or 2026-01-01..2026-03-31")
    return of_days(first, last, zone)


def of_days(first: date, last: date, zone: tzinfo) -> Period:
    """The period of these days. Raises `ValueError` where they are the wrong way round."""
    if last < first:
        raise ValueError(f"{first}..{last} ends before it begins")
    since, until = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + _DAY))
    return Period(first, last, since, until)


def months_before(at: datetime, zone: tzinfo, after: datetime | None, *, otherwise: int = 3) -> Period:
    """The whole months from that of the last run (`after`) to the one before this run: none is left out.

    Without a last run so many months; at least one.
    """
    until = at.astimezone(zone).date().replace(day=1)
    last = until - _DAY
    if after is not None:
        first = min(after.astimezone(zone).date().replace(day=1), last.replace(day=1))
    else:
        first = until
        for _ in range(otherwise):
            first = (first - _DAY).replace(day=1)
    return of_days(first, last, zone)


def _month(day: date) -> tuple[date, date, str]:
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - _DAY, f"{first:%Y-%m}"


def _quarter(day: date) -> tuple[date, date, str]:
    number = (day.month - 1) // 3
    first = date(day.year, 3 * number + 1, 1)
    return first, _month(date(day.year, 3 * number + 3, 1))[1], f"{day.year}-Q{number + 1}"
