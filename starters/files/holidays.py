"""Which days an organisation does not work, from the calendar of public holidays that a library keeps."""

from datetime import datetime

from domain.config.organisation import Organisation
from domain.values.business_days import BusinessCalendar
from starters.errors import RefusedError

_YEARS = 3
"""How far an incident's calendar reaches; what is counted beyond knows weekends alone."""


def calendar(organisation: Organisation, now: datetime) -> BusinessCalendar:
    """The working days that an incident declared now may count.

    Raises `RefusedError` for a place that the library has no calendar of.
    """
    where = organisation.holidays
    if where is None:
        return BusinessCalendar(timezone=organisation.timezone)
    from holidays import country_holidays

    years = range(now.year, now.year + _YEARS)
    try:
        found = country_holidays(where.country, subdiv=where.subdivision, years=years)
    except NotImplementedError as error:  # how the library says that it knows no such place
        raise RefusedError(f"no calendar of public holidays for {where.country} {where.subdivision or ''}") from error
    return BusinessCalendar(timezone=organisation.timezone, holidays=tuple(sorted(found)))
