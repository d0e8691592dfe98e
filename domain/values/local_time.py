"""Instants as the organisation's own clock shows them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_STAMP = re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|\+00:00)(?!\w)", re.ASCII)

_DAY = timedelta(days=1)

UNKNOWN = "unknown"
"""What stands in the place of what cannot be read."""


def instant(said: object) -> datetime | None:
    """An aware instant, or an RFC 3339 stamp, that has a place in UTC and a day on either side; None for all else."""
    try:
        at = datetime.fromisoformat(said) if isinstance(said, str) else said
        if not isinstance(at, datetime) or at.utcoffset() is None:
            return None
        return at if at - _DAY < at < at + _DAY else None
    except (ValueError, OverflowError):
        return None


def zone_of(name: str) -> tzinfo:
    """The zone of this name; UTC where this machine does not know it: every time says its offset."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return UTC


class Clock:
    """Writes instants in a time zone, with their offset from UTC."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone

    @property
    def name(self) -> str:
        """The zone as people know it."""
        return str(self.zone)

    def __call__(self, at: object) -> str:
        """Write an instant, or an RFC 3339 stamp; nothing for None, and `unknown` for what is neither."""
        if at is None:
            return ""
        if (known := instant(at)) is None:
            return UNKNOWN
        local = known.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M:%S} {self.offset(local)}"

    def in_text(self, text: str) -> str:
        """A text with every RFC 3339 stamp of UTC in it written as this clock writes instants."""
        return _STAMP.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        """As it is where it looks like an instant and is none, or one that no zone reaches."""
        return found[0] if instant(found[0]) is None else self(found[0])

    def offset(self, at: datetime) -> str:
        """How far the zone is from UTC at an instant: `+11:00`."""
        offset = at.astimezone(self.zone).strftime("%z")
        return f"{offset[:3]}:{offset[3:5]}"
