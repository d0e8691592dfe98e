"""Instants as text, for machines and for people."""

from datetime import UTC, datetime
from typing import overload


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
