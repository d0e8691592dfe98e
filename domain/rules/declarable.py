"""Whether an incident can be carried on as it is declared: whoever reaches Temporal may start one with anything.

What no date can hold would fail its tasks for ever, so it does not begin.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.model.declaration import Declaration

_FIRST = datetime(2020, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
"""As far as clocks may be apart."""

_LONGEST = timedelta(days=100 * 366)
_DAYS = 3660
"""The most business days that something may be due in."""


def doubt(declaration: Declaration, now: datetime) -> str | None:
    """Why it cannot begin at `now` (UTC), in one line; None where it can. Declared in the past, it may be."""
    for name, at in _instants(declaration):
        if not _is_sane(at, now):
            return f"{name} is no instant with an offset from {_FIRST:%Y} to a day after now"
    if any(count > _DAYS for step in declaration.runbook.steps() for count in _business_days(step)):
        return f"something of its runbook is due in more than {_DAYS} business days"
    slowest = min(declaration.speed, 1)
    if any(abs(one) > _LONGEST * slowest for one in _durations(declaration.model_dump())):
        return "it has a duration of more than a hundred years"
    try:
        for severity in declaration.organisation.severities:
            declaration.policy(severity)
    except ValueError:
        return "at its speed, its policies come to nothing"
    return None


def _instants(declaration: Declaration) -> Iterator[tuple[str, datetime]]:
    yield "declared_at", declaration.declared_at
    if declaration.aware_at is not None:
        yield "aware_at", declaration.aware_at
    if (run := declaration.scheduled) is not None:
        yield from (("scheduled", at) for at in (run.at, *run.missed))


def _is_sane(at: datetime, now: datetime) -> bool:
    return at.utcoffset() is not None and _FIRST <= at <= now + _AHEAD


def _business_days(step: Any) -> Iterator[int]:
    yield from getattr(step, "due_business_days", {}).values()


def _durations(value: Any) -> Iterator[timedelta]:
    """Every duration in it, however deep."""
    if isinstance(value, timedelta):
        yield value
    elif isinstance(value, dict | list | tuple | set | frozenset):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _durations(inner)
