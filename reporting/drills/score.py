"""The score of a drill: a pure function of its record. Each point names the entry that shows it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from domain.config.drill import DrillKind, Scenario
from domain.config.runbook import ChangeStep, TaskStep
from domain.model import change_events, events, work_events
from domain.model.event_kinds import event_of
from domain.model.events import ORCHESTRATOR, Event
from domain.model.finding import FindingStatus
from domain.model.records import DONE, ChangeStatus
from domain.model.state import IncidentState
from domain.model.timeline import Entry, Timeline
from domain.rules.evolve import fold
from domain.rules.findings import probes

Verdict = Literal["running", "stopped", "failed", "passed"]
_EFFECT = {*DONE, ChangeStatus.PARTLY_APPLIED}


class Point(BaseModel):
    """One thing that a drill is held to: whether it was so, and by which entry, counted from 1."""

    name: str
    met: bool
    text: str
    entry: int


class Score(BaseModel):
    """What a drill came to. One that nobody answered has failed, and so has one that lacks a point."""

    id: str
    scenario: str
    kind: DrillKind
    declared_at: datetime
    verdict: Verdict
    knew: str
    reason: str | None = None
    points: list[Point]

    @property
    def met(self) -> int:
        return sum(point.met for point in self.points)


class _Record:
    """The entries of a drill with their events, and what they come to."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.events: list[tuple[Entry, Event | None]] = [(entry, event_of(entry)) for entry in entries]
        self.state = fold(entries)

    def first(self, kind: type[Event], holds: Callable[..., bool] = lambda _: True, after: int = 0) -> Entry | None:
        """The first entry behind number `after` that is of a kind, and of whose event it holds."""
        found = (e for e, event in self.events if e.seq > after and isinstance(event, kind) and holds(event))
        return next(found, None)

    @property
    def last(self) -> Entry:
        return self.entries[-1]


def is_drill(entries: Sequence[Entry]) -> bool:
    """Whether a record, by its declaration, is of a drill that can be scored; not of what was opened beside one."""
    first = event_of(entries[0])
    return isinstance(first, events.Declared) and first.declaration.drill is not None


def score(entries: Sequence[Entry]) -> Score:
    """Score a drill by its record, oldest entry first. Raises `ValueError` for a record that is of no drill."""
    record = _Record(entries)
    state, exercise = record.state, record.state.declaration.drill
    if exercise is None:
        raise ValueError(f"{state.id} is no drill")
    points = list(_points(record, exercise.scenario))
    return Score(
        id=state.id,
        scenario=exercise.scenario.id,
        kind=exercise.scenario.kind,
        declared_at=state.declared_at,
        verdict=_verdict(record, points),
        knew="everybody: it was announced" if exercise.scenario.announced else ", ".join(exercise.knew) or "nobody",
        reason=next((event.reason for _, event in record.events if isinstance(event, events.DrillEnded)), None),
        points=points,
    )


def _verdict(record: _Record, points: list[Point]) -> Verdict:
    if not record.state.ended:
        return "running"
    ended = next((event for _, event in record.events if isinstance(event, events.DrillEnded)), None)
    if ended is not None and ended.outcome != "time-box":
        return "stopped"
    return "passed" if all(point.met for point in points) else "failed"


def _points(record: _Record, scenario: Scenario) -> Iterator[Point]:
    yield from _answered(record)
    yield from _looked(record, scenario)
    yield from _changed(record, scenario)
    yield from _in_time(record)
    yield from _owed(record, scenario)
    yield from _evidence(record)
    yield _whole(record)


def _answered(record: _Record) -> Iterator[Point]:
    """The clock may have been moved by a change of severity: it stands in the state, the answer in its entry."""
    answer = record.first(events.Acknowledged)
    missed = record.first(events.DeadlineMissed, lambda event: event.clock == "ack")
    shows = min(filter(None, (answer, missed)), key=lambda entry: entry.seq, default=record.last)
    text = "nobody acknowledged" if answer is None else f"{answer.actor} acknowledged{' late' if missed else ''}"
    yield Point(name="acknowledged in time", met=shows is answer, text=text, entry=shows.seq)
    commander = record.state.commander
    yield Point(
        name="commander named",
        met=commander is not None,
        text=f"{commander} commands" if commander else "nobody commands",
        entry=(answer or record.last).seq,
    )


def _looked(record: _Record, scenario: Scenario) -> Iterator[Point]:
    """A finding is looked at where a person acts on it: by a change that it suggests, by its work, or by a note."""
    if not scenario.findings:
        return
    name, state, seen = "right finding looked at", record.state, list[work_events.Found]()
    for entry, event in record.events:
        if isinstance(event, work_events.Found):
            seen += [event] if event.status is FindingStatus.SUSPECT and event.step in scenario.findings else []
        elif entry.actor != ORCHESTRATOR:
            acted = next((one for one in seen if _acts_on(event, one, _because_of(state, one.step))), None)
            if acted is not None:
                yield Point(name=name, met=True, text=f"{entry.actor} acted on {acted.step}", entry=entry.seq)
                return
    text = f"nobody acted on {' or '.join(scenario.findings)}"
    yield Point(name=name, met=False, text=text, entry=record.last.seq)


