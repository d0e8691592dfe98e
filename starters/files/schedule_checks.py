"""What must hold within an organisation's `schedules.yaml`, and between it, the other files and the clocks."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from domain.config.names import Flaw, items, mapping, parts, strange
from domain.config.schedule import MADE, MAINTENANCE, NO_MAINTENANCE, TRIALS, Schedule

_AHEAD = timedelta(days=28 * 365 + 7)
"""28 years, after which the same dates are the same weekdays."""
_DAY_MINUTES = 24 * 60


class ClockChange(NamedTuple):
    """A day about which the clocks of a zone are changed: put `back` by so much, or forward if that is negative."""

    day: date
    back: timedelta


def of_schedules(
    data: Mapping[str, Any],
    timezone: str | None,
    types: Collection[str],
    environments: Mapping[str, str],
    scenarios: Collection[str],
) -> Iterator[Flaw]:
    """Names that lead nowhere, and times that a change of clocks skips or doubles in the organisation's zone.

    `environments` are the kinds of environments by their names. Of clocks nothing is said without a `timezone`, or
    with one that is none.
    """
    zone = _zone(timezone)
    for at, row in parts(data, "schedules"):
        yield from strange((*at, "declares"), row.get("declares"), {*types, *MADE}, "incident type or kind of run")
        if row.get("declares") in MADE and MAINTENANCE not in types:
            yield Flaw((*at, "declares"), NO_MAINTENANCE)
        yield from strange((*at, "environments"), row.get("environments"), environments, "environment")
        if row.get("declares") == TRIALS:
            yield from (Flaw((*at, "declares"), not_tried(name)) for name in _production(row, environments))
        drill = mapping(row.get("with")).get("scenario")
        yield from strange((*at, "with", "scenario"), drill, scenarios, "scenario of drills.yaml")
        try:
            schedule = Schedule.model_validate(row)
        except ValidationError:
            continue  # the model says it better
        if zone and (message := _odd_day(schedule, zone)):
            yield Flaw((*at, "at"), message)


def not_tried(environment: str) -> str:
    """Why changes are not tried in an environment of production, and what to write instead."""
    return f"tries changes, and {environment} is production; name other environments in environments"


def _production(row: Mapping[str, Any], environments: Mapping[str, str]) -> Iterator[str]:
    """The environments of production that a row is for."""
    named = items(row.get("environments")) or environments
    return (name for name in named if environments.get(name) == "production")


def _zone(timezone: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(timezone) if timezone else None
    except (ZoneInfoNotFoundError, ValueError):  # which is said of the organisation's file
        return None


def _odd_day(schedule: Schedule, zone: ZoneInfo) -> str | None:
    """What becomes of the schedule's time where the clocks are next changed so that it suffers, and what would not."""
    minutes = schedule.hour * 60 + schedule.minute
    its = [change for change in clock_changes(zone, datetime.now(UTC).date()) if schedule.comes_on(change.day)]
    for change in its:
        if said := oddity(zone, change, minutes):
            day = f"{change.day.day} {change.day:%B %Y}"
            safe = _nearest_safe(zone, its, minutes)
            return f"{schedule.at} {said} on {day} in {zone}; the nearest time that is safe is {safe}"
    return None


def oddity(zone: ZoneInfo, change: ClockChange, minutes: int) -> str | None:
    """What becomes of a time of day, in minutes from midnight, where clocks are changed; None if it is safe.

    Temporal leaves out what is skipped, or shifts it. East of Greenwich it does what the clocks do twice once, and does
    twice what comes that much before it (temporalio/temporal, service/worker/scheduler/calendar.go, where Go's
    `time.Date` gives the second of two; seen on server 1.32).
    """
    at = datetime.combine(change.day, time()) + timedelta(minutes=minutes)
    once, again = _offsets(zone, at)
    if once != again:
        return "is skipped as the clocks go forward" if once < again else "comes twice as the clocks go back"
    if timedelta() < change.back <= once:
        once, again = _offsets(zone, at + change.back)
        if once > again:
            return "is run twice by Temporal, being just before what comes twice as the clocks go back"
    return None


def _offsets(zone: ZoneInfo, at: datetime) -> tuple[timedelta, timedelta]:
    """How far the zone is from UTC at a local time, taken for its first and for its second coming (PEP 495)."""
    return zone.utcoffset(at) or timedelta(), zone.utcoffset(at.replace(fold=1)) or timedelta()


def _nearest_safe(zone: ZoneInfo, changes: list[ClockChange], minutes: int) -> str:
    """The time of day that is nearest, of those that none of these changes concerns."""
    safe = (
        near
        for near in sorted(range(_DAY_MINUTES), key=lambda minute: abs(minute - minutes))
        if not any(oddity(zone, change, near) for change in changes)
    )
    hour, minute = divmod(next(safe), 60)
    return f"{hour:02}:{minute:02}"


@cache
def clock_changes(zone: ZoneInfo, since: date) -> list[ClockChange]:
    """Every two days, of the 28 years from `since` on, between whose noons the clocks of a zone are changed."""
    changes: list[ClockChange] = []
    noon = datetime.combine(since, time(12))
    was, _ = _offsets(zone, noon)
    for days in range(1, _AHEAD.days):
        later = noon + timedelta(days=days)
        now, _ = _offsets(zone, later)
        if now != was:
            changes += [ClockChange(later.date() - timedelta(days=1), was - now), ClockChange(later.date(), was - now)]
        was = now
    return changes
