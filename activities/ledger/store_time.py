"""What time it is by the ledger's store, which has no clock to ask: by the Date header of its answers.

Leases are counted by it, and no worker's own clock decides anything: it is only compared.
"""

from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import structlog

from activities.aws.shared.date_header import date_of, off, told

TOLERANCE = timedelta(seconds=5)
"""How far this machine's clock may be off before it changes nothing; a slow answer does not count as that."""
_FRESH_SECONDS = 10.0
_ASKED = "asked at"
_log = structlog.get_logger(__name__)


class ClockError(Exception):
    """What time it is is not known well enough to change anything here. Worth waiting for: another worker may know."""


class _Reading(NamedTuple):
    """When the store answered, by its own clock, when that was heard here, and how far off our clock was then."""

    at: datetime
    heard: float
    off: timedelta


class StoreTime:
    """The time in the store by the newest answer to one client. Safe to share between threads."""

    def __init__(self) -> None:
        self._newest: _Reading | None = None
        self._said = False

    @property
    def is_fresh(self) -> bool:
        """Whether an answer told the time within the last ten seconds: what has passed since is counted here."""
        return self._newest is not None and monotonic() - self._newest.heard < _FRESH_SECONDS

    def now(self) -> datetime:
        """The store's time, in UTC: never ahead of it, and behind by one second and one answer's way at most.

        Raises `ClockError` where no answer has told it of late.
        """
        newest = self._fresh()
        return newest.at + timedelta(seconds=monotonic() - newest.heard)

    def refuse_wrong_clock(self) -> None:
        """Raise `ClockError` where this machine's clock was off by more than five seconds at the newest answer."""
        if abs(wrong := self._fresh().off) > TOLERANCE:
            raise ClockError(f"this worker's clock is {told(wrong)} the store's: let NTP set it")

    def _fresh(self) -> _Reading:
        if self._newest is None or not self.is_fresh:
            raise ClockError("the store's answers carry no Date: nobody here can tell when a lease ends")
        return self._newest

    def asking(self, request: Any, **_: Any) -> None:
        """Note when a request leaves, each attempt by itself: botocore's `request-created`."""
        request.context[_ASKED] = datetime.now(UTC)  # noqa: TID251 - compared with the store's, and nothing else

    def heard(self, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        """Take the time of an answer, good or bad: botocore's `after-call`. A clock that is off is logged once."""
        at, after = date_of(parsed), datetime.now(UTC)  # noqa: TID251 - compared with the store's, and nothing else
        if at is None:
            return
        wrong = off(at, context.get(_ASKED, after), after)
        self._newest = _Reading(at, monotonic(), wrong)
        if (is_off := abs(wrong) > TOLERANCE) and not self._said:
            _log.error("this machine's clock is off: no change is made here", clock=f"{told(wrong)} the store's")
        self._said = is_off


_known: "WeakKeyDictionary[Any, StoreTime]" = WeakKeyDictionary()
_knowing = Lock()


def store_time(client: Any) -> StoreTime:
    """The time by the answers to this boto3 client, from now on."""
    with _knowing:
        if (found := _known.get(client.meta)) is None:
            found = _known[client.meta] = StoreTime()
            client.meta.events.register("request-created", found.asking)
            client.meta.events.register("after-call", found.heard)
    return found
