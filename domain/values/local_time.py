"""Instants as the organisation's own clock shows them."""

import re
from datetime import datetime, tzinfo

_STAMP = re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|\+00:00)(?!\w)", re.ASCII)


class Clock:
    """Writes instants in a time zone, with their offset from UTC."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone

    @property
    def name(self) -> str:
        """The zone as people know it."""
        return str(self.zone)

    def __call__(self, at: datetime | str | None) -> str:
        """Write an instant, or an RFC 3339 stamp; nothing for None."""
        if at is None:
            return ""
        local = (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M:%S} {self.offset(local)}"

    def in_text(self, text: str) -> str:
        """A text with every RFC 3339 stamp of UTC in it written as this clock writes instants."""
        return _STAMP.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        try:
            return self(found[0])
        except (ValueError, OverflowError):  # it looks like an instant and is none, or one that no zone reaches
            return found[0]

    def offset(self, at: datetime) -> str:
        """How far the zone is from UTC at an instant: `+11:00`."""
        offset = at.astimezone(self.zone).strftime("%z")
        return f"{offset[:3]}:{offset[3:5]}"
