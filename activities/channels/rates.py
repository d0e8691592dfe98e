"""How much one incident may send to one person: its deadlines come with its declaration, which anybody can make up."""

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from threading import Lock

from activities.strange_requests import Strange, StrangeRequestError
from domain.model.calls import PageCall

MOST = 100
"""Messages of one incident to one person within an hour of its clocks: more than any runbook can have to say."""

_HOUR = timedelta(hours=1)
_REMEMBERED = 10_000


class Rates:
    """What this process has sent. Safe to share between threads."""

    def __init__(self) -> None:
        self._sent: OrderedDict[tuple[str, str], deque[tuple[datetime, str]]] = OrderedDict()
        self._lock = Lock()

    def take(self, call: PageCall, at: datetime) -> None:
        """Count a message once, however often it is tried. Raises `StrangeRequestError` for one too many."""
        with self._lock:
            sent = self._sent.setdefault((call.incident, call.to), deque())
            self._sent.move_to_end((call.incident, call.to))
            while sent and sent[0][0] <= at - _HOUR / call.speed:
                sent.popleft()
            if any(page == call.page_id for _, page in sent):
                return
            if len(sent) >= MOST:
                raise StrangeRequestError(
                    f"{call.to} has had {MOST} messages of {call.incident} within an hour", Strange.TOO_MANY
                )
            sent.append((at, call.page_id))
            while len(self._sent) > _REMEMBERED:
                self._sent.popitem(last=False)
