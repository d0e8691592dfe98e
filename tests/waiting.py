"""Waiting in tests: look until there is something to see, never sleep and hope."""

import time
from collections.abc import Callable
from datetime import timedelta
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
