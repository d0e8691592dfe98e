"""Waiting in tests: look until there is something to see, never sleep and hope."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.05

SERVER_STARTS = timedelta(seconds=60)
"""How long a test server may take until it answers, from a cold disk; the SDK itself gives it five seconds."""


def until(look: Callable[[], T | None], what: str, seconds: float = 30) -> T:
    """Look until `look()` returns something true, and return that; fail the test with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"within {seconds:.0f} s it did not come true: {what}"
        time.sleep(_LOOK_SECONDS)
    return seen


_NAP_SECONDS = 0.005


class Lateness:
    """How long a thread that wanted nothing but to wake up was kept waiting by the machine, and when (UTC)."""

    def __init__(self) -> None:
        self._kept: list[tuple[datetime, timedelta]] = []

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much of this time the machine gave to others."""
        return sum((kept for at, kept in self._kept if start < at <= end), timedelta())

    def watch(self, over: Event) -> None:
        """Nap again and again, and take note by how much each nap was too long."""
        while not over.is_set():
            before = time.monotonic()
            time.sleep(_NAP_SECONDS)
            self._kept.append((datetime.now(UTC), timedelta(seconds=time.monotonic() - before - _NAP_SECONDS)))


@contextmanager
def lateness() -> Iterator[Lateness]:
    """Measure the machine's own lateness beside what is timed, so that a bound need not hold its noise."""
    measured, over = Lateness(), Event()
    watching = Thread(target=measured.watch, args=(over,), daemon=True)
    watching.start()
    try:
        yield measured
    finally:
        over.set()
        watching.join()
