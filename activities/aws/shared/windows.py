"""The stretch of time that a probe looks at."""

from datetime import datetime, timedelta
from typing import NamedTuple

from domain.values.timestamps import stamp_to_second


class Window(NamedTuple):
    """From `start` to `end`, both aware and included."""

    start: datetime
    end: datetime

    @classmethod
    def before(cls, at: datetime, length: timedelta) -> "Window":
        return cls(at - length, at)

    def facts(self) -> dict[str, str]:
        """Both ends, as findings have them."""
        return {"from": stamp_to_second(self.start), "to": stamp_to_second(self.end)}

    def of(self, place: str) -> str:
        """Name a stretch of what is kept at a place, for a finding's evidence."""
        return f"{place} from {stamp_to_second(self.start)} to {stamp_to_second(self.end)}"

    def milliseconds(self) -> tuple[int, int]:
        """Both ends in milliseconds since 1970, as CloudWatch Logs takes them."""
        return round(self.start.timestamp() * 1000), round(self.end.timestamp() * 1000)
