"""Telling an incident what happens to its change: by signals, one after the other."""

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.rules.change import LiveChange
    from domain.rules.change_messages import ChangeNews

from workflows.uncancelled import wait_condition


class Teller:
    """Says what is new; what happens while one message is on its way goes with the next."""

    def __init__(self, change: LiveChange, incident: str, can_wait: Callable[[], bool]) -> None:
        self._change = change
        self._incident = incident
        self._can_wait = can_wait
        self._to_tell = self._over = False
        self.saying = False

    def tell(self) -> None:
        """Have what is new told, unless it can wait for what comes of it."""
        self._to_tell = self._change.has_news and not self._can_wait()

    def stop(self) -> None:
        self._over = True

    async def run(self) -> None:
        """Tell until it is stopped."""
        while not self._over:
            await wait_condition(lambda: self._to_tell or self._over)
            self._to_tell = False
            if not self._over and (news := self._change.news()) is not None:
                self.saying = True
                await self._say(news)
                self.saying = False
                self.tell()

    async def tell_the_rest(self, by_signal: Callable[[], bool]) -> ChangeNews | None:
        """Say what is left, but for the last of it, which is returned, unless that is to be told `by_signal` too."""
        while True:
            self._change.tell_refusals(workflow.now())
            news = self._change.news()
            if news is None or not (by_signal() or self._change.has_news):
                return news
            await self._say(news)

    async def _say(self, news: ChangeNews) -> None:
        try:
            await workflow.get_external_workflow_handle(self._incident).signal("change_progress", news)
        except ApplicationError:
            workflow.logger.exception("the incident does not hear its change; it is closed")
