"""What a pack says of its incidents, row by row, as JSON has it: what was open, drills, upkeep, duties, people."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.model.work_events import DutyOverdue
from domain.values.periods import Period
from domain.values.timestamps import stamp
from reporting.drills import score

Row = dict[str, Any]
_OVERDUE = DutyOverdue.model_fields["kind"].default


def was_open(state: IncidentState, period: Period) -> bool:
    """Whether an incident was open at some instant of a period."""
    ended = state.closed_at
    return state.declared_at < period.until and (ended is None or ended >= period.since)


def incident(state: IncidentState, flaw: str | None) -> Row:
    """An incident, and the first flaw of its record if it has one."""
    return {
        "incident": state.id,
        "title": state.title,
        "type": state.type,
        "severity": state.severity.value,
        "mode": state.declaration.mode,
        "declared_at": stamp(state.declared_at),
        "declared_by": state.declaration.declared_by,
        "status": state.status.value,
        "ended_at": stamp(state.closed_at),
        "flaw": flaw,
    }


def drill(state: IncidentState, entries: Sequence[Entry]) -> Row:
    """A drill and its score; what was opened beside a drill has none."""
    scored = score.score(entries) if state.declaration.drill else None
    return {
        "incident": state.id,
        "title": state.title,
        "type": state.type,
        "declared_at": stamp(state.declared_at),
        **_scheduled(state),
        "acknowledged_at": stamp(state.first_acknowledged_at),
        "status": state.status.value,
        "ended_at": stamp(state.closed_at),
        "breached": [clock.name for clock in state.standing_clocks() if clock.state == "breached"],
        "verdict": scored and scored.verdict,
        "points": [point.model_dump(mode="json") for point in scored.points] if scored else [],
    }


def upkeep(state: IncidentState) -> Row:
    """What a schedule had done: a review, a validation, a check; its tasks, and what it opened."""
    told = {"step", "title", "owner", "status", "by", "at", "note"}
    tasks = [task.model_dump(mode="json", include=told) for task in state.tasks]
    findings = [found.model_dump(mode="json", include={"step", "status", "summary"}) for found in state.findings]
    return {
        "incident": state.id,
        "title": state.title,
        "type": state.type,
        "declared_at": stamp(state.declared_at),
        **_scheduled(state),
        "status": state.status.value,
        "findings": findings,
        "tasks": tasks,
        "opened": [link.incident for link in state.links if link.incident],
    }


def _scheduled(state: IncidentState) -> Row:
    run = state.declaration.scheduled
    return {
        "schedule": run and run.schedule,
        "due_at": run and stamp(run.at),
        "missed": [stamp(at) for at in run.missed] if run else [],
    }


def duties(state: IncidentState, entries: Iterable[Entry]) -> Iterator[Row]:
    """Every duty that began, kept or missed; `overdue_in` are the entries in which it was told that it was missed."""
    told: dict[str, list[int]] = {}
    for entry in entries:
        if entry.kind == _OVERDUE:
            told.setdefault(str(entry.data["step"]), []).append(entry.seq)
    for duty in state.obligations:
        ended = duty.ended
        yield {
            "incident": state.id,
            "step": duty.step,
            "obligation": duty.obligation,
            "started_at": stamp(duty.started_at),
            "due_at": stamp(duty.due_at),
            "state": duty.state,
            "done_at": stamp(ended.done_at) if ended else None,
            "reference": (ended.reference or ended.reason) if ended else None,
            "missed": duty.missed,
            "overdue_in": told.get(duty.step, []),
        }


class Seen(NamedTuple):
    """The people and the keys that an incident was declared with."""

    at: datetime
    incident: str
    organisation: Organisation
    environment: Environment


def changes(seen: Iterable[Seen], period: Period) -> Iterator[Row]:
    """Who came, left or has another role, and other keys, each with the first incident that was declared so."""
    before: Seen | None = None
    for one in sorted(seen):
        if before is not None and one.at >= period.since:
            for what in (*_people(before.organisation, one.organisation), *_keys(before, one)):
                yield {"at": stamp(one.at), "incident": one.incident, "what": what}
        before = one


def _people(old: Organisation, new: Organisation) -> Iterator[str]:
    before, after = ({contact.id: contact for contact in one.contacts} for one in (old, new))
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        if was is None and now is not None:
            yield f"{name} is a contact now: {', '.join(now.roles)}"
        elif now is None:
            yield f"{name} is no contact any more"
        elif was is not None:
            if was.roles != now.roles:
                yield f"{name} is {', '.join(now.roles)} instead of {', '.join(was.roles)}"
            if was.channels != now.channels:
                yield f"{name} is reached in another way"
    for what, field in (("the chain", "chain"), ("who is on call", "on_call")):
        was_so, is_so = getattr(old, field), getattr(new, field)
        if was_so != is_so:
            yield f"{what} is {', '.join(is_so) or 'nobody'} instead of {', '.join(was_so) or 'nobody'}"
    if old.approval != new.approval:
        yield "who approves changes is another"


def _keys(old: Seen, new: Seen) -> Iterator[str]:
    was, now = old.environment.evidence, new.environment.evidence
    for what, field in (("the record is signed by", "signing_key"), ("evidence is encrypted by", "kms_key")):
        before, after = (getattr(one, field, None) for one in (was, now))
        if before != after:
            yield f"{what} {after or 'nobody'} instead of {before or 'nobody'}"
