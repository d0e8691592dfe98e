"""What an organisation does again and again, and when: drills, reviews, checks."""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from domain.config.drill import DrillChoice
from domain.config.names import ConfigFile, Flaw, Keys, doubled, items, parts
from domain.values.durations import Duration
from domain.values.frozen import Frozen

MAINTENANCE = "maintenance"
"""The type of incident in which what upkeep finds is seen to, and what a drill could not clear up."""
NO_MAINTENANCE = (
    f"leaves its work to incidents of type {MAINTENANCE}, of which there is no runbook; write {MAINTENANCE}.yaml"
)

TRIALS, RECOVERY_TEST = "trials", "recovery-test"
MADE = ("compliance-pack", "contact-validation", "drift", "drill", RECOVERY_TEST, "runbook-review", TRIALS)
"""What a run may open beside an incident type of the organisation: the kinds that the program makes itself."""

Weekday = Literal["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
WEEKDAYS: tuple[Weekday, ...] = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""In the order of Temporal's calendars, where Sunday is 0."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_COMMON_YEAR = 2027
_WEEKS = ("first", "second", "third", "fourth")
_SHORTEST_CATCH_UP = timedelta(seconds=10)  # what Temporal raises anything shorter to (API, SchedulePolicies)


def _time(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f'{value!r} is no time of day; write hours and minutes in quotes, such as "09:30"')
    return value


def _some(values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if values == ():
        raise ValueError("is empty, and nothing would ever come; leave it out for every one")
    return values


def _numbers(values: tuple[int, ...] | None) -> tuple[int, ...] | None:
    return _some(values) and tuple(sorted(set(values or ())))


def _weekdays(values: tuple[Weekday, ...] | None) -> tuple[Weekday, ...] | None:
    return _some(values) and tuple(sorted(set(values or ()), key=WEEKDAYS.index))


class Schedule(Frozen):
    """One row: at which time of which days, by the organisation's clock, a run of what `declares` names begins.

    A day must be in all of `months` (1 to 12), `days` (of the month) and `weekdays` that are given, as in Temporal's
    calendars: days 1 to 7 and Tuesday are the first Tuesday. What was due while Temporal was away begins when it is
    back, if that is within `catch_up`. With `environments` it is for these alone. `with` says which drill it starts.
    """

    model_config = ConfigDict(populate_by_name=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    declares: str
    drill: DrillChoice | None = Field(default=None, alias="with")
    at: Annotated[str, AfterValidator(_time)]
    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...] | None, AfterValidator(_numbers)] = None
    days: Annotated[tuple[Annotated[int, Field(ge=1, le=31)], ...] | None, AfterValidator(_numbers)] = None
    weekdays: Annotated[tuple[Weekday, ...] | None, AfterValidator(_weekdays)] = None
    catch_up: Duration = Field(default=timedelta(days=1), ge=_SHORTEST_CATCH_UP)
    environments: Annotated[tuple[str, ...] | None, AfterValidator(_some)] = None

    @property
    def hour(self) -> int:
        return int(self.at[:2])

    @property
    def minute(self) -> int:
        return int(self.at[3:])

    def comes_on(self, day: date) -> bool:
        """Whether it comes on a day, whatever the clocks do."""
        return (
            (self.months is None or day.month in self.months)
            and (self.days is None or day.day in self.days)
            and (self.weekdays is None or WEEKDAYS[day.isoweekday() % 7] in self.weekdays)
        )

    def between(self, after: datetime, until: datetime, zone: tzinfo) -> Iterator[datetime]:
        """Every instant at which it comes in a zone later than `after` and not later than `until`, in UTC.

        Of two by the same clock on a day it is the first; one that the clocks skip is none. Lint refuses both.
        """
        day, last = after.astimezone(zone).date(), until.astimezone(zone).date()
        while day <= last:
            wall = datetime.combine(day, time(self.hour, self.minute), zone)
            at = wall.astimezone(UTC)
            if self.comes_on(day) and after < at <= until and at.astimezone(zone) == wall:
                yield at
            day += timedelta(days=1)

    def when(self) -> str:
        """Say it in words: `10:00 on the second Tuesday of every month`."""
        return f"{self.at} {self._days()}{self._of_months()}"

    def _days(self) -> str:
        names = listed([day.capitalize() for day in self.weekdays or ()])
        if self.days is None:
            return f"every {names or 'day'}"
        if names and (week := _week(self.days)):
            return f"on the {week} {names}"
        days = f"day{'s' if len(self.days) > 1 else ''} {listed(_spans(self.days))}"
        return f"every {names} that is on {days}" if names else f"on {days}"

    def _of_months(self) -> str:
        if self.months is not None:
            return f" of {listed([_MONTHS[month - 1] for month in self.months])}"
        return "" if self.days is None else " of every month"


class Schedules(ConfigFile):
    """An organisation's `schedules.yaml`."""

    schedules: tuple[Schedule, ...] = ()

    @staticmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
        """Ids that stand twice; days of the month that some month does not have; what is said of no drill."""
        rows = parts(data, "schedules")
        yield from doubled(rows)
        for at, row in rows:
            yield from _lacking((*at, "days"), items(row.get("days")), items(row.get("months")))
            if row.get("with") and row.get("declares") != "drill":
                yield Flaw((*at, "with"), "is for drills alone; leave it out, or declare a drill")

    def of(self, environment: str) -> dict[str, Schedule]:
        """The rows that are for an environment, by their ids."""
        return {row.id: row for row in self.schedules if row.environments is None or environment in row.environments}


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _lacking(at: Keys, days: list[Any], months: list[Any]) -> Iterator[Flaw]:
    """Each day that is not in every month which is meant: Temporal would leave those out, and say nothing."""
    meant = [month for month in months or range(1, 13) if isinstance(month, int) and 1 <= month <= 12]
    for index, day in enumerate(days):
        if not isinstance(day, int) or day > 31:
            continue  # which the model says
        without = [_MONTHS[month - 1] for month in meant if day > monthrange(_COMMON_YEAR, month)[1]]
        having = len(meant) - len(without)
        never = listed(without) + (", but for leap years" if day == 29 else "")
        if without and having:
            message = f"comes in {having} of {len(meant)} months, not in {never}; name the others alone, or another day"
            yield Flaw((*at, index), f"{day} {message}")
        elif without:
            yield Flaw((*at, index), f"{day} never comes in {never}; give another day or month")


def _week(days: tuple[int, ...]) -> str | None:
    """Which week of a month these seven days are: each weekday is once in it."""
    weeks = {tuple(range(7 * n + 1, 7 * n + 8)): name for n, name in enumerate(_WEEKS)}
    return weeks.get(days)


def _spans(days: tuple[int, ...]) -> list[str]:
    """Days in a row as one: `1`, `8 to 14`."""
    starts = [days[0], *(later for day, later in pairwise(days) if later > day + 1)]
    ends = [*(day for day, later in pairwise(days) if later > day + 1), days[-1]]
    return [str(first) if first == last else f"{first} to {last}" for first, last in zip(starts, ends, strict=True)]