def _because_of(state: IncidentState, probe: str) -> set[str]:
    """The changes that a probe suggests, and the work that it opens."""
    return {
        step.id
        for step in state.declaration.runbook.steps()
        if (isinstance(step, ChangeStep) and probe in step.suggested_by)
        or (isinstance(step, TaskStep) and probe in step.opened_by)
    }


def _acts_on(did: Event | None, found: work_events.Found, steps: set[str]) -> bool:
    match did:
        case change_events.ChangeRequested() | work_events.TaskEnded(status="done"):
            return did.step in steps
        case events.Noted():
            return found.step in did.text or found.title in did.text
        case _:
            return False


def _changed(record: _Record, scenario: Scenario) -> Iterator[Point]:
    def applied(steps: Sequence[str], statuses: set[ChangeStatus]) -> Entry | None:
        return record.first(change_events.ChangeMoved, lambda event: event.step in steps and event.status in statuses)

    if scenario.right:
        done = applied(scenario.right, _EFFECT)
        text = done.text if done else f"none of {', '.join(scenario.right)} was applied"
        yield Point(name="right change", met=done is not None, text=text, entry=(done or record.last).seq)
    if scenario.harmful:
        harm = applied(scenario.harmful, {ChangeStatus.APPLYING})
        text = harm.text if harm else f"none of {', '.join(scenario.harmful)} was applied"
        yield Point(name="nothing harmful", met=harm is None, text=text, entry=(harm or record.last).seq)


def _in_time(record: _Record) -> Iterator[Point]:
    """Every other clock of the response: progress, updates, phases, approvals."""
    missed = record.first(events.DeadlineMissed, lambda event: event.clock != "ack")
    over = record.first(events.Resolved)
    met = missed is None and over is not None
    text = missed.text if missed else "every clock was met" if over else "nothing was resolved"
    yield Point(name="service levels", met=met, text=text, entry=(missed or over or record.last).seq)


def _owed(record: _Record, scenario: Scenario) -> Iterator[Point]:
    for fact in scenario.facts:
        said = record.first(work_events.FactRecorded, lambda event, fact=fact: event.fact == fact)
        text = said.text if said else f"nobody recorded {fact}"
        yield Point(name=f"fact {fact}", met=said is not None, text=text, entry=(said or record.last).seq)
    for duty in scenario.duties:
        began = record.first(work_events.DutyStarted, lambda event, duty=duty: event.obligation == duty)
        text = began.text if began else f"{duty} never began"
        yield Point(name=f"duty {duty} began", met=began is not None, text=text, entry=(began or record.last).seq)
        owed = record.state.duty(duty)
        if owed is None:
            continue
        ended = record.first(
            work_events.DutySigned, lambda event, step=owed.step: event.step == step and not event.missing
        )
        met = owed.ended is not None and not owed.missed
        text = ended.text if ended else f"{duty} is open"
        yield Point(name=f"duty {duty} met", met=met, text=text, entry=(ended or record.last).seq)


def _evidence(record: _Record) -> Iterator[Point]:
    """Held to it is who contains: before the first change that waits for evidence is applied, that has begun."""
    waits = {
        step.id
        for step in record.state.declaration.runbook.steps()
        if isinstance(step, ChangeStep) and step.evidence_first
    }
    contained = record.first(
        change_events.ChangeMoved, lambda event: event.step in waits and event.status is ChangeStatus.APPLYING
    )
    if contained is None:
        return
    forgone = record.first(change_events.EvidenceForgone)
    shows = forgone or contained
    text = forgone.text if forgone else "what preserves evidence had begun"
    yield Point(name="evidence before containment", met=forgone is None, text=text, entry=shows.seq)


def _whole(record: _Record) -> Point:
    broken = Timeline(entries=list(record.entries)).first_broken()
    closed = record.first(events.Closed) or record.first(events.FalseAlarm)
    unseen = [probe.id for probe in probes(record.state.declaration.runbook) if not _seen(record.state, probe.id)]
    missing = f"entry {broken} does not follow" if broken else f"no finding of {', '.join(unseen)}" if unseen else None
    text = missing or (closed.text if closed else "nobody closed it")
    met = missing is None and closed is not None
    return Point(name="record whole", met=met, text=text, entry=(closed or record.last).seq)


def _seen(state: IncidentState, probe: str) -> bool:
    return any(finding.step == probe for finding in state.findings)
