"""The times of schedules as the real server has them, for a whole year, against an oracle that walks through the year
quarter by quarter of an hour, in UTC, and asks each for what the clock on the wall says."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest

from domain.config.schedule import Schedule
from starters.client.schedule_rows import Place, in_temporal
from starters.client.schedules import handle
from starters.files.organisation_folder import load_schedules
from starters.files.schedule_checks import clock_changes, oddity
from starters.files.shipped import shipped_folder
from tests.organisations.folders import HARBOUR
from tests.starters.backstage import Backstage

YEAR = 2027
QUARTER = timedelta(minutes=15)
ODD: list[dict[str, Any]] = [
    {"id": "midnight", "at": "00:00"},
    {"id": "weekends", "at": "23:45", "weekdays": ["sunday", "saturday"]},
    {"id": "last-days", "at": "12:15", "days": [31], "months": [1, 3, 5, 7, 8, 10, 12]},
    {"id": "unlucky", "at": "05:30", "days": [13], "weekdays": ["friday"]},
    {"id": "fourth-week", "at": "10:00", "days": [22, 23, 24, 25, 26, 27, 28], "weekdays": ["monday", "friday"]},
]
ROWS = [
    *load_schedules(shipped_folder(), None).schedules,
    *load_schedules(HARBOUR, None).schedules,
    *(Schedule.model_validate({"declares": "drift", **row}) for row in ODD),
]


@cache
def quarters(zone: str) -> dict[str, list[datetime]]:
    """Every quarter of an hour of the year, as the clock of a zone shows it, by its time of day."""
    local = ZoneInfo(zone)
    at, end = (datetime(year, 1, 1, tzinfo=local).astimezone(UTC) for year in (YEAR, YEAR + 1))
    shown: dict[str, list[datetime]] = defaultdict(list)
    for n in range((end - at) // QUARTER):
        wall = (at + n * QUARTER).astimezone(local)
        shown[f"{wall:%H:%M}"].append(wall)
    return shown


def expected(row: Schedule, zone: str) -> list[datetime]:
    """The instants at which the wall shows what the row says."""
    weekdays = [day.capitalize() for day in row.weekdays or ()]
    return [
        wall.astimezone(UTC)
        for wall in quarters(zone)[row.at]
        if wall.day in (row.days or range(32))
        if wall.month in (row.months or range(13))
        if not weekdays or f"{wall:%A}" in weekdays
    ]


def year(backstage: Backstage, row: Schedule, zone: str) -> list[datetime]:
    """The server's times of a year; the schedule is gone afterwards."""
    first, last = (datetime(of, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for of in (YEAR, YEAR + 1))

    async def ask() -> list[datetime]:
        client, place = backstage.client, Place("year", zone)
        made = await client.create_schedule(handle(client, place.environment, row.id).id, in_temporal(row, place))
        request = ListScheduleMatchingTimesRequest(namespace=client.namespace, schedule_id=made.id)
        request.start_time.FromDatetime(first - timedelta(seconds=1))  # what comes after it
        request.end_time.FromDatetime(last - timedelta(seconds=1))
        answer = await client.workflow_service.list_schedule_matching_times(request)
        await made.delete()
        return [at.ToDatetime(tzinfo=UTC) for at in answer.start_time]

    return backstage.run(ask())


@pytest.mark.parametrize("zone", ["Australia/Sydney", "Europe/Lisbon", "Australia/Lord_Howe", "UTC"])
def test_every_time_of_a_year_is_as_the_file_says(backstage: Backstage, zone: str) -> None:
    """Each row of the shipped organisation, of the second one, and some that try calendars, in four zones.

    So are those that a run counts as missed.
    """
    for row in ROWS:
        if zone == "Europe/Lisbon" and row.at == "00:00":
            continue  # which lint refuses there
        times = expected(row, zone)
        assert times, row.when()
        assert year(backstage, row, zone) == times, row.when()
        first, last = (datetime(of, 1, 1, tzinfo=ZoneInfo(zone)) - QUARTER for of in (YEAR, YEAR + 1))
        assert [*row.between(first, last, ZoneInfo(zone))] == times, row.when()


def nights(zone: str) -> Iterator[tuple[Schedule, bool]]:
    """A nightly row for each quarter of the hours in which clocks are changed, and whether lint lets it be."""
    local = ZoneInfo(zone)
    changes = [change for change in clock_changes(local, date(YEAR - 1, 12, 1)) if change.day.year == YEAR]
    for minutes in [*range(0, 300, 15), *range(21 * 60, 24 * 60, 15)]:
        at = f"{minutes // 60:02}:{minutes % 60:02}"
        row: Any = {"id": "night", "declares": "drift", "at": at}
        yield Schedule.model_validate(row), not any(oddity(local, change, minutes) for change in changes)


@pytest.mark.parametrize(
    "zone",
    [
        *("Australia/Sydney", "Australia/Lord_Howe", "Europe/Lisbon", "UTC"),
        *("America/New_York", "America/Santiago", "Asia/Beirut", "Atlantic/Azores", "Africa/Casablanca"),
    ],
)
def test_lint_refuses_what_the_server_does_not_do_once_a_day(backstage: Backstage, zone: str) -> None:
    """And nothing else: what it lets be comes once on each day of the year, at the time that the wall shows.

    What it refuses the wall shows twice or never on some day, or the server starts it at another time too.
    """
    for row, safe in nights(zone):
        times, wall = year(backstage, row, zone), expected(row, zone)
        once_a_day = len({at.astimezone(ZoneInfo(zone)).date() for at in wall}) == len(wall) == 365
        assert safe == (times == wall and once_a_day), row.at
