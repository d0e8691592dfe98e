"""Instants as text."""

from datetime import UTC, datetime
from typing import overload


@overload
def stamp(at: datetime) -> str: ...
@overload
def stamp(at: None) -> None: ...
def stamp(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, with `Z`."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
