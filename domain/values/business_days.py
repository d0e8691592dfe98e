"""Working days, where people count in them: weekdays that are no public holiday, in the organisation's time zone."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.values.frozen import Frozen

CLOSE_OF_BUSINESS = time(17)
_SATURDAY = 5


class BusinessCalendar(Frozen):
    """The public holidays that an incident may meet. It is data, so that a later release counts the same days."""

    timezone: str = "UTC"
    holidays: tuple[date, ...] = ()

    def is_open(self, day: date) -> bool:
        """Whether people work on that day."""
        return day.weekday() < _SATURDAY and day not in self.holidays

    def due(self, start: datetime, days: int) -> datetime:
        """The close of business, in UTC, of the `days`-th working day after the day of `start`."""
        zone = ZoneInfo(self.timezone)
        day = start.astimezone(zone).date()
        while days > 0:
            day += timedelta(days=1)
            days -= self.is_open(day)
        return datetime.combine(day, CLOSE_OF_BUSINESS, zone).astimezone(ZoneInfo("UTC"))
