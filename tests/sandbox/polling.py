"""Waiting in tests: look until it is so, never sleep and hope."""

import time
from collections.abc import Callable


def until(so: Callable[[], object], seconds: float = 20) -> None:
    """Return once `so()` is true; fail the test when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
