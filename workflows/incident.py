"""One incident, from its declaration until it is closed: this workflow is the incident."""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.model.commands import INCIDENT_COMMANDS, Command
    from domain.model.declaration import Alert, KeyHold
    from domain.model.state import ChangeProgress, IncidentRun
    from domain.model.timeline import bounded
    from domain.rules import alerts, change_requests, clock, facts, ledger_progress, lifecycle
    from domain.rules.document import document, timeline_document
    from domain.rules.incident import Incident as Rules
    from domain.values import ids

from workflows.effect_runner import Errands
from workflows.ledger_writer import Record
from workflows.message_handlers import hears
from workflows.timer import Alarm
from workflows.visibility import Showing


@workflow.defn(name="Incident")
@hears(INCIDENT_COMMANDS)
class Incident:
    """Pages, probes, keeps every deadline, hears people, and starts the changes they ask for."""

    @workflow.init
    def __init__(self, run: IncidentRun) -> None:
        if run.state is None:
            self._rules = Rules.declared(run.declaration)
            facts.record_declared(self._rules)
            change_requests.preserve_evidence(self._rules, run.declaration.declared_at)
        else:
            self._rules = Rules(run.declaration, run.state)
        clock.fire(self._rules, workflow.now())
        self._errands = Errands(self._rules, self._news)
        self._record = Record(self._rules, self._news)
        self._showing = Showing(self._rules)
        self._alarm = Alarm(self._news)
        self._changed = False

    @workflow.run
    async def run(self, run: IncidentRun) -> dict[str, Any]:  # noqa: ARG002 - `__init__` has taken it
        """Live until the incident has ended; returns the final account: the state and the timeline."""
        self._errands.observe()
        while True:
            clock.fire(self._rules, workflow.now())
            self._errands.run_effects()
            self._plan_dry_run()
            self._showing.publish()
            self._record.keep()
            if self._is_over():
                break
            if self._must_continue_as_new():
                await workflow.wait_condition(workflow.all_handlers_finished)
                ledger_progress.shorten(self._rules)
                workflow.continue_as_new(IncidentRun(declaration=self._rules.declaration, state=self._rules.state))
            await self._wait_for_news()
        await self._errands.leave_follow_up()
        await self._release_key()
        await self._record.store_report()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return {"state": document(self._rules), "timeline": timeline_document(self._rules)}

    async def _wait_for_news(self) -> None:
        """Sleep until the next thing is due or something has been heard."""
        self._alarm.set(clock.next_due(self._rules))
        await workflow.wait_condition(lambda: self._changed)
        self._changed = False

    def _news(self) -> None:
        self._changed = True

    def _is_over(self) -> bool:
        rules = self._rules
        busy = (
            self._errands.running
            or self._record.writing
            or rules.changes_in_flight()
            or clock.next_due(rules) is not None
        )
        return rules.ended and not busy

    def _must_continue_as_new(self) -> bool:
        """Carry on as a new run between two things, not amid one; a ledger that cannot be written is not waited for."""
        info, limit = workflow.info(), self._rules.declaration.history_limit
        length = info.get_current_history_length()
        if self._errands.running or self._rules.effects or (self._record.writing and length < 2 * limit):
            return False
        return length >= limit or info.is_continue_as_new_suggested()

    async def _release_key(self) -> None:
        """Give the alert's key back; a starter that finds it held by a closed incident takes it anyway."""
        key = self._rules.declaration.key
        if key is None:
            return
        try:
            hold = KeyHold(incident_id=self._rules.declaration.incident_id)
            await workflow.get_external_workflow_handle(ids.key_workflow_id(key)).signal("release", hold)
        except ApplicationError:
            workflow.logger.info("the key is free already")

    def _plan_dry_run(self) -> None:
        """In a dry run: once the probes have answered, plan every change that needs no answer, then end."""
        rules = self._rules
        if rules.declaration.mode != "dry-run" or rules.ended or self._errands.running or rules.effects:
            return
        if not rules.state.changes:
            change_requests.request_all(rules, workflow.now())
            self._errands.run_effects()
        if not rules.changes_in_flight() and not self._errands.running:
            lifecycle.end_dry_run(rules, workflow.now())

    def refuse_early(self, name: str, command: Command) -> str | None:
        """Turn an update away at once; nothing of it enters history."""
        return lifecycle.refusal(self._rules, name, command)

    def hear(self, name: str, command: Command) -> str | None:
        """Do a command; a refused one goes on record."""
        reason = lifecycle.handle(self._rules, name, command, workflow.now())
        self._news()
        return reason

    def unreadable(self, name: str, payload: Any, problem: str) -> None:
        """Put a signal that cannot be read on record as refused; its content may hold anything and stays out."""
        by = payload.get("by") if isinstance(payload, dict) else None
        lifecycle.refuse(self._rules, name, bounded(by), problem, workflow.now())
        self._changed = True

    async def answer(self) -> dict[str, Any]:
        """The incident as it stands, its changes begun: whoever reads of one may vote on it at once."""
        if self._errands.beginning:
            await workflow.wait_condition(lambda: not self._errands.beginning)
        return document(self._rules)

    @workflow.signal
    def change_progress(self, progress: ChangeProgress) -> None:
        """Learn from a change's workflow where it stands."""
        change_requests.progress(self._rules, progress, workflow.now())
        self._changed = True

    @workflow.signal
    def alert(self, alert: Alert) -> None:
        """Hear of another alert under this incident's key."""
        alerts.duplicate(self._rules, alert.by, alert.text, workflow.now())
        self._changed = True

    @workflow.signal(dynamic=True)
    def unknown(self, name: str, args: Sequence[RawValue]) -> None:  # noqa: ARG002 - an unknown payload is not read
        """Put a signal of an unknown name on record as refused."""
        lifecycle.refuse(self._rules, name, "unknown", "there is no such command", workflow.now())
        self._changed = True

    @workflow.query
    def state(self) -> dict[str, Any]:
        """The document that `incident show --json` prints."""
        return document(self._rules)

    @workflow.query
    def timeline(self) -> list[dict[str, Any]]:
        """Every entry of the timeline, oldest first."""
        return timeline_document(self._rules)
