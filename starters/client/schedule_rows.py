"""A row of `schedules.yaml` as a schedule of Temporal's, and back again; where the two differ."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pydantic import ValidationError
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)

from domain.config.drill import DrillChoice
from domain.config.schedule import WEEKDAYS
from domain.config.schedule import Schedule as Row
from domain.model.scheduled import ScheduledRun
from domain.values.durations import spoken
from domain.values.ids import scheduled_workflow_id, task_queue

WORKFLOW = "Scheduled"
"""The type of the workflow that every schedule starts, with a `ScheduledRun`."""

_FIELDS = ("declares", "drill", "at", "months", "days", "weekdays", "catch_up")


class Place(NamedTuple):
    """Where schedules stand, and by whose clock they go: an environment's name, and an IANA time zone."""

    environment: str
    zone: str


class Difference(NamedTuple):
    """A field that Temporal has otherwise than the file, in words."""

    field: str
    was: str
    will_be: str


def in_temporal(row: Row, place: Place) -> Schedule:
    """A row as Temporal's schedule: one calendar of the organisation's zone, no jitter, no two runs at once."""
    run = ScheduledRun(schedule=row.id, environment=place.environment, declares=row.declares, drill=row.drill)
    calendar = ScheduleCalendarSpec(hour=_ranges([row.hour]), minute=_ranges([row.minute]))
    if row.months is not None:
        calendar = replace(calendar, month=_ranges(row.months))
    if row.days is not None:
        calendar = replace(calendar, day_of_month=_ranges(row.days))
    if row.weekdays is not None:
        calendar = replace(calendar, day_of_week=_ranges(map(WEEKDAYS.index, row.weekdays)))
    return Schedule(
        action=ScheduleActionStartWorkflow(
            WORKFLOW,
            run.model_dump(exclude_none=True),
            id=scheduled_workflow_id(place.environment, row.id),
            task_queue=task_queue(place.environment),
        ),
        spec=ScheduleSpec(calendars=[calendar], time_zone_name=place.zone),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=row.catch_up),
    )


def as_row(schedule: Schedule, given: Sequence[Any], environment: str) -> Row | None:
    """The row that makes this schedule in an environment, with these arguments `given`; None if no row can."""
    calendars = schedule.spec.calendars
    if len(calendars) != 1:
        return None
    calendar = calendars[0]
    hours, minutes = _numbers(calendar.hour), _numbers(calendar.minute)
    if len(hours) != 1 or len(minutes) != 1 or _numbers(calendar.second) != [0] or calendar.year:
        return None
    weekdays = _part(calendar.day_of_week, 7)
    try:
        run = ScheduledRun.model_validate(*given)
        if run.environment != environment:
            return None
        return Row.model_validate(
            {
                "id": run.schedule,
                "declares": run.declares,
                "with": run.drill,
                "at": f"{hours[0]:02}:{minutes[0]:02}",
                "months": _part(calendar.month, 12),
                "days": _part(calendar.day_of_month, 31),
                "weekdays": weekdays and [WEEKDAYS[day] for day in weekdays],
                "catch_up": schedule.policy.catchup_window,
            }
        )
    except (ValidationError, TypeError):  # arguments of another form, or of another number
        return None


def differences(row: Row, was: Row | None, schedule: Schedule, place: Place) -> Iterator[Difference]:
    """What a schedule and its row `was` before it is made to be as `row`: fields, zone, and all that no row can say."""
    if was is None:
        yield Difference("all", "changed by hand", f"{row.declares}, {row.when()}")
        return
    for name in _FIELDS:
        if (old := getattr(was, name)) != (new := getattr(row, name)):
            yield Difference(name, _text(old), _text(new))
    if (zone := schedule.spec.time_zone_name or "UTC") != place.zone:
        yield Difference("zone", zone, place.zone)
    if _rest(schedule) != _rest(in_temporal(row, place)):
        yield Difference("start and overlap", "changed by hand", "as the program does it")


def _rest(schedule: Schedule) -> tuple[Any, ...]:
    """What there is to a schedule beside a row and a zone: other times, what it starts, and how."""
    spec = replace(schedule.spec, calendars=[], cron_expressions=[], time_zone_name=None)
    policy = replace(schedule.policy, catchup_window=SchedulePolicy().catchup_window)
    return spec, policy, *(getattr(schedule.action, name, None) for name in ("workflow", "id", "task_queue"))


def _text(value: Any) -> str:
    if value is None:
        return "every"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, DrillChoice):
        return ", ".join(value.model_dump(exclude_none=True).values())
    return value if isinstance(value, str) else spoken(value)


def _ranges(values: Iterable[int]) -> list[ScheduleRange]:
    return [ScheduleRange(value) for value in values]


def _numbers(ranges: Sequence[ScheduleRange]) -> list[int]:
    return sorted({value for one in ranges for value in range(one.start, one.end + 1, one.step)})


def _part(ranges: Sequence[ScheduleRange], count: int) -> list[int] | None:
    """The values of a calendar's field; None if they are all that there are."""
    values = _numbers(ranges)
    return None if len(values) == count else values
