"""Instants as the organisation's own clock shows them."""

from datetime import datetime, tzinfo


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

    def offset(self, at: datetime) -> str:
        """How far the zone is from UTC at an instant: `+11:00`."""
        offset = at.astimezone(self.zone).strftime("%z")
        return f"{offset[:3]}:{offset[3:5]}"
