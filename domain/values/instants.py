"""Instants as they come in from outside."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

_YEARS = range(1900, 2200)


def _in_utc(at: datetime) -> datetime:
    """Raises `ValueError` for an instant that has no place in UTC, or that no clock of ours can count with."""
    try:
        at = at.astimezone(UTC)
    except OverflowError:
        raise ValueError("the instant is beyond what can be told in UTC") from None
    if at.year not in _YEARS:
        raise ValueError(f"the year is none of {_YEARS.start} to {_YEARS.stop - 1}")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant as it comes in: it says its offset, is taken as UTC, and can be counted with."""
