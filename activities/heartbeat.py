"""How far long work has come: carried by the activity's heartbeats, and found again by the attempt after a crash."""

import contextvars
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from temporalio import activity

_details: contextvars.ContextVar[list[Any]] = contextvars.ContextVar("heartbeat details")


def progress(details: Any) -> None:
    """Let every heartbeat from now on carry `details`, a JSON value: where a later attempt shall take the work up.

    They reach the server within seconds, not at once, and the last ones before a crash may be lost. Call it from
    the thread that the activity runs in; where nothing beats it does nothing.
    """
    if (kept := _details.get(None)) is not None:
        kept[:] = [details]


def last_progress() -> Any:
    """Tell what `progress` was given last, by this attempt or an earlier one; None when nothing is known."""
    kept = _details.get(None)
    return kept[0] if kept else None


def taken_up_later() -> bool:
    """Whether an activity that was cut is cut by its worker's end alone: another worker takes it up at once."""
    details = activity.cancellation_details()
    return details is not None and details.worker_shutdown


@contextmanager
def keeping(before: Sequence[Any]) -> Iterator[list[Any]]:
    """Keep the latest details meanwhile, at first those of the attempt `before`: a beat without them wipes them."""
    kept = list(before)
    token = _details.set(kept)
    try:
        yield kept
    finally:
        _details.reset(token)
