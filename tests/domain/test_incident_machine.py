"""Whatever people say, in whatever order and however late it is heard: what always holds of an incident."""

from collections import Counter
from datetime import datetime

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic_core import to_json

from domain.config.runbook import ChangeStep
from domain.model.activity_io import Applied, Planned
from domain.model.commands import Approve, Cancel, Command
from domain.model.effects import Effect, SendNotice, StartChange, TellChanges
from domain.model.state import ChangeStatus, IncidentState
from domain.model.timeline import GENESIS, Entry, Timeline
from domain.rules import alerts, change_requests, clock, facts, lifecycle, notices
from domain.rules.account_fold import fold
from domain.rules.change import Change, ChangeRequest
from domain.rules.incident import Incident
from domain.values.severity import Severity
from domain.values.status import Status
from tests.builders import T0, declaration, minutes, with_notices
from tests.domain import accounts, machine
from tests.domain.changing import plan

AGREED = {ChangeStatus.APPLYING, ChangeStatus.VERIFYING, ChangeStatus.APPLIED}


class IncidentMachine(RuleBasedStateMachine):
    """One incident and its changes as the workflows run them, without Temporal."""

    incident: Incident
    now: datetime
    level: int
    status: Status

    @initialize(severity=st.sampled_from(Severity), phi=st.booleans())
    def declare(self, severity: Severity, *, phi: bool) -> None:
        self.incident = Incident.declared(declaration(severity=severity, runbook=with_notices(), phi=phi))
        facts.record_declared(self.incident)
        self.duties: dict[str, str] = {}
        self.changes: dict[str, Change] = {}
        self.entries: list[Entry] = []
        self.now, self.level, self.status = T0, 0, Status.DECLARED
        clock.fire(self.incident, T0)

    # people

    @rule(draw=st.data())
    def what_comes_next(self, draw: st.DataObject) -> None:
        if not self.incident.ended:
            self._say(draw.draw(machine.FITTING[self.incident.state.status]))

    @rule(command=machine.ANYTHING)
    def at_any_time(self, command: Command) -> None:
        self._say(command)

    @rule(command=machine.REQUESTS)
    def ask(self, command: Command) -> None:
        self._say(command)
        self._answer_effects()

    def _say(self, command: Command) -> None:
        """A command is done, which leaves an entry by whom it names, or leaves one that says it was refused."""
        entries, before = self.incident.state.timeline.entries, self.incident.state.model_copy(deep=True)
        name, length = machine.NAMES[type(command)], len(entries)
        asked = lifecycle.refusal(self.incident, name, command)
        assert self.incident.state == before
        assert lifecycle.handle(self.incident, name, command, self.now) == asked
        assert len(entries) > length
        if asked is not None:
            assert [(entry.kind, entry.actor) for entry in entries[length:]] == [("refused", command.by)]
            assert self.incident.state.model_dump(exclude={"timeline"}) == before.model_dump(exclude={"timeline"})
        else:
            assert "refused" not in {entry.kind for entry in entries[length:]}

    # time

    @rule(count=st.sampled_from([1, 4, 5, 11, 35]))
    def time_passes(self, count: int) -> None:
        """Everything happens at its instant."""
        until = self.now + minutes(count)
        while (at := self._next()) is not None and at <= until:
            self.now = max(self.now, at)
            self._wake()
        self.now = until

    @rule(count=st.sampled_from([7, 45, 700]))
    def nobody_wakes(self, count: int) -> None:
        """The workers were away: everything is caught up in one go."""
        self.now += minutes(count)
        self._wake()

    def _next(self) -> datetime | None:
        due = clock.next_due(self.incident)
        dues = [due.at] if due else []
        dues += [at for change in self.changes.values() if (at := change.next_due()) is not None]
        return min(dues, default=None)

    def _wake(self) -> None:
        """Fire every clock; the incident's own pages nobody once the symptoms are gone."""
        pages, responding = len(self.incident.state.pages), self.incident.is_responding()
        clock.fire(self.incident, self.now)
        assert responding or len(self.incident.state.pages) == pages
        due = clock.next_due(self.incident)
        assert due is None or due.at > self.now
        self._answer_effects()
        for change in list(self.changes.values()):
            change.fire(self.now)
            self._tell(change)

    @rule(text=machine.TEXT)
    def an_alert_comes_again(self, text: str) -> None:
        if not self.incident.ended:
            alerts.duplicate(self.incident, "monitoring", text, self.now)

    @rule()
    def carry_on(self) -> None:
        """The workflow goes on as a new run from the state alone, without the oldest entries."""
        self._answer_effects()
        state = IncidentState.model_validate_json(to_json(self.incident.state))
        assert state == self.incident.state
        state.timeline.drop(state.timeline.length, keep=3)
        self.incident = Incident(self.incident.declaration, state)

    # changes

    def _answer_effects(self) -> None:
        effects, self.incident.effects = self.incident.effects, []
        for effect in effects:
            self._answer(effect)

    def _answer(self, effect: Effect) -> None:
        if isinstance(effect, StartChange):
            self.changes[effect.record.workflow_id] = self._started(effect)
        elif isinstance(effect, TellChanges):
            for change in (self.changes[name] for name in effect.workflow_ids):
                if effect.signal == "commander_is":
                    change.commander_is(effect.payload["commander"])
                elif effect.signal == "cancel":
                    change.handle("cancel", Cancel(**effect.payload), self.now)
                self._tell(change)
        elif isinstance(effect, SendNotice):
            notices.sent(self.incident, effect.step, "reference", "told", self.now)

    def _started(self, start: StartChange) -> Change:
        step = self.incident.declaration.runbook.step(start.record.step)
        request = ChangeRequest(
            scope=self.incident.declaration.scope(self.incident.state.severity),
            organisation=self.incident.declaration.organisation,
            record=start.record,
            title="a change",
            rule=step.approval if isinstance(step, ChangeStep) else None,
            approve_within=self.incident.policy.approve,
            commander=self.incident.state.commander,
            undo=start.undo,
        )
        return Change(ChangeRequest.model_validate_json(to_json(request)))

    def _tell(self, change: Change) -> None:
        """As the workflow does, which tells the end once more when it is through."""
        for _ in range(1 + change.ended):
            change_requests.progress(self.incident, change.told(), self.now)

    @precondition(lambda self: any(not change.ended for change in self.changes.values()))
    @rule(draw=st.data(), steps=st.sampled_from([1, 2, 4, 4]))
    def a_change_goes_on(self, draw: st.DataObject, steps: int) -> None:
        change = draw.draw(st.sampled_from([change for change in self.changes.values() if not change.ended]))
        for _ in range(steps):
            self._go_on(change, draw)

    def _go_on(self, change: Change, draw: st.DataObject) -> None:
        match change.record.status:
            case ChangeStatus.PLANNING:
                self._plan(change, draw.draw(machine.PLANNED))
            case ChangeStatus.AWAITING_APPROVAL if change.record.plan is not None:
                by = draw.draw(st.sampled_from(change.electorate.voters()))
                self._vote(change, Approve(by=by, digest=change.record.plan.digest))
            case ChangeStatus.APPLYING:
                self._apply(change, draw.draw(machine.APPLIED))
            case ChangeStatus.VERIFYING:
                change.end(draw.draw(machine.VERIFIED), "seen", self.now)
        self._tell(change)

    def _plan(self, change: Change, outcome: str) -> None:
        if outcome == "denied":
            change.failed("AccessDenied: no", self.now, denied=True)
        elif outcome == "nothing":
            change.planned(Planned(plan=plan(after={"revision": 8}), ours=True), self.now)
        else:
            change.planned(Planned(plan=plan(outcome)), self.now)

    def _apply(self, change: Change, outcome: str) -> None:
        if outcome == "failed":
            change.failed("Transient: no answer", self.now)
        elif outcome == "somebody else":
            change.applied(Applied(outcome="already-done", ours=False), self.now)
        else:
            change.applied(Applied.model_validate({"outcome": outcome}), self.now)

    @precondition(lambda self: self.changes)
    @rule(draw=st.data(), command=machine.VOTES)
    def somebody_votes(self, draw: st.DataObject, command: Command) -> None:
        self._vote(draw.draw(st.sampled_from(list(self.changes.values()))), command)

    def _vote(self, change: Change, command: Command) -> None:
        """A vote counts, waits for the plan, or is refused; each of these is on record."""
        length = len(self.incident.state.timeline.entries)
        reason = change.handle(machine.NAMES[type(command)], command, self.now)
        self._tell(change)
        said = self.incident.state.timeline.entries[length:]
        assert said
        assert (said[0].kind == "refused") is (reason is not None)

    # what always holds

    @invariant()
    def the_level_never_decreases(self) -> None:
        assert self.incident.state.paging.level >= self.level
        self.level = self.incident.state.paging.level

    @invariant()
    def the_status_goes_along_the_edges(self) -> None:
        now = self.incident.state.status
        assert now is self.status or now in machine.EDGES[self.status]
        self.status = now

    @invariant()
    def a_duty_that_has_ended_stays_so_and_none_outlives_its_incident(self) -> None:
        now: dict[str, str] = {record.step: record.state for record in self.incident.state.obligations}
        assert all(now[step] == state for step, state in self.duties.items() if state != "open")
        self.duties = now
        assert not self.incident.ended or "open" not in now.values()

    @invariant()
    def the_record_only_grows(self) -> None:
        """What was written stays, and what is new follows from it; here, as in the ledger, nothing is dropped."""
        timeline, length = self.incident.state.timeline, len(self.entries)
        old = [entry for entry in timeline.entries if entry.seq <= length]
        new = timeline.entries[len(old) :]
        assert old == self.entries[timeline.dropped :]
        last = self.entries[-1].hash if self.entries else GENESIS
        assert Timeline(base=last, dropped=length, entries=new).first_broken() is None
        self.entries += new

    @invariant()
    def the_state_survives_json(self) -> None:
        assert IncidentState.model_validate_json(to_json(self.incident.state)) == self.incident.state

    @invariant()
    def one_change_of_a_step_is_in_flight(self) -> None:
        flying = Counter(change.step for change in self.incident.changes_in_flight())
        assert all(count == 1 for count in flying.values())
        ids = [change.workflow_id for change in self.incident.state.changes]
        assert len(set(ids)) == len(ids)

    @invariant()
    def nothing_is_applied_without_its_votes(self) -> None:
        for change in self.changes.values():
            record, quorum = change.record, change.electorate.rule.quorum
            people = [vote.by for vote in record.approvals]
            assert len(set(people)) == len(people)
            assert record.requested_by not in people
            if record.status in AGREED:
                approving = [vote for vote in record.approvals if vote.decision == "approve"]
                assert len(approving) == len(record.approvals)
                assert len({vote.role for vote in approving}) >= quorum

    def teardown(self) -> None:
        """Wherever a history is left: what its entries alone come to is what the incident says of itself."""
        assert Timeline(entries=self.entries).first_broken() is None
        assert accounts.told(fold(self.entries)) == accounts.said(self.incident)

    @invariant()
    def the_incident_knows_its_changes(self) -> None:
        """Told everything, the incident has each change as it stands; only `undone` is its own word."""
        for change in self.changes.values():
            known = next(c for c in self.incident.state.changes if c.workflow_id == change.record.workflow_id)
            assert known.status in {change.record.status, ChangeStatus.UNDONE}


IncidentMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, suppress_health_check=[HealthCheck.too_slow]
)
TestIncident = IncidentMachine.TestCase
