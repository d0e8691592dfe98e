"""AWS's time by the Date header of its answers, and how far off it a clock is."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

GRAIN = timedelta(seconds=1)
"""The Date header is cut to the second (RFC 9110, "Date")."""


def date_of(answer: Mapping[str, Any]) -> datetime | None:
    """When AWS gave an answer, as botocore parsed it, in UTC and cut to the second; None where it does not say."""
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return None


def off(theirs: datetime, before: datetime, after: datetime) -> timedelta:
    """How far a clock is ahead of AWS's, which said `theirs` between that clock's `before` and `after`.

    Negative where it is behind, and zero where it may be right: a slow answer makes no clock wrong.
    """
    ahead, behind = before - (theirs + GRAIN), after - theirs
    return ahead if ahead > timedelta() else min(behind, timedelta())


def told(wrong: timedelta) -> str:
    """Say it, before whose clock it was held against: `360 s ahead of`."""
    return f"{abs(wrong).total_seconds():.0f} s {'ahead of' if wrong > timedelta() else 'behind'}"
