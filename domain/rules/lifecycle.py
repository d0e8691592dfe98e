"""From declared to closed, and back: what people may say of where an incident stands, and what comes of it."""

from collections.abc import Iterator
from datetime import datetime

from domain.config.drill import DrillCut
from domain.config.organisation import Contact
from domain.config.reviews import REVIEW
from domain.model import commands, events
from domain.model.event_kinds import Happening
from domain.model.records import ChangeStatus
from domain.model.state import IncidentState
from domain.rules import breaking_glass, links, notices, obligation_rules, tasks
from domain.values.status import Status


def acknowledge(
    state: IncidentState, _command: commands.Acknowledge, who: Contact, now: datetime
) -> Iterator[Happening]:
    """Whoever is first commands, and whoever is once an acknowledgement has lapsed; who comes later joins."""
    yield from obligation_rules.acknowledged(state, who, now)
    joins = state.status is not Status.DECLARED
    commander = who.id if state.lapsed or state.commander is None else state.commander
    yield Happening(events.Acknowledged(commander=commander, joins=joins), who.id)


def note(state: IncidentState, command: commands.Note, who: Contact, _now: datetime) -> Iterator[Happening]:
    yield Happening(events.Noted(text=command.text, unsigned=state.proofs and command.proven is None), who.id)


def may_mitigate(state: IncidentState, _command: commands.Mitigated) -> str | None:
    if state.status is Status.DECLARED:
        return "nobody has acknowledged the incident yet"
    return None if state.status is Status.ACKNOWLEDGED else f"the incident is {state.status} already"


def mitigate(state: IncidentState, command: commands.Mitigated, who: Contact, _now: datetime) -> Iterator[Happening]:
    yield from notices.skip_waiting(state, "mitigated before")
    yield Happening(events.Mitigated(reason=command.summary), who.id)


def may_resolve(state: IncidentState, _command: commands.Resolve) -> str | None:
    if state.status is Status.RESOLVED:
        return "the incident is resolved already"
    if state.status is not Status.MITIGATED:
        return f"the incident is {state.status}; it is resolved once it is mitigated"
    return _in_flight(state)


def _in_flight(state: IncidentState) -> str | None:
    flying = [change.workflow_id for change in state.changes_in_flight()]
    return f"changes are still in flight: {', '.join(flying)}" if flying else None


def resolve(_state: IncidentState, command: commands.Resolve, who: Contact, _now: datetime) -> Iterator[Happening]:
    yield Happening(events.Resolved(reason=command.summary), who.id)


def may_reopen(state: IncidentState, _command: commands.Reopen) -> str | None:
    return f"the incident is {state.status}; it was never mitigated" if state.responding else None


def reopen(state: IncidentState, command: commands.Reopen, who: Contact, _now: datetime) -> Iterator[Happening]:
    yield from reopened(state, who.id, command.reason)


def reopened(state: IncidentState, by: str, reason: str) -> Iterator[Happening]:
    """Go back to declared: an acknowledgement is asked for again and the clocks count from now."""
    yield from notices.skip_waiting(state, "reopened")
    yield Happening(events.Reopened(reason=reason), by)


def may_false_alarm(state: IncidentState, _command: commands.FalseAlarm) -> str | None:
    acting = {ChangeStatus.APPLYING, ChangeStatus.VERIFYING}
    busy = [change.workflow_id for change in state.changes_in_flight() if change.status in acting]
    if busy:
        return f"changes are being applied: {', '.join(busy)}"
    return tasks.left_standing(state) or breaking_glass.under_review(state) or obligation_rules.still_open(state)


def false_alarm(
    state: IncidentState, command: commands.FalseAlarm, who: Contact, _now: datetime
) -> Iterator[Happening]:
    yield from notices.skip_waiting(state, "false alarm")
    yield Happening(events.FalseAlarm(reason=command.reason), who.id)


def may_close(state: IncidentState, _command: commands.Close) -> str | None:
    if state.status is not Status.RESOLVED:
        return f"the incident is {state.status}; it is closed once it is resolved"
    missing = [task.step for task in state.open_tasks() if task.required]
    if missing:
        return f"tasks are open (done or waive them): {', '.join(missing)}"
    return tasks.left_standing(state) or obligation_rules.still_open(state) or _in_flight(state)


def close(state: IncidentState, _command: commands.Close, who: Contact, now: datetime) -> Iterator[Happening]:
    """End it. Where its severity says so, its runbook is reviewed: once, however many end before that is done."""
    if state.declaration.mode == "live" and state.policy.review:
        title = f"Review of the runbook {state.type} after {state.id}"
        yield from links.ask(state, REVIEW, "closing", f"review:{state.type}", title, state.title)
    yield Happening(events.Closed(keep_until=now + state.declaration.organisation.retention), who.id)


def end_upkeep(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Close upkeep of which nothing is left to do: everything is told, looked at, done or over."""
    waiting = any(notice.status in {"waiting", "sending"} for notice in state.notices)
    opening = any(not (link.incident or link.held) for link in state.links)
    if not (waiting or opening or state.open_tasks() or state.changes_in_flight()):
        yield Happening(events.Closed(keep_until=now + state.declaration.organisation.retention))


def end_drill(state: IncidentState, outcome: DrillCut, reason: str) -> Iterator[Happening]:
    """End a drill wherever it stands, duties or not: none of it is real. Nothing comes of it for a live incident."""
    if state.drill and not state.ended:
        yield from notices.skip_waiting(state, "the drill is over")
        yield Happening(events.DrillEnded(outcome=outcome, reason=reason))


def end_dry_run(state: IncidentState) -> Iterator[Happening]:
    """Close an incident of which nothing was ever meant to happen."""
    yield from notices.skip_waiting(state, "dry run")
    yield Happening(events.Closed())
