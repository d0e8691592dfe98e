"""A stored incident run again: what was given, at the times of the record, and the rules and documents of today.

The world is the record. What the record cannot tell, as it was never asked for then, is answered at once, as in a
simulation. Whom a page reached is not played: nothing hangs on it.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from domain.config.approval import ApprovalClass
from domain.config.runbook import ProbeStep
from domain.model.activity_io import Applied, Planned
from domain.model.change_events import ChangeMoved, ChangeRequested, EvidenceForgone
from domain.model.commands import Command, CompleteTask, WaiveTask
from domain.model.declaration import Declaration
from domain.model.effects import Effect, Observe, SendNotice
from domain.model.event_kinds import Happening, event_of
from domain.model.events import AccessDenied, DrillEnded, Event, Restored
from domain.model.finding import Finding, FindingStatus
from domain.model.records import ChangeStatus
from domain.model.state import IncidentState
from domain.model.work_events import LinkAsked, Linked, LinkHeld, NoticeMoved
from domain.rehearsal.given import Alerted, Idle, Input, Looked, Settled, Spoken, Unread, Unwritten, Woke
from domain.rehearsal.record import Record
from domain.rules import access, alerts, change_requests, decide, findings, lifecycle
from domain.rules.change_messages import ChangeRequest
from domain.rules.ledger_progress import LedgerProgress
from domain.rules.live import LiveIncident
from domain.rules.tasks import BY_CODE
from domain.simulation.keeping_time import Moment, keep_time
from domain.simulation.played import Draft, PlayedChange, PlayedIncident, PromptChange

_UNSEEN = Finding(status=FindingStatus.UNKNOWN, summary="nobody looked then")
_UNDER_WAY = frozenset({ChangeStatus.PLANNING, ChangeStatus.APPLYING, ChangeStatus.VERIFYING})
_ANSWERED = (Applied, ChangeMoved, Settled)


class Wakes:
    """When clocks were looked at, by the record: what was due since then waited until that instant."""

    def __init__(self, inputs: Iterator[Input]) -> None:
        self._ahead = deque((one.what.since, one.at) for one in inputs if isinstance(one.what, Woke))

    def pass_one(self) -> None:
        self._ahead.popleft()

    def hold(self, due: datetime) -> bool:
        """Whether what is due waits, as nobody was there."""
        coming = next((wake for wake in self._ahead if wake[1] >= due), None)
        return coming is not None and coming[0] <= due


class _Recorded(PlayedChange):
    """A change whose plan, votes and applying are on record.

    Where it goes further today than it went then, it is applied at once.
    """

    def __init__(self, request: ChangeRequest, record: Record, wakes: Wakes) -> None:
        super().__init__(request)
        self.wakes = wakes
        then = record.state.change(request.record.workflow_id)
        self._open_then = then is None or then.status in _UNDER_WAY
        self._answers = sum(
            isinstance(one.what, _ANSWERED) and one.workflow_id == request.record.workflow_id for one in record.inputs
        )

    def next_due(self) -> datetime | None:
        due = self.live.next_due()
        return None if due is None or self.wakes.hold(due) else due

    def go_on(self, now: datetime) -> None:
        if (due := self.next_due()) is not None and due <= now:
            self.live.pass_time(now)
        if self.live.record.status is ChangeStatus.APPLYING and not self._answers and not self._open_then:
            self.live.applied(Applied(outcome="applied", verified="as planned"), now)

    def evidence_begun(self) -> None:
        """Nothing: the record says when it was applied."""

    def give(self, one: Input) -> None:
        """Take what was given to it; what does not fit how it stands today is left out."""
        status = self.live.record.status
        self._answers -= isinstance(one.what, _ANSWERED)
        match one.what:
            case Woke():
                self.wakes.pass_one()
                self.live.pass_time(one.at)
            case Spoken(name="cancel", refused=False) if status is ChangeStatus.CANCELLED:
                pass  # by the false alarm, which has told it so
            case Spoken():
                self.live.hear(one.what.name, one.what.command, one.at)
            case Unread():
                self.live.refuse(one.what.name, one.what.by, one.what.reason, one.at)
            case Planned() if status is ChangeStatus.PLANNING:
                self.live.planned(one.what, one.at)
            case Applied() if status is ChangeStatus.APPLYING:
                self.live.applied(one.what, one.at)
            case EvidenceForgone() if status is ChangeStatus.APPLYING:
                self.live.evidence_forgone(one.at)
            case ChangeMoved(status=ChangeStatus.FAILED) if self.live.record.in_flight:
                self.live.failed(one.what.reason or "", one.at, denied=one.what.denied)
            case ChangeMoved() if status is ChangeStatus.VERIFYING:
                self.live.verified(one.what.reason or "", one.at)


class Replay(PlayedIncident):
    """One record run again under a declaration that need not be its own. `classes` is as in a simulation."""

    def __init__(self, record: Record, declaration: Declaration, classes: Mapping[str, ApprovalClass]) -> None:
        super().__init__(LiveIncident.declared(declaration, Draft()))
        self._record = record
        self._classes = classes
        self._wakes = Wakes(one for one in record.inputs if one.workflow_id is None)
        asked = (event_of(entry) for entry in record.entries if entry.kind == "change-requested")
        self._asked = {event.workflow_id for event in asked if isinstance(event, ChangeRequested)}

    def run(self) -> "Replay":
        """Play up to the record's last entry; what is due at that very instant is told by the record alone."""
        inputs = self._record.inputs
        moments = [Moment(one.heard, partial(self._hear, one)) for one in inputs]
        keep_time(self.live.state.declared_at, self._record.until, moments, self.go_on, self._dues)
        return self

    def _dues(self) -> Iterator[datetime]:
        return (due for due in self.due() if due < self._record.until)

    def next_due(self) -> datetime | None:
        due = super().next_due()
        return None if due is None or self._wakes.hold(due) else due

    def pass_time(self, now: datetime) -> None:
        due = self.next_due()
        if due is not None and due <= now and due < self._record.until:
            super().pass_time(now)

    def begin(self, request: ChangeRequest, now: datetime) -> PlayedChange:
        name = request.record.workflow_id
        if name not in self._asked:
            return PromptChange(request, self._classes[request.record.action], now)
        return _Recorded(request, self._record, Wakes(one for one in self._record.inputs if one.workflow_id == name))

    def answer(self, effect: Effect, now: datetime) -> None:
        state, then = self.live.state, self._record.declaration.runbook
        match effect:
            case Observe() if then.step(effect.step) is None:
                step = state.declaration.runbook.step(effect.step)
                if isinstance(step, ProbeStep):
                    self.take(findings.found(state, step, _UNSEEN), now)
            case SendNotice() if then.step(effect.step) is None:
                self.take([Happening(NoticeMoved(step=effect.step, status="sent"))], now)

    def _hear(self, one: Input, now: datetime) -> None:
        if one.workflow_id is None:
            self._give(one, now)
        elif isinstance(one.what, Settled):
            self._settle_by_record(one.workflow_id, one.what, now)
        elif isinstance(change := self.changes.get(one.workflow_id), _Recorded):
            change.give(one)
            self.hear_change(change, now)
        self.settle(now)

    def _give(self, one: Input, now: datetime) -> None:
        """Let the incident take what was given to it."""
        state, what = self.live.state, one.what
        match what:
            case Woke():
                self._wakes.pass_one()
                super().pass_time(now)
            case Spoken():
                refusal = decide.rule_refusal if what.behind else decide.refusal
                self.live.hear(what.name, what.command, now, partial(_refused, refusal))
            case Unread():
                self.live.refuse(what.name, what.by, what.reason, now)
            case Alerted():
                self.take(alerts.repeated(state, what.by, what.text), now)
            case Looked():
                self._look(what, now)
            case Idle():
                self._go_on_by_itself(now)
            case DrillEnded():
                self.live.take(lifecycle.end_drill(state, what.outcome, what.reason), now, {"drill": "end"})
            case AccessDenied():
                self.take(access.denied_access(state, what.action), now)
            case Unwritten():
                self.take(LedgerProgress(due_at=what.due_at, clock="running").overdue(state, now), now)
            case Restored():
                self._restore(what, now)
            case Event() if self._fits(what):
                self.take([Happening(what)], now)

    def _look(self, what: Looked, now: datetime) -> None:
        step = self.live.state.declaration.runbook.step(what.found.step)
        if isinstance(step, ProbeStep):
            finding = Finding.model_validate(what.found.model_dump(include=set(Finding.model_fields)))
            self.take(findings.found(self.live.state, step, finding, denied=what.denied), now)

    def _fits(self, event: Event) -> bool:
        """Whether an answer is one to something that is asked for today too."""
        state = self.live.state
        match event:
            case NoticeMoved():  # which may come when it waits to be sent again
                return any(one.step == event.step and one.sequence is not None for one in state.notices)
            case LinkAsked():
                return (event.type, event.key) not in {(link.type, link.key) for link in state.links}
            case Linked() | LinkHeld():
                return (event.type, event.key) in {(link.type, link.key) for link in state.links}
            case _:
                return True

    def _restore(self, event: Restored, now: datetime) -> None:
        """The incident and its changes went on from the record alone, each where it stood."""
        self.live.take([Happening(event)], now, {"command": "restore"})
        for change in self.live.state.changes_in_flight():
            self._begin_again(change.workflow_id)

    def _settle_by_record(self, workflow_id: str, what: Settled, now: datetime) -> None:
        """Take what was said of a change whose workflow was gone, and go on with one that was begun."""
        record = self.live.state.change(workflow_id)
        if record is None or not record.in_flight:
            return
        self.take(change_requests.progress(self.live.state, workflow_id, list(what.happenings)), now)
        if record.in_flight and not record.adrift:
            self._begin_again(workflow_id)
        elif not record.in_flight:
            self.changes.pop(workflow_id, None)

    def _begin_again(self, workflow_id: str) -> None:
        before, record = self.changes.get(workflow_id), self.live.state.change(workflow_id)
        if isinstance(before, _Recorded) and record is not None:
            self.changes[workflow_id] = _Recorded(ChangeRequest.of(self.live.state, record), self._record, before.wakes)

    def _go_on_by_itself(self, now: datetime) -> None:
        """Close upkeep whose work is done; of a dry run plan every change, then close it: as its workflow does."""
        state = self.live.state
        if state.ended:
            return
        if state.upkeep:
            self.live.take(lifecycle.end_upkeep(state, now), now)
        elif not state.live:
            if not state.changes:
                self.live.take(change_requests.request_all(state), now)
                self.settle(now)
            if not state.changes_in_flight():
                self.live.take(lifecycle.end_dry_run(state), now)


def _refused(refusal: decide.Refusal, state: IncidentState, name: str, command: Command) -> str | None:
    """Why today's rules refuse a command. A code that was right when it was said is on no record and right still."""
    if isinstance(command, CompleteTask) and command.code == BY_CODE:
        command = WaiveTask(by=command.by, step=command.step, reason=BY_CODE)  # of which nothing else is asked
    return refusal(state, name, command)
