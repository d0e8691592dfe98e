"""Telling an incident what happens to its change: by signals, one after the other."""

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.model.records import ChangeStatus
    from domain.rules.change import LiveChange
    from domain.rules.change_messages import ChangeNews

from workflows.uncancelled import wait_condition

_SOON, _LATER = timedelta(seconds=10), timedelta(hours=1)
_LONGEST = timedelta(days=1)
"""How long an end is said again while the incident is away: people are paged about that within minutes."""

GIVEN_UP = {ChangeStatus.REJECTED, ChangeStatus.CANCELLED, ChangeStatus.EXPIRED}
"""Decided against by people, or by nobody in time."""


class Teller:
    """Says what is new; what happens while one message is on its way goes with the next.

    So does what its incident was not there to hear. `by_signal` says that nobody awaits the change's result.
    """

    def __init__(self, change: LiveChange, incident: str, can_wait: Callable[[], bool], *, by_signal: bool) -> None:
        self._change = change
        self._incident = incident
        self._can_wait = can_wait
        self._to_tell = self._over = self._asked = False
        self.by_signal = by_signal
        self.saying = False

    def tell(self) -> None:
        """Have what is new told, unless it can wait for what comes of it."""
        self._to_tell = bool(self._change.said.unheard) and not self._can_wait()

    def tell_by_signal(self) -> None:
        """The incident asks for it, so that it can hear: have what it was not there to hear told now."""
        self.by_signal = self._asked = True
        self._to_tell = bool(self._change.said.unheard)

    def stop(self) -> None:
        self._over = True

    async def run(self) -> None:
        """Tell until it is stopped."""
        while not self._over:
            await wait_condition(lambda: self._to_tell or self._over)
            self._to_tell = False
            if not self._over and (news := self._change.news()) is not None:
                self.saying = True
                heard = await self._say(news)
                self.saying = False
                if heard:
                    self.tell()

    async def tell_the_rest(self) -> ChangeNews | None:
        """Say what is left, but for the last of it, which is returned, unless that is to be told by signal too.

        So is that the change was given up. An end that is not heard is said again for a day, and when it is asked for.
        """
        until, pause = workflow.now() + _LONGEST, _SOON
        while True:
            self._change.tell_refusals(workflow.now())
            by_signal = self.by_signal or self._change.record.status in GIVEN_UP
            news = self._change.news()
            if news is None or not (by_signal or self._change.said.unheard):
                return news
            self._asked = False
            if await self._say(news):
                continue
            if not self._change.said.has_end or workflow.now() >= until:
                return self._change.news()
            try:
                await wait_condition(
                    lambda: self._asked, timeout=pause, timeout_summary="the incident does not hear its change"
                )
            except TimeoutError:
                pause = min(2 * pause, _LATER)

    async def _say(self, news: ChangeNews) -> bool:
        """Tell whether the incident was there to hear it; what it was not is news again."""
        try:
            await workflow.get_external_workflow_handle(self._incident).signal("change_progress", news)
        except ApplicationError as error:
            workflow.logger.warning("the incident does not hear its change: %s", error.message)
            self._change.said.take_back(news)
            return False
        return True
