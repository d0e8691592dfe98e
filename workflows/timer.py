"""One timer, whatever the clocks: it is armed anew only when what is due next is due earlier."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.rules.clock import Due

from workflows import profiles


class Timer:
    """Calls `ring` when the next thing is due."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._at: datetime | None = None
        self._sleeper: asyncio.Task[None] | None = None

    def set(self, due: Due | None) -> None:
        """Be woken by this instant at the latest.

        A timer that rings earlier is left as it runs: to be woken once for nothing costs less than to cancel it and
        start another, and most of what is due moves away, or is done, before its time.
        """
        if due is None or (self._at is not None and self._at <= due.at):
            return
        if self._sleeper is not None:
            self._sleeper.cancel()
        self._at = due.at
        self._sleeper = asyncio.create_task(self._sleep(due))

    async def _sleep(self, due: Due) -> None:
        wait = max(due.at - workflow.now(), timedelta(0))
        await workflow.sleep(wait, summary=profiles.short(f"next: {due.what}"))
        self._at = self._sleeper = None
        self._ring()
