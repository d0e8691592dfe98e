"""Rows of `schedules.yaml`: the days that they come on, how that is said, and days that some month lacks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from domain.config.names import written
from domain.config.schedule import Schedule, Schedules


def row(**given: Any) -> Schedule:
    return Schedule.model_validate({"id": "one", "declares": "drift", "at": "10:00", **given})


SECOND_WEEK = list(range(8, 15))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "10:00 every day"),
        ({"months": [3]}, "10:00 every day of March"),
        ({"weekdays": ["friday", "monday"]}, "10:00 every Monday and Friday"),
        ({"days": [1]}, "10:00 on day 1 of every month"),
        ({"days": [1, 3, 4, 5, 28], "months": [1, 7]}, "10:00 on days 1, 3 to 5 and 28 of January and July"),
        ({"days": SECOND_WEEK, "weekdays": ["tuesday"]}, "10:00 on the second Tuesday of every month"),
        ({"days": [13], "weekdays": ["friday"]}, "10:00 every Friday that is on day 13 of every month"),
    ],
)
def test_when_is_said_in_words(given: dict[str, Any], said: str) -> None:
    """People read when a schedule comes, not its numbers."""
    assert row(**given).when() == said


def test_a_day_must_be_in_everything_that_is_given() -> None:
    """Days and weekdays together are the nth weekday: one day of each month, which is a Tuesday of its second week."""
    second = row(days=SECOND_WEEK, weekdays=["tuesday"], months=[3, 9])
    year = [date(2027, 1, 1) + timedelta(days=n) for n in range(365)]
    assert [day for day in year if second.comes_on(day)] == [date(2027, 3, 9), date(2027, 9, 14)]
    assert all(map(row().comes_on, year))


def test_order_and_repetition_mean_nothing() -> None:
    """So that a file that is merely written otherwise is no change."""
    assert row(days=[3, 1, 3], weekdays=["monday", "sunday"]) == row(days=[1, 3], weekdays=["sunday", "monday"])


@pytest.mark.parametrize(
    "given",
    [
        {"at": "9:30"},
        {"at": "24:00"},
        {"days": []},
        {"months": []},
        {"weekdays": []},
        {"environments": []},
        {"days": [0]},
        {"months": [13]},
        {"weekdays": ["moonday"]},
        {"catch_up": "5s"},
        {"every": "day"},
        {"id": "Drift"},
    ],
)
def test_what_says_no_time_is_refused(given: dict[str, Any]) -> None:
    """An empty set would never come; a catch-up under ten seconds Temporal makes ten."""
    with pytest.raises(ValidationError):
        row(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"days": [30], "months": [2]}, "30 never comes in February; give another day or month"),
        ({"days": [29], "months": [2]}, "29 never comes in February, but for leap years; give another day or month"),
        ({"days": [31], "months": [4, 6]}, "31 never comes in April and June; give another day or month"),
        (
            {"days": [31]},
            (
                "31 comes in 7 of 12 months, not in February, April, June, September and November; "
                "name the others alone, or another day"
            ),
        ),
        (
            {"days": [1, 29]},
            "29 comes in 11 of 12 months, not in February, but for leap years; name the others alone, or another day",
        ),
        ({"days": [31], "months": [1, 12]}, None),
        ({"days": [28]}, None),
    ],
)
def test_a_day_that_a_month_lacks_is_told_with_how_often_it_comes(given: dict[str, Any], message: str | None) -> None:
    """Temporal leaves it out in silence: whoever wants that names the months that have the day."""
    flaws = list(Schedules.flaws({"schedules": [{"id": "one", "declares": "drift", "at": "10:00", **given}]}))
    assert [flaw.message for flaw in flaws] == ([message] if message else [])
    assert all(written(flaw.at).startswith("schedules[0].days[") for flaw in flaws)


def test_a_row_is_for_the_environments_that_it_names() -> None:
    """Or for every one."""
    rows = Schedules.model_validate(
        {
            "schedules": [
                {"id": "a", "declares": "drift", "at": "04:00"},
                {"id": "b", "declares": "drill", "at": "10:00", "environments": ["staging"]},
            ]
        }
    )
    assert (list(rows.of("staging")), list(rows.of("production"))) == (["a", "b"], ["a"])


SYDNEY = ZoneInfo("Australia/Sydney")


@pytest.mark.parametrize(
    ("after", "until", "times"),
    [
        # the clocks of Sydney go back on 4 April 2027 and forward on 3 October 2027, at 03:00 and at 02:00
        ("2027-04-01T18:00Z", "2027-04-05T18:00Z", ["02T17:00", "03T18:00", "04T18:00", "05T18:00"]),
        ("2027-10-01T18:00Z", "2027-10-04T16:59Z", ["02T17:00", "03T17:00"]),
        ("2027-04-05T17:59Z", "2027-04-05T18:00Z", ["05T18:00"]),
        ("2027-04-05T18:00Z", "2027-04-05T18:01Z", []),
        ("2027-04-06T18:00Z", "2027-04-05T18:00Z", []),
    ],
)
def test_what_was_due_between_two_instants(after: str, until: str, times: list[str]) -> None:
    """By the wall's clock, 04:00 each night, whatever the clocks do; the first instant is out, the last is in."""
    found = row(at="04:00").between(datetime.fromisoformat(after), datetime.fromisoformat(until), SYDNEY)
    assert [f"{at:%dT%H:%M}" for at in found] == times


def test_a_time_that_the_clocks_skip_is_none() -> None:
    """02:30 is not on the wall on 3 October, and comes on the days beside it."""
    first, last = (datetime(2027, 10, day, 12, tzinfo=UTC) for day in (1, 4))
    found = [at.astimezone(SYDNEY) for at in row(at="02:30").between(first, last, SYDNEY)]
    assert [f"{at:%d %H:%M}" for at in found] == ["02 02:30", "04 02:30"]
