"""Instants as findings write them."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """Write an aware instant in UTC to the second: `2026-11-23T03:30:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def optional(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def clock(moment: datetime) -> str:
    """Write an aware instant for people: `23 Nov 03:30 UTC`."""
    return f"{moment.astimezone(UTC):%d %b %H:%M} UTC"
