"""Instants as text, for machines and for people."""

from datetime import UTC, datetime
from typing import Annotated, overload

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


@overload
def stamp(at: datetime) -> str: ...
@overload
def stamp(at: None) -> None: ...
def stamp(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, with `Z`."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@overload
def stamp_to_second(at: datetime) -> str: ...
@overload
def stamp_to_second(at: None) -> None: ...
def stamp_to_second(at: datetime | None) -> str | None:
    """RFC 3339 in UTC without fractions, as findings and manifests have it: `2026-11-23T03:30:00Z`."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def short_time(at: datetime) -> str:
    """An aware instant for people, in UTC to the minute: `23 Nov 03:30 UTC`."""
    return f"{at.astimezone(UTC):%d %b %H:%M} UTC"
