"""Working days as the organisation counts them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.values.business_days import BusinessCalendar

SYDNEY = BusinessCalendar(
    timezone="Australia/Sydney",
    holidays=(date(2026, 12, 25), date(2026, 12, 28), date(2027, 1, 1), date(2027, 1, 26)),
)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-23T03:00", 1, "2026-11-24T06:00"),  # Monday afternoon: Tuesday 17:00, in summer time
        ("2026-11-23T03:00", 5, "2026-11-30T06:00"),  # over a weekend
        ("2026-11-27T14:00", 1, "2026-11-30T06:00"),  # Saturday 01:00 in Sydney, though Friday in UTC
        ("2026-12-23T03:00", 5, "2027-01-04T06:00"),  # Christmas, Boxing Day's substitute and New Year
        ("2026-06-19T03:00", 1, "2026-06-22T07:00"),  # winter time
    ],
)
def test_due(start: str, days: int, due: str) -> None:
    """The close of business of the n-th day on which people work, by the local calendar."""
    at = SYDNEY.due(datetime.fromisoformat(start).replace(tzinfo=UTC), days)
    assert at == datetime.fromisoformat(due).replace(tzinfo=UTC)


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.integers(1, 30),
)
def test_just_so_many_days_are_worked(start: datetime, days: int) -> None:
    """Between the day of the start and the due day lie exactly so many working days; the due day is one."""
    due = SYDNEY.due(start, days)
    first, last = (at.astimezone(ZoneInfo("Australia/Sydney")).date() for at in (start, due))
    between = [date.fromordinal(day) for day in range(first.toordinal() + 1, last.toordinal() + 1)]
    assert sum(SYDNEY.is_open(day) for day in between) == days
    assert SYDNEY.is_open(last)
