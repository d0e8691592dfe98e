"""An incident with its changes on a clock of its own: the rules as they are, and a stand-in for the world."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from domain.config.approval import ApprovalClass
from domain.model.activity_io import Applied, Planned
from domain.model.commands import CHANGE_COMMANDS
from domain.model.effects import Effect, StartChange, TellChanges
from domain.model.event_kinds import Happening
from domain.model.events import Event
from domain.model.plan import Plan
from domain.model.records import ChangeStatus
from domain.model.timeline import Entry, Recorded, Timeline
from domain.rules import change_requests, clock, tasks
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeRequest, StandIns
from domain.rules.live import LiveIncident
from domain.values.status import Status

_TARGET = "simulated"


@dataclass(slots=True)
class _Drafted:
    """An entry that proves nothing: what stands in it is worked out for whoever reads it."""

    seq: int
    at: datetime
    actor: str
    event: Event
    cause: dict[str, Any]

    @property
    def kind(self) -> str:
        return self.event.kind

    @property
    def v(self) -> int:
        return self.event.V

    @property
    def text(self) -> str:
        return self.event.sentence(self.actor)

    @property
    def data(self) -> dict[str, Any]:
        return self.event.data()


class Draft(Timeline):
    """A record that proves nothing, as nothing has happened: to write and hash it would take most of the time."""

    def record(self, at: datetime, actor: str, event: Recorded, cause: dict[str, Any]) -> Entry:
        entry = cast("Entry", _Drafted(self.length + 1, at, actor, cast("Event", event), cause))
        self.entries.append(entry)
        return entry


class PlayedChange(ABC):
    """One change, whose plan and whose applying somebody answers for."""

    def __init__(self, request: ChangeRequest) -> None:
        self.live = LiveChange(request)

    @abstractmethod
    def next_due(self) -> datetime | None:
        """When something happens to it by itself."""

    @abstractmethod
    def go_on(self, now: datetime) -> None:
        """Do what can be done by now."""

    @abstractmethod
    def evidence_begun(self) -> None:
        """Learn that the evidence to be preserved first is under way."""


class PromptChange(PlayedChange):
    """A change that is planned at once, and applied as soon as it may be."""

    def __init__(self, request: ChangeRequest, approval_class: ApprovalClass, now: datetime) -> None:
        super().__init__(request)
        self._box = request.wait_for_evidence
        self._evidence_by: datetime | None = None
        self.live.planned(Planned(plan=_plan(request, approval_class)), now)

    def next_due(self) -> datetime | None:
        waits = self.live.record.status is ChangeStatus.APPLYING
        return self._evidence_by if waits else self.live.next_due()

    def go_on(self, now: datetime) -> None:
        self.live.pass_time(now)
        if self.live.record.status is not ChangeStatus.APPLYING:
            return
        if self._box is not None:
            self._evidence_by = self._evidence_by or now + self._box
            if now < self._evidence_by:
                return
            self.live.evidence_forgone(now)
        self.live.applied(Applied(outcome="applied", verified="as planned"), now)

    def evidence_begun(self) -> None:
        self._box = None


class PlayedIncident(ABC):
    """One incident with its changes. Who derives from it stands in for the world: it answers what is asked for."""

    def __init__(self, live: LiveIncident) -> None:
        self.live = live
        self.changes: dict[str, PlayedChange] = {}

    @abstractmethod
    def answer(self, effect: Effect, now: datetime) -> None:
        """Answer what is to be done outside, now or later; changes are not among it."""

    @abstractmethod
    def begin(self, request: ChangeRequest, now: datetime) -> PlayedChange:
        """Begin a change that was asked for."""

    def next_due(self) -> datetime | None:
        """When the incident's own clocks have something to do."""
        state = self.live.state
        own = clock.next_due(state)
        dues = [] if own is None else [own.at]
        if state.status is Status.CLOSED:  # what is left to do is followed up
            dues += (at for at, _ in tasks.upcoming(state))
        return min(dues, default=None)

    def due(self) -> Iterator[datetime]:
        """When something happens next by itself."""
        for at in (self.next_due(), *(change.next_due() for change in self.changes.values())):
            if at is not None:
                yield at

    def go_on(self, now: datetime) -> None:
        """Let happen what is due by now, and all that follows from it at once."""
        self.pass_time(now)
        self.settle(now)

    def pass_time(self, now: datetime) -> None:
        """Let the incident's own clocks do what is due by now."""
        self.live.pass_time(now)
        if self.live.state.status is Status.CLOSED:
            self.live.take(tasks.remind(self.live.state, now), now)

    def settle(self, now: datetime) -> None:
        """Do what is asked for, and let the changes go on, until nothing follows any more."""
        while True:
            effects, self.live.effects = self.live.effects, []
            for effect in effects:
                self._do(effect, now)
            for change in list(self.changes.values()):
                change.go_on(now)
                self.hear_change(change, now)
            if not self.live.effects:
                return

    def hear_change(self, change: PlayedChange, now: datetime) -> None:
        """Take over what a change has to say."""
        while (news := change.live.news()) is not None:
            happenings = change_requests.progress(self.live.state, news.workflow_id, news.happenings())
            self.live.take(happenings, now)

    def take(self, happenings: Iterable[Happening], now: datetime) -> None:
        """Take an answer from outside."""
        self.live.take(happenings, now, {"answer": "simulation"})

    def _do(self, effect: Effect, now: datetime) -> None:
        match effect:
            case StartChange():
                if (record := self.live.state.change(effect.workflow_id)) is not None:
                    self.changes[record.workflow_id] = self.begin(ChangeRequest.of(self.live.state, record), now)
            case TellChanges():
                self._tell(effect, now)
            case _:
                self.answer(effect, now)

    def _tell(self, effect: TellChanges, now: datetime) -> None:
        for change in (self.changes[name] for name in effect.workflow_ids if name in self.changes):
            match effect.signal:
                case "commander_is":
                    change.live.commander_is(effect.payload["commander"], now)
                case "stand_ins_are":
                    change.live.stand_ins_are(StandIns.model_validate(effect.payload), now)
                case "cancel":
                    change.live.hear("cancel", CHANGE_COMMANDS["cancel"].model_validate(effect.payload), now)
                case "evidence_begun":
                    change.evidence_begun()


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
