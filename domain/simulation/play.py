"""An incident on a clock of its own: the rules as they are, and a world that answers at once.

Pages arrive, notices are posted, plans are made and applied in the instant in which they are asked for. A probe is
`unknown` unless it is said what it tells. What takes time is people and the clocks of the rules.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.config.approval import ApprovalClass
from domain.config.runbook import ProbeStep
from domain.model.activity_io import Applied, Planned
from domain.model.commands import CHANGE_COMMANDS, INCIDENT_COMMANDS
from domain.model.declaration import Declaration
from domain.model.effects import Effect, Observe, OpenIncident, Send, SendNotice, StartChange, TellChanges
from domain.model.event_kinds import Happening
from domain.model.events import Delivered
from domain.model.finding import Finding, FindingStatus
from domain.model.plan import Plan
from domain.model.records import ChangeRecord, ChangeStatus
from domain.model.timeline import Entry, Timeline
from domain.model.work_events import NoticeMoved
from domain.rules import change_requests, clock, findings, links, tasks
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeRequest
from domain.rules.live import LiveIncident
from domain.simulation.script import Look, Said
from domain.values.status import Status

_UNSEEN = Finding(status=FindingStatus.UNKNOWN, summary="not looked at in a simulation")
_TARGET = "simulated"
_SENT = {"channel": "simulation", "message_id": "simulation"}


class _Draft(Timeline):
    """A record that proves nothing, as nothing has happened: to hash it would take most of the time."""

    def append(
        self,
        at: datetime,
        actor: str,
        kind: str,
        text: str,
        data: dict[str, Any] | None = None,
        *,
        v: int = 1,
        cause: dict[str, Any] | None = None,
    ) -> Entry:
        entry = Entry.model_construct(
            seq=self.length + 1,
            at=at,
            actor=actor,
            kind=kind,
            text=text,
            data=data or {},
            v=v,
            cause=cause or {},
            prev="",
        )
        self.entries.append(entry)
        return entry


class _Change:
    """One change: planned at once, and applied as soon as it may be."""

    def __init__(self, request: ChangeRequest, approval_class: ApprovalClass, now: datetime) -> None:
        self.live = LiveChange(request)
        self.evidence_by: datetime | None = None
        self.live.planned(Planned(plan=_plan(request, approval_class)), now)
        if request.wait_for_evidence is not None:
            self.evidence_by = now + request.wait_for_evidence

    def next_due(self) -> datetime | None:
        waits = self.live.record.status is ChangeStatus.APPLYING
        return self.evidence_by if waits else self.live.next_due()

    def go_on(self, now: datetime) -> None:
        """Do what can be done by now."""
        self.live.pass_time(now)
        if self.live.record.status is not ChangeStatus.APPLYING:
            return
        if self.evidence_by is not None and now < self.evidence_by:
            return
        if self.evidence_by is not None:
            self.live.evidence_forgone(now)
        self.live.applied(Applied(outcome="applied", verified="as planned"), now)


class Simulation:
    """One declaration played on a clock of its own, with the incidents that it opens.

    `classes` says of each action which class its plans have. It is played by `run`, once. Its record is hashed, and can
    be reported, where it is `sealed`.
    """

    def __init__(
        self,
        declaration: Declaration,
        classes: Mapping[str, ApprovalClass],
        looks: Iterable[Look],
        *,
        sealed: bool = False,
    ) -> None:
        self._sealed = sealed
        self.declared_at = self._now = declaration.declared_at
        self._classes = classes
        self._looks = list(looks)
        self.incidents: list[_Simulated] = []
        self.refused: list[tuple[datetime, Said, str]] = []
        self._declare(declaration)

    @property
    def incident(self) -> LiveIncident:
        """The incident that was declared."""
        return self.incidents[0].live

    def _declare(self, declaration: Declaration) -> None:
        timeline = Timeline() if self._sealed else _Draft()
        self.incidents.append(_Simulated(self, LiveIncident.declared(declaration, timeline), self._now))

    def open(self, declaration: Declaration) -> str:
        """Declare an incident beside those there are; returns its id."""
        self._declare(declaration)
        return declaration.incident_id

    def tells(self, step: str) -> Look | None:
        """What a probe tells; None where nobody has said so."""
        return next((look for look in self._looks if look.step == step), None)

    def class_of(self, action: str) -> ApprovalClass:
        return self._classes[action]

    def run(self, answers: Iterable[Said], until: timedelta) -> None:
        """Play until so long after the declaration. What falls into one instant: the clocks first, then people."""
        waiting, end = sorted(answers, key=lambda one: one.at), self.declared_at + until
        while True:
            for one in self.incidents:  # which may open further ones
                one.go_on(self._now)
            while waiting and self.declared_at + waiting[0].at <= self._now:
                self._hear(waiting.pop(0))
            following = [self.declared_at + one.at for one in waiting[:1]]
            following += [due for one in self.incidents for due in one.due()]
            if not following or min(following) > end:
                return
            self._now = max(self._now, min(following))

    def _hear(self, one: Said) -> None:
        reason: str | None = "there is no change of that step"
        if not one.is_vote:
            command = INCIDENT_COMMANDS[one.command].model_validate(one.given)
            reason = self.incident.hear(one.command, command, self._now)
        elif change := self.incidents[0].newest(one.given["step"]):
            plan = change.live.record.plan
            command = CHANGE_COMMANDS[one.command].model_validate({**one.given, "digest": plan.digest if plan else ""})
            reason = change.live.hear(one.command, command, self._now)
        if reason is not None:
            self.refused.append((self._now, one, reason))
        self.incidents[0].go_on(self._now)


class _Simulated:
    """One incident with its changes, and the world's answers to what it asks for."""

    def __init__(self, simulation: Simulation, live: LiveIncident, now: datetime) -> None:
        self._simulation = simulation
        self._changes: dict[str, _Change] = {}
        self._unanswered: list[ProbeStep] = []
        self.live = live
        self.go_on(now)

    def newest(self, step: str) -> _Change | None:
        found = [change for change in self._changes.values() if change.live.record.step == step]
        return found[-1] if found else None

    def due(self) -> Iterator[datetime]:
        """When something happens next by itself."""
        state = self.live.state
        if (due := clock.next_due(state)) is not None:
            yield due.at
        if state.status is Status.CLOSED:  # what is left to do is followed up
            yield from (at for at, _ in tasks.upcoming(state))
        for change in self._changes.values():
            if (at := change.next_due()) is not None:
                yield at
        for step in self._unanswered:
            yield self._answer_at(step)

    def go_on(self, now: datetime) -> None:
        """Let happen what is due by now, and all that follows from it at once."""
        self.live.pass_time(now)
        if self.live.state.status is Status.CLOSED:
            self.live.take(tasks.remind(self.live.state, now), now)
        self._look(now)
        while True:
            effects, self.live.effects = self.live.effects, []
            for effect in effects:
                self._do(effect, now)
            for change in list(self._changes.values()):
                change.go_on(now)
                self._hear_change(change, now)
            if not self.live.effects:
                return

    def _answer_at(self, step: ProbeStep) -> datetime:
        look = self._simulation.tells(step.id)
        return self.live.state.declaration.declared_at + (look.at if look else timedelta(0))

    def _look(self, now: datetime) -> None:
        """Take what probes tell by now."""
        for step in [step for step in self._unanswered if self._answer_at(step) <= now]:
            self._unanswered.remove(step)
            look = self._simulation.tells(step.id)
            finding = Finding(status=look.status, summary=f"{step.title}: as given") if look else _UNSEEN
            self._take(findings.found(self.live.state, step, finding), now)

    def _hear_change(self, change: _Change, now: datetime) -> None:
        while (news := change.live.news()) is not None:
            self._take(change_requests.progress(self.live.state, news.workflow_id, news.happenings()), now)

    def _take(self, happenings: Iterable[Happening], now: datetime) -> None:
        self.live.take(happenings, now, {"answer": "simulation"})

    def _do(self, effect: Effect, now: datetime) -> None:
        state = self.live.state
        match effect:
            case Observe():
                step = state.declaration.runbook.step(effect.step)
                if isinstance(step, ProbeStep):
                    self._unanswered.append(step)
                    self._look(now)
            case Send():
                sent = Delivered(**effect._asdict(), to=state.letter(*effect).to, **_SENT)
                self._take([Happening(sent)], now)
            case SendNotice():
                self._take([Happening(NoticeMoved(step=effect.step, status="sent"))], now)
            case StartChange():
                self._start(state.change(effect.workflow_id), now)
            case TellChanges():
                self._tell(effect, now)
            case OpenIncident():
                opened = state.declaration.opening(state.link(*effect), f"{state.id}-{effect.type}", now)
                self._take(links.opened(state, effect, self._simulation.open(opened)), now)

    def _start(self, record: ChangeRecord | None, now: datetime) -> None:
        if record is not None:
            request = ChangeRequest.of(self.live.state, record)
            self._changes[record.workflow_id] = _Change(request, self._simulation.class_of(record.action), now)

    def _tell(self, effect: TellChanges, now: datetime) -> None:
        for change in (self._changes[name] for name in effect.workflow_ids if name in self._changes):
            match effect.signal:
                case "commander_is":
                    change.live.commander_is(effect.payload["commander"], now)
                case "cancel":
                    change.live.hear("cancel", CHANGE_COMMANDS["cancel"].model_validate(effect.payload), now)
                case "evidence_begun":
                    change.evidence_by = None


def _plan(request: ChangeRequest, approval_class: ApprovalClass) -> Plan:
    """A plan of something that is not so yet, in the class that the action's plans usually have."""
    return Plan(
        action=request.record.action,
        target=_TARGET,
        summary=request.title,
        before={"done": False},
        after={"done": True},
        impact="nothing: it is simulated",
        approval_class=approval_class,
        locks=(),
    ).sealed()
