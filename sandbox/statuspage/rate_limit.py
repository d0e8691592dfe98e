"""Statuspage's rate limit."""

import math
from collections.abc import Callable
from threading import Lock
from time import monotonic


class Limit:
    """At most one request in any `window_seconds` for each token; refused requests do not count."""

    def __init__(self, window_seconds: float = 1.0, clock: Callable[[], float] = monotonic) -> None:
        self._window_seconds = window_seconds
        self._clock = clock
        self._taken: dict[str, float] = {}
        self._lock = Lock()

    def take(self, token: str) -> int:
        """Admit a request with this token and return 0, or return the whole seconds to wait before trying again."""
        with self._lock:
            now = self._clock()
            left = self._taken.get(token, -math.inf) + self._window_seconds - now
            if left > 0:
                return math.ceil(left)
            self._taken[token] = now
            return 0
