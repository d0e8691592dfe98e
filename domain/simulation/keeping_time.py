"""The clock loop of everything that is played: from one instant to the next at which something happens."""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

_AT_ONCE = 1000
"""What may follow from one another within one instant."""


class Moment(NamedTuple):
    """Something that comes from outside at an instant, and what it does then."""

    at: datetime
    happens: Callable[[datetime], None]


def keep_time(
    begun: datetime,
    until: datetime,
    moments: Iterable[Moment],
    go_on: Callable[[datetime], None],
    dues: Callable[[], Iterable[datetime]],
) -> None:
    """Let everything happen up to `until`, in order. What falls into one instant: the clocks first, then what comes.

    `moments` are in order. `go_on` lets happen what is due by an instant, `dues` says when something is due next.
    Raises `RuntimeError` where rules call for what they never do, and time would stand still.
    """
    now, waiting, at_once = begun, deque(moments), 0
    while True:
        go_on(now)
        while waiting and waiting[0].at <= now:
            waiting.popleft().happens(now)
        following = min([*(one.at for one in list(waiting)[:1]), *dues()], default=None)
        if following is None or following > until:
            return
        at_once = at_once + 1 if following <= now else 0
        if at_once > _AT_ONCE:
            raise RuntimeError(f"what is due at {following.isoformat()} is never done")
        now = max(now, following)
