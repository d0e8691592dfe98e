"""Whatever people say, in whatever order and however late it is heard: what always holds of an incident."""

from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from pydantic_core import to_json

from domain.model.activity_io import Applied, Planned
from domain.model.commands import Approve, Cancel, Command
from domain.model.effects import Effect, Observe, OpenIncident, Send, SendNotice, StartChange, TellChanges
from domain.model.event_kinds import Happening
from domain.model.events import Delivered, DeliveryFailed, Message
from domain.model.records import ChangeStatus
from domain.model.restoring import RestoredIncident
from domain.model.timeline import Entry
from domain.model.work_events import NoticeMoved
from domain.rules import alerts, change_requests, clock, decide, hand_over
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeNews, ChangeRequest
from domain.rules.evolve import fold
from domain.rules.ledger_progress import LedgerProgress
from domain.rules.live import LiveIncident
from domain.rules.refusals import WRITTEN
from domain.rules.run import Carried
from domain.values.severity import Severity
from domain.values.status import Status
from tests.builders import T0, declaration, minutes, organisation, with_notices
from tests.domain import machine
from tests.domain.always_holds import AlwaysHolds
from tests.domain.changing import plan


class IncidentMachine(AlwaysHolds):
    """One incident and its changes as the workflows run them, without Temporal."""

    now: datetime

    @initialize(severity=st.sampled_from(Severity), phi=st.booleans(), sign=st.sampled_from([None, "30m"]))
    def declare(self, severity: Severity, *, phi: bool, sign: str | None) -> None:
        people = organisation(sign_of_life=sign)
        declared = declaration(severity=severity, runbook=with_notices(), phi=phi, organisation=people)
        self.incident = LiveIncident.declared(declared)
        self.commander = None
        self.duties = {}
        self.changes = {}
        self.entries = []
        self.folded_entries = 0
        self.now, self.level, self.status = T0, 0, Status.DECLARED
        self.incident.pass_time(T0)

    # people

    @rule(draw=st.data())
    def what_comes_next(self, draw: st.DataObject) -> None:
        if not self.incident.state.ended:
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
        entries, before = self.incident.timeline.entries, to_json(self.incident.state)
        name, length = machine.NAMES[type(command)], len(entries)
        asked = decide.refusal(self.incident.state, name, command)
        assert to_json(self.incident.state) == before
        assert self.incident.hear(name, command, self.now) == asked
        if asked is not None:
            said = [(entry.kind, entry.actor) for entry in entries[length:]]
            if self.incident.refusals.counted:  # of a flood the number goes on record, now and then
                assert said in ([], [("refusals-counted", "orchestrator")])
                assert self.incident.refusals.written == WRITTEN
            else:
                assert said[-1:] == [("refused", command.by)]
                assert len(said) == 1 or said[0][0] == "refusals-counted"
            assert to_json(self.incident.state) == before
        else:
            assert len(entries) > length
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
        due = clock.next_due(self.incident.state)
        dues = [due.at] if due else []
        dues += [at for change in self.changes.values() if (at := change.next_due()) is not None]
        return min(dues, default=None)

    def _wake(self) -> None:
        """Fire every clock; the incident's own pages nobody once the symptoms are gone, but who has offered command."""
        pages, responding = len(self.incident.state.pages), self.incident.state.responding
        self.incident.pass_time(self.now)
        assert responding or {page.about for page in self.incident.state.pages[pages:]} <= {hand_over.ABOUT}
        due = clock.next_due(self.incident.state)
        assert due is None or due.at > self.now
        self._answer_effects()
        for change in list(self.changes.values()):
            change.pass_time(self.now)
            self._tell(change)

    @rule(text=machine.TEXT)
    def an_alert_comes_again(self, text: str) -> None:
        if not self.incident.state.ended:
            self.incident.take(alerts.repeated(self.incident.state, "monitoring", text), self.now)

    @rule()
    def carry_on(self) -> None:
        """The workflow goes on as a new run from the state alone, without the oldest entries."""
        self._answer_effects()
        self._see_what_is_new()
        carried = Carried(state=self.incident.state, timeline=self.incident.timeline, ledger=LedgerProgress())
        read = Carried.model_validate_json(to_json(carried))
        assert read == carried
        read.timeline.drop(read.timeline.length, keep=3)
        self.incident = LiveIncident(read.state, read.timeline)

    @rule()
    def everything_but_the_record_is_lost(self) -> None:
        """The incident and its changes go on from the record alone; what it does not say the end of is done again."""
        self._answer_effects()
        self._see_what_is_new()
        state = fold(Entry.model_validate_json(to_json(entry)) for entry in self.entries)
        assert state == self.incident.state
        last, number = self.entries[-1], len(self.entries)
        kept = {"state": state, "length": number, "head": last.hash, "epoch": 1, "term": 2, "until": last.at}
        found = RestoredIncident(**kept, latest=max(entry.at for entry in self.entries))
        self.changes = {name: change for name, change in self.changes.items() if change.ended}
        self.incident = LiveIncident.restored(RestoredIncident.model_validate_json(to_json(found)), self.now)
        self._answer_effects()

    # changes

    def _answer_effects(self) -> None:
        effects, self.incident.effects = self.incident.effects, []
        for effect in effects:
            self._answer(effect)

    def _answer(self, effect: Effect) -> None:
        state = self.incident.state
        match effect:
            case StartChange():
                self.changes[effect.workflow_id] = self._started(effect.workflow_id)
            case TellChanges():
                for change in (self.changes[name] for name in effect.workflow_ids):
                    if effect.signal == "commander_is":
                        change.commander_is(effect.payload["commander"], self.now)
                    elif effect.signal == "cancel":
                        change.hear("cancel", Cancel(**effect.payload), self.now)
                    self._tell(change)
            case SendNotice():
                sent = NoticeMoved(step=effect.step, status="sent", reference="reference", text="said")
                self.incident.take([Happening(sent)], self.now)
            case Send():
                self._delivered(effect.message, effect.number, state.letter(*effect).to)
            case Observe() | OpenIncident():
                pass

    def _delivered(self, message: Message, number: int, to: str) -> None:
        """Every third message does not get through."""
        fields: dict[str, Any] = {"message": message, "number": number, "to": to}
        sent = Delivered(**fields, channel="sms", message_id="r")
        self.incident.take([Happening(sent if number % 3 else DeliveryFailed(**fields, reason="no"))], self.now)

    def _started(self, workflow_id: str) -> LiveChange:
        record = self.incident.state.change(workflow_id)
        assert record is not None
        request = ChangeRequest.of(self.incident.state, record)
        return LiveChange(ChangeRequest.model_validate_json(to_json(request)))

    def _tell(self, change: LiveChange) -> None:
        """As the workflow does."""
        if (news := change.news()) is not None:
            news = ChangeNews.model_validate_json(to_json(news))
            happenings = change_requests.progress(self.incident.state, news.workflow_id, news.happenings())
            self.incident.take(happenings, self.now)

    @precondition(lambda self: any(not change.ended for change in self.changes.values()))
    @rule(draw=st.data(), steps=st.sampled_from([1, 2, 4, 4]))
    def a_change_goes_on(self, draw: st.DataObject, steps: int) -> None:
        change = draw.draw(st.sampled_from([change for change in self.changes.values() if not change.ended]))
        for _ in range(steps):
            self._go_on(change, draw)

    def _go_on(self, change: LiveChange, draw: st.DataObject) -> None:
        match change.record.status:
            case ChangeStatus.PLANNING:
                self._plan(change, draw.draw(machine.PLANNED))
            case ChangeStatus.AWAITING_APPROVAL if change.record.plan is not None:
                by = draw.draw(st.sampled_from(change.electorate.voters()))
                self._vote(change, Approve(by=by, digest=change.record.plan.digest))
            case ChangeStatus.APPLYING:
                self._apply(change, draw.draw(machine.APPLIED))
            case ChangeStatus.VERIFYING:
                if draw.draw(machine.VERIFIED) is ChangeStatus.APPLIED:
                    change.verified("seen", self.now)
                else:
                    change.failed("not steady", self.now)
        self._tell(change)

    def _plan(self, change: LiveChange, outcome: str) -> None:
        if outcome == "denied":
            change.failed("AccessDenied: no", self.now, denied=True)
        elif outcome == "nothing":
            change.planned(Planned(plan=plan(after={"revision": 8}), ours=True), self.now)
        else:
            change.planned(Planned(plan=plan(outcome)), self.now)

    def _apply(self, change: LiveChange, outcome: str) -> None:
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

    def _vote(self, change: LiveChange, command: Command) -> None:
        """A vote counts, waits for the plan, or is refused; each of these is on record."""
        length = len(self.incident.timeline.entries)
        reason = change.hear(machine.NAMES[type(command)], command, self.now)
        self._tell(change)
        said = self.incident.timeline.entries[length:]
        assert said
        assert (said[0].kind == "refused") is (reason is not None)


IncidentMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, suppress_health_check=[HealthCheck.too_slow]
)
TestIncident = IncidentMachine.TestCase
