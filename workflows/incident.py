"""One incident, from its declaration until it is closed: this workflow is the incident."""

from typing import Any, ClassVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.model.commands import INCIDENT_COMMANDS
    from domain.model.declaration import Alert
    from domain.model.drill import DrillEnd
    from domain.model.timeline import shortened
    from domain.rules import change_requests, clock, decide, declarable, lifecycle
    from domain.rules.change_messages import ChangeNews
    from domain.rules.ledger_progress import LedgerProgress
    from domain.rules.live import LiveIncident
    from domain.rules.react import under_way
    from domain.rules.run import Carried, IncidentRun
    from domain.values import ids

from workflows import beginnings, declaring, failures
from workflows.effect_runner import EffectRunner
from workflows.follow_up import leave_follow_up
from workflows.ledger_writer import LedgerWriter
from workflows.listener import Listener
from workflows.restore import restored_incident
from workflows.uncancelled import uncancelled, wait_condition
from workflows.visibility import Visibility


@workflow.defn(name="Incident")
class Incident(Listener):
    """Pages, probes, keeps every deadline, hears people, and starts the changes they ask for."""

    commands = INCIDENT_COMMANDS
    messages: ClassVar = {"change_progress": ChangeNews, "alert": Alert, "end_drill": DrillEnd}
    from_outside = frozenset({"alert"})

    @workflow.init
    def __init__(self, run: IncidentRun) -> None:
        super().__init__("the incident", decide.refusal)
        declared = run.declaration
        self._doubt = None if declared is None else declarable.doubt(declared, workflow.info().start_time)
        if declared is not None and self._doubt is None:
            self._begin(LiveIncident.declared(declared), LedgerProgress())
        elif declared is None and run.carried is not None and workflow.info().continued_run_id is not None:
            carried = run.carried
            incident = LiveIncident(carried.state, carried.timeline, carried.refusals, carried.heard)
            incident.alerts = carried.alerts
            incident.effects = under_way(carried.state) if carried.amid else []
            self._begin(incident, carried.ledger)

    def _begin(self, incident: LiveIncident, progress: LedgerProgress) -> None:
        self._incident = incident
        self._effects = EffectRunner(incident, self._news, self.all_heard, progress.term)
        self._ledger = LedgerWriter(incident, progress, self._news, self._is_quiet)
        self._visibility = Visibility(incident)
        incident.pass_time(workflow.now())
        self._ready = True

    @workflow.run
    @uncancelled
    async def run(self, run: IncidentRun) -> dict[str, Any]:
        """Live until the incident has ended; returns the final account: the state and the timeline."""
        await beginnings.refuse_another_incident(run)
        if not self._ready:
            await self._restore(run)
        while True:
            self._incident.pass_time(workflow.now())
            self._end_by_itself()
            if self._incident.state.ended:
                self._incident.tell_refusals(workflow.now())
            self._effects.run_effects()
            self._ledger.keep()
            self._effects.run_effects()
            self._visibility.publish(busy=self._effects.running or self._ledger.will_wake)
            if self._ledger.superseded:
                raise failures.superseded()
            if self._is_over():
                break
            if self._must_continue_as_new():
                if self._effects.awaiting_changes:
                    await self._effects.let_changes_go()
                    continue  # one of them may have ended meanwhile
                if await self._is_still() and self._must_continue_as_new():
                    self._continue_as_new()
                continue  # what was heard meanwhile comes first, and is written
            await self._wait_for_news(clock.next_due(self._incident.state))
        await declaring.give_back(self._incident.state.declaration)
        await self._write_the_rest()
        # last: once it has written an entry, nothing follows in the incident's own record
        await leave_follow_up(self._incident.state, self._ledger.progress.term)
        await self._write_the_rest()
        return {"state": self._document(), "timeline": self.timeline()}

    async def _write_the_rest(self) -> None:
        """Store the report, and write what is heard meanwhile: it is refused."""
        while True:
            self._incident.tell_refusals(workflow.now())
            await self._ledger.store_report()
            await wait_condition(workflow.all_handlers_finished)
            if self._ledger.done and not self._incident.refusals.untold:
                return

    async def _restore(self, run: IncidentRun) -> None:
        """Go on with an incident from its record. A state that no run of ours has handed on is refused."""
        info = workflow.info()
        if self._doubt is not None:
            raise failures.refused(f"an incident cannot be declared so: {self._doubt}")
        if run.restore != info.workflow_id:
            raise failures.refused("an incident is begun with its declaration, or restored by its own id")
        found = await restored_incident(info)
        progress = LedgerProgress(written=found.length, epoch=found.epoch, term=found.term)
        self._begin(LiveIncident.restored(found, workflow.now()), progress)
        await wait_condition(lambda: True)  # what was said meanwhile is heard before anything is done about the record
        await self.all_heard()
        declaration = found.state.declaration
        if (drill := declaration.drill) is not None:  # whoever injected its fault is lost, and nobody else ends it
            left = f"; withdraw {drill.scenario.fault} by hand" if drill.scenario.fault else ""
            happened = lifecycle.end_drill(self._incident.state, "stopped", f"Temporal lost the drill{left}")
            self._incident.take(happened, workflow.now(), {"drill": "lost"})
        if not found.state.ended:
            await declaring.hold(declaration)

    def _is_over(self) -> bool:
        return self._is_quiet() and not self._ledger.writing

    def _is_quiet(self) -> bool:
        """Whether the incident has ended and nothing but its record is left to be done."""
        state = self._incident.state
        busy = self._effects.running or state.changes_in_flight() or clock.next_due(state) is not None
        return state.ended and not busy

    def _must_continue_as_new(self) -> bool:
        """Carry on as a new run between two things, amid pages, probes and writing only where it must."""
        limit = self._incident.state.declaration.history_limit
        if self._incident.effects or not self._effects.can_begin_again:
            return False
        full = self.is_full(limit, amid=self._ledger.writing or self._effects.running)
        return full and self._ledger.progress.can_carry(self._incident.timeline)

    def _continue_as_new(self) -> None:
        progress, incident = self._ledger.progress, self._incident
        incident.tell_refusals(workflow.now())
        progress.shorten(incident.timeline)
        carried = Carried(
            state=incident.state,
            timeline=incident.timeline,
            ledger=progress,
            refusals=incident.refusals,
            heard=incident.heard,
            alerts=incident.alerts,
            amid=self._effects.running,
        )
        workflow.continue_as_new(IncidentRun(carried=carried))

    def _end_by_itself(self) -> None:
        """What nobody closes: upkeep once its work is done, a dry run once every change that can be is planned."""
        incident, state, now = self._incident, self._incident.state, workflow.now()
        if state.ended or self._effects.running or incident.effects:
            return
        if state.upkeep:
            incident.take(lifecycle.end_upkeep(state, now), now)
        elif not state.live:
            self._end_dry_run()

    def _end_dry_run(self) -> None:
        incident, state, now = self._incident, self._incident.state, workflow.now()
        if not state.changes:
            incident.take(change_requests.request_all(state), now)
        if not state.changes_in_flight():
            incident.take(lifecycle.end_dry_run(state), now)

    def _document(self) -> dict[str, Any]:
        """The document that `incident show --json` prints, with how far the record is kept."""
        timeline, content = self._incident.timeline, super()._document()
        content["clocks"] += self._ledger.clocks()
        content["timeline"] = {
            "length": timeline.length,
            "head": timeline.head,
            "first": timeline.dropped + 1,
            "written": self._ledger.progress.written,
        }
        return content

    async def answer(self) -> dict[str, Any]:
        """The incident as it stands, its changes begun: whoever reads of one may vote on it at once."""
        if self._effects.beginning:
            await wait_condition(lambda: not self._effects.beginning)
        return self._document()

    def may_say(self, name: str, sender: str) -> bool:
        """A change says how it comes on, and a drill of this environment that it is over."""
        state = self._incident.state
        if name == "end_drill":
            return sender == ids.drill_workflow_id(state.declaration.environment.name)
        return state.change(sender) is not None

    def learn(self, name: str, message: ChangeNews | Alert | DrillEnd) -> str | None:  # noqa: ARG002 - the kind says it
        """Hear from a change where it stands, of another alert under the key, or that the drill is over."""
        state, now, reason = self._incident.state, workflow.now(), None
        match message:
            case ChangeNews():
                reason = self._effects.hear_change(message)
            case Alert():
                reason = self._incident.hear_alert(message, now)
            case DrillEnd():
                ended = lifecycle.end_drill(state, message.outcome, shortened(message.reason))
                self._incident.take(ended, now, {"drill": "end"})
        self._news()
        return reason

    @workflow.query
    def timeline(self) -> list[dict[str, Any]]:
        """The entries that the workflow still carries, oldest first."""
        return [entry.model_dump(mode="json") for entry in self._incident.timeline.entries]
