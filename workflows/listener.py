"""What an incident and its follow-up have in common: how they hear people, and how they sleep until they do."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.model import acts
    from domain.model.commands import Command
    from domain.model.proofs import ClaimAsked
    from domain.rules.clock import Due
    from domain.rules.confirming import Unconfirmed
    from domain.rules.decide import Refusal
    from domain.rules.document import document
    from domain.rules.live import LiveIncident
    from domain.values.errors import ASK_AGAIN

from workflows.message_handlers import Hears
from workflows.timer import Timer
from workflows.uncancelled import wait_condition


class Listener(Hears):
    """Hears people once it is ready: one that is being restored is read from its record first."""

    _incident: LiveIncident

    def __init__(self, what: str, refusal: Refusal) -> None:
        super().__init__()
        self._what = what
        self._refusal = refusal
        self._changed = False
        self._ready = False
        self._timer = Timer(self._news)

    def _news(self) -> None:
        self._changed = True

    async def _wait_for_news(self, due: Due | None) -> None:
        """Sleep until the next thing is due or something has been heard."""
        self._timer.set(due)
        await wait_condition(lambda: self._changed)
        self._changed = False

    async def _is_still(self) -> bool:
        """Wait until all that was said is heard; False where something of it is to be done first."""
        self._changed = False
        await wait_condition(lambda: workflow.all_handlers_finished() or self._changed)
        return workflow.all_handlers_finished()

    def _document(self) -> dict[str, Any]:
        return document(self._incident.state)

    async def ready(self) -> None:
        """Wait until an incident that is being restored has been read."""
        if not self._ready:
            await wait_condition(lambda: self._ready)

    def refuse_early(self, name: str, command: Command) -> str | None:
        """Turn an update away at once; nothing of it enters history."""
        if not self._ready:
            return f"{self._what} is just being restored from its record: say it again in a moment"
        reason = self._refusal(self._incident.state, name, command)
        return None if isinstance(reason, Unconfirmed) else reason  # on record, the same said again confirms it

    def to_prove(self, name: str, command: Command, sender: str | None) -> ClaimAsked | None:  # noqa: ARG002 - nobody's
        """Outside a sandbox whoever says what counts proves it."""
        state = self._incident.state
        if not state.proofs or not acts.counts(state.declaration.runbook, command):
            return None
        who = state.who(command.by)
        return ClaimAsked(
            environment=state.declaration.environment.name,
            incident=state.id,
            step=getattr(command, "step", None),
            act=acts.ACTS[name],
            subject=acts.subject(name, acts.given(command)),
            by=who.id if who else command.by,
            proof=command.proof,
        )

    def hear(self, name: str, command: Command) -> str | None:
        """Do a command; a refused one goes on record."""
        reason = self._incident.hear(name, command, workflow.now(), self._refusal)
        self._news()
        return reason

    def refuse(self, name: str, by: str, reason: str) -> None:
        """Put on record that something was refused."""
        self._incident.refuse(name, by, reason, workflow.now())
        self._news()

    def disbelieve(self, what: str, why: str) -> bool:
        """Put it on record, once there is a record to put it on."""
        if self._ready:
            self._incident.disbelieve(what, why, workflow.now())
            self._news()
        return self._ready

    async def refuse_cancel(self) -> None:
        """Put on record that the workflow was to be cancelled, and page whoever sees to security."""
        await self.ready()
        self._incident.refuse_cancel(workflow.now())
        self._news()

    async def answer(self) -> dict[str, Any]:
        """The incident as it stands."""
        return self._document()

    @workflow.query
    def state(self) -> dict[str, Any]:
        """The document that `incident show --json` prints."""
        if not self._ready:
            raise ApplicationError(ASK_AGAIN)
        return self._document()
