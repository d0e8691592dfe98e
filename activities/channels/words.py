"""What a page says and to whom it goes, by the worker's own files: a request names its reader and its reason."""

from collections.abc import Callable

import structlog

from activities.action import RuleError
from activities.house import House, environment_of, refuse_speed
from activities.strange_requests import Strange, StrangeRequestError
from domain.model.activity_io import PageRequest, Wave, WaveRequest
from domain.model.calls import PageCall, WaveCall
from domain.rules.messages import framed

_log = structlog.get_logger(__name__)


def waved(
    house: House, asked: WaveRequest, send: Callable[[WaveCall], Wave], note: Callable[[RuleError, PageRequest], None]
) -> Wave:
    """Send a wave; whoever cannot be addressed is noted, and left to a page of their own, which says why."""
    pages = [_addressed_or_none(house, one, note) for one in asked.pages]
    sent = iter(send(WaveCall(pages=[one for one in pages if one])).sent)
    return Wave(sent=[None if one is None else next(sent) for one in pages])


def _addressed_or_none(
    house: House, asked: PageRequest, note: Callable[[RuleError, PageRequest], None]
) -> PageCall | None:
    try:
        return addressed(house, asked)
    except RuleError as error:
        _log.warning("a page cannot be addressed", page=asked.page_id, problem=str(error))
        note(error, asked)
        return None


def addressed(house: House, asked: PageRequest) -> PageCall:
    """The page of a request, with its reader's channels as they are now.

    Raises `RuleError` for a reader who is no contact of the worker's organisation, for another environment, and for a
    drill in production.
    """
    environment, organisation = environment_of(house, asked.about.environment), house.organisation()
    refuse_speed(environment, asked.about.speed)
    if asked.about.mode == "drill" and environment.kind == "production":
        raise StrangeRequestError(f"there are no drills in {environment.name}, which is production", Strange.ELSEWHERE)
    contact = organisation.contact(asked.to)
    if contact is None or contact.id != asked.to:
        reason = f"{asked.to!r} is no contact of {organisation.id}: nobody else is paged"
        raise StrangeRequestError(reason, Strange.NOBODY)
    words = framed(asked, organisation)
    return PageCall(
        page_id=asked.page_id,
        incident=asked.about.incident,
        to=contact.id,
        role=asked.role,
        channels=contact.channels if asked.message == "page" else contact.mail_first(),
        sender=environment.notifications,
        subject=words.subject,
        body=words.body,
        ledger_table=environment.ledger_table,
        speed=asked.about.speed,
        plan=asked.plan,
    )
