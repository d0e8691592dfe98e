"""Periods of whole days by an organisation's clock: read, named, and those of a schedule without a gap."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.values.periods import months_before, period

SYDNEY = ZoneInfo("Australia/Sydney")


@pytest.mark.parametrize(
    ("text", "since", "until", "name"),
    [
        ("2026-Q3", "2026-06-30T14:00", "2026-09-30T14:00", "2026-Q3"),
        ("2026-Q4", "2026-09-30T14:00", "2026-12-31T13:00", "2026-Q4"),  # its clocks go forward on 4 October
        ("2026-07", "2026-06-30T14:00", "2026-07-31T14:00", "2026-07"),
        ("2026-12", "2026-11-30T13:00", "2026-12-31T13:00", "2026-12"),
        ("2026-01-01..2026-03-31", "2025-12-31T13:00", "2026-03-31T13:00", "2026-Q1"),
        ("2024-02-01..2024-02-29", "2024-01-31T13:00", "2024-02-29T13:00", "2024-02"),
        ("2026-01-05..2026-01-05", "2026-01-04T13:00", "2026-01-05T13:00", "2026-01-05..2026-01-05"),
    ],
)
def test_days_are_those_of_the_organisation(text: str, since: str, until: str, name: str) -> None:
    """The last day is in it; the shortest name for the same days is its name."""
    found = period(text, SYDNEY)
    assert [f"{at:%Y-%m-%dT%H:%M}" for at in (found.since, found.until)] == [since, until]
    assert found.name == name
    assert period(found.name, SYDNEY) == found


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-Q5", "2026-13", "2026-q3", "2026-02-30..2026-03-01", "2026-03-02..2026-03-01", "2026-7"]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^.+$"):
        period(text, SYDNEY)


@pytest.mark.parametrize(
    ("at", "after", "name"),
    [
        ("2026-09-30T20:00", None, "2026-Q3"),  # 1 October, 06:00 in Sydney
        ("2026-09-30T20:00", "2026-06-30T20:00", "2026-Q3"),
        ("2026-09-30T20:00", "2026-03-31T19:00", "2026-04-01..2026-09-30"),  # a run was missed
        ("2026-09-30T20:00", "2026-08-31T20:00", "2026-09"),
        ("2026-10-01T02:00", "2026-09-30T20:00", "2026-09"),  # by hand, on the same day
        ("2026-12-31T19:00", None, "2026-Q4"),
    ],
)
def test_runs_leave_no_month_out(at: str, after: str | None, name: str) -> None:
    """The period ends before the month of the run, and begins where that of the last run ended."""
    due, last = (None if one is None else datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (at, after))
    assert due is not None
    assert months_before(due, SYDNEY, last).name == name
