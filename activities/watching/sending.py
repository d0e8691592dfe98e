"""Sending the watcher's pages: each by itself, so that nobody waits for another's channel to be mended."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import structlog
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.channels.paging import Pager
from activities.channels.sent import Attempt
from activities.channels.words import addressed
from activities.house import House
from domain.model.activity_io import PageRequest
from domain.model.silence import Told

_log = structlog.get_logger(__name__)


class Round(NamedTuple):
    """Who was reached, and whether nobody is left to be tried again. Who cannot be paged at all is not."""

    told: list[Told]
    is_whole: bool


def send(house: House, pager: Pager, pages: Iterable[PageRequest], now: datetime) -> Round:
    """Send them; one that went out before, by its id, is not sent again, and counts as told."""
    told, is_whole = [], True
    for asked in pages:
        try:
            paged = pager.page(addressed(house, asked), Attempt(1, now, now))
        except RuleError as error:
            _log.error("nobody can be paged so", page=asked.page_id, problem=str(error))
        except Exception as error:  # noqa: BLE001 - the next is paged, and this one again by the next look
            is_whole = False
            kind = error.type if isinstance(error, ApplicationError) else type(error).__name__
            _log.warning("a page did not go out", page=asked.page_id, error=kind)
        else:
            told.append(Told(at=now, to=asked.to, role=asked.role, channel=paged.channel))
    return Round(told, is_whole)
