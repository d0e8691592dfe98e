"""An incident on a clock of its own: the rules as they are, and a world that answers at once.

Pages arrive, notices are posted, plans are made and applied in the instant in which they are asked for. A probe is
`unknown` unless it is said what it tells. What takes time is people and the clocks of the rules.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from domain.config.approval import ApprovalClass
from domain.config.runbook import ProbeStep
from domain.model.commands import CHANGE_COMMANDS, INCIDENT_COMMANDS
from domain.model.declaration import Declaration
from domain.model.effects import Effect, Observe, OpenIncident, Send, SendNotice
from domain.model.event_kinds import Happening
from domain.model.events import Delivered
from domain.model.finding import Finding, FindingStatus
from domain.model.timeline import Timeline
from domain.model.work_events import NoticeMoved
from domain.rules import findings, links
from domain.rules.change_messages import ChangeRequest
from domain.rules.live import LiveIncident
from domain.simulation.keeping_time import Moment, keep_time
from domain.simulation.played import Draft, PlayedChange, PlayedIncident, PromptChange
from domain.simulation.script import Look, Said

_UNSEEN = Finding(status=FindingStatus.UNKNOWN, summary="not looked at in a simulation")
_SENT = {"channel": "simulation", "message_id": "simulation"}


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
        timeline = Timeline() if self._sealed else Draft()
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
        """Play until so long after the declaration."""
        said = sorted(answers, key=lambda one: one.at)
        moments = [Moment(self.declared_at + one.at, partial(self._hear, one)) for one in said]
        keep_time(self._now, self.declared_at + until, moments, self._go_on, self._dues)

    def _go_on(self, now: datetime) -> None:
        self._now = now
        for one in self.incidents:  # which may open further ones
            one.go_on(now)

    def _dues(self) -> Iterator[datetime]:
        return (due for one in self.incidents for due in one.due())

    def _hear(self, one: Said, now: datetime) -> None:
        reason: str | None = "there is no change of that step"
        if not one.is_vote:
            command = INCIDENT_COMMANDS[one.command].model_validate(one.given)
            reason = self.incident.hear(one.command, command, now)
        elif change := self.incidents[0].newest(one.given["step"]):
            plan = change.live.record.plan
            command = CHANGE_COMMANDS[one.command].model_validate({**one.given, "digest": plan.digest if plan else ""})
            reason = change.live.hear(one.command, command, now)
        if reason is not None:
            self.refused.append((now, one, reason))
        self.incidents[0].go_on(now)


class _Simulated(PlayedIncident):
    """One incident, and the world's answers to what it asks for."""

    def __init__(self, simulation: Simulation, live: LiveIncident, now: datetime) -> None:
        super().__init__(live)
        self._simulation = simulation
        self._unanswered: list[ProbeStep] = []
        self.go_on(now)

    def newest(self, step: str) -> PlayedChange | None:
        found = [change for change in self.changes.values() if change.live.record.step == step]
        return found[-1] if found else None

    def due(self) -> Iterator[datetime]:
        yield from super().due()
        for step in self._unanswered:
            yield self._answer_at(step)

    def pass_time(self, now: datetime) -> None:
        super().pass_time(now)
        self._look(now)

    def _answer_at(self, step: ProbeStep) -> datetime:
        look = self._simulation.tells(step.id)
        return self.live.state.declaration.declared_at + (look.at if look else timedelta(0))

    def _look(self, now: datetime) -> None:
        """Take what probes tell by now."""
        for step in [step for step in self._unanswered if self._answer_at(step) <= now]:
            self._unanswered.remove(step)
            look = self._simulation.tells(step.id)
            finding = Finding(status=look.status, summary=f"{step.title}: as given") if look else _UNSEEN
            self.take(findings.found(self.live.state, step, finding), now)

    def begin(self, request: ChangeRequest, now: datetime) -> PlayedChange:
        return PromptChange(request, self._simulation.class_of(request.record.action), now)

    def answer(self, effect: Effect, now: datetime) -> None:
        state = self.live.state
        match effect:
            case Observe():
                step = state.declaration.runbook.step(effect.step)
                if isinstance(step, ProbeStep):
                    self._unanswered.append(step)
                    self._look(now)
            case Send():
                sent = Delivered(**effect._asdict(), to=state.letter(*effect).to, **_SENT)
                self.take([Happening(sent)], now)
            case SendNotice():
                self.take([Happening(NoticeMoved(step=effect.step, status="sent"))], now)
            case OpenIncident():
                opened = state.opening(state.link(*effect), f"{state.id}-{effect.type}", now)
                self.take(links.opened(state, effect, self._simulation.open(opened)), now)
