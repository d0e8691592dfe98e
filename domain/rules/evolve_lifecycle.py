"""How events of its life change an incident: where it stands, how grave it is, who commands."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from domain.config.runbook import Moment, NoticeStep, TaskStep
from domain.model import command_events, events
from domain.model.records import StatusChange
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.rules import clock_runs, tasks
from domain.values.status import Status

_UNCONFIRMED = 100


def reach(state: IncidentState, moment: Moment, at: datetime) -> None:
    """Start what waits for this moment: phases, due dates of their tasks, notices."""
    for phase in state.declaration.runbook.phases:
        if phase.starts != moment:
            continue
        if phase.within is not None:
            clock_runs.start(state, phase.id, at, at + state.scaled(phase.within))
        for step in phase.steps:
            if isinstance(step, TaskStep) and not step.waits:
                tasks.expect(state, state.task(step.id), step, at)
    _arm_notices(state, moment, at)


def _arm_notices(state: IncidentState, moment: Moment, at: datetime) -> None:
    for step in state.declaration.runbook.steps():
        if isinstance(step, NoticeStep) and step.on == moment:
            notice = state.notice(step.id)
            notice.status, notice.due_at = "waiting", at + state.scaled(step.after)


def _take_status(state: IncidentState, entry: Entry, status: Status, reason: str | None = None) -> None:
    state.status = status
    state.statuses.append(StatusChange(at=entry.at, by=entry.actor, to=status, reason=reason))


def _acknowledged(state: IncidentState, entry: Entry, event: events.Acknowledged) -> None:
    state.commander, state.lapsed = event.commander, False
    if event.joins:
        return
    _take_status(state, entry, Status.ACKNOWLEDGED)
    state.acknowledged_at = entry.at
    state.first_acknowledged_at = state.first_acknowledged_at or entry.at
    state.paging.next_at = None
    clock_runs.answer(state, "ack", entry.at)
    clock_runs.restart_update(state, entry.at)


def _asked_for_a_sign(state: IncidentState, entry: Entry, _event: command_events.SignOfLifeAsked) -> None:
    state.commander_asked_at = entry.at


def _lapsed(state: IncidentState, entry: Entry, event: command_events.AcknowledgementLapsed) -> None:
    """Back to declared: paging goes on as if nobody had acknowledged, by the clocks that run since the declaration."""
    _take_status(state, entry, Status.DECLARED, f"no sign of life of {event.commander}")
    state.lapsed, state.acknowledged_at, state.hand_over = True, None, None
    state.paging.next_at = entry.at
    clock_runs.drop(state, clock_runs.UPDATE, entry.at)
    clock_runs.start(state, "ack", entry.at, entry.at + state.policy.respond)


def _noted(state: IncidentState, entry: Entry, _event: events.Noted) -> None:
    """A note to people under way is the update that stakeholders wait for."""
    if state.status in {Status.ACKNOWLEDGED, Status.MITIGATED} and state.clock(clock_runs.UPDATE) is not None:
        clock_runs.restart_update(state, entry.at)


def _mitigated(state: IncidentState, entry: Entry, event: events.Mitigated) -> None:
    _take_status(state, entry, Status.MITIGATED, event.reason)
    state.mitigated_at = entry.at
    clock_runs.answer(state, "progress", entry.at)
    reach(state, "mitigated", entry.at)


def _resolved(state: IncidentState, entry: Entry, event: events.Resolved) -> None:
    _take_status(state, entry, Status.RESOLVED, event.reason)
    state.resolved_at = entry.at
    for clock in state.clocks:
        clock_runs.settle(clock, "met" if clock.name == clock_runs.UPDATE else "cancelled", entry.at)
    reach(state, "resolved", entry.at)


def _reopened(state: IncidentState, entry: Entry, event: events.Reopened) -> None:
    """Back to declared: an acknowledgement is asked for again, and the clocks count from now."""
    _take_status(state, entry, Status.DECLARED, event.reason)
    state.reopened += 1
    state.hand_over, state.lapsed = None, False
    state.acknowledged_at = state.mitigated_at = state.resolved_at = None
    clock_runs.page_from(state, entry.at, "reopened")
    clock_runs.drop(state, clock_runs.UPDATE, entry.at)
    clock_runs.start_response(state, entry.at)
    _arm_notices(state, "declared", entry.at)


def _false_alarm(state: IncidentState, entry: Entry, event: events.FalseAlarm) -> None:
    _end(state, entry, Status.FALSE_ALARM, event.reason)
    for clock in state.clocks:
        clock_runs.settle(clock, "cancelled", entry.at)
    if any(notice.status in {"sent", "sending"} for notice in state.notices):
        _arm_notices(state, "resolved", entry.at)  # who was told of trouble is told that there is none


def _closed(state: IncidentState, entry: Entry, event: events.Closed) -> None:
    _end(state, entry, Status.CLOSED)
    for clock in state.clocks:
        clock_runs.settle(clock, "cancelled" if event.keep_until is None else "met", entry.at)


def _drill_ended(state: IncidentState, entry: Entry, event: events.DrillEnded) -> None:
    _end(state, entry, Status.CLOSED, event.reason)
    for clock in state.clocks:
        clock_runs.settle(clock, "cancelled", entry.at)


def _end(state: IncidentState, entry: Entry, status: Status, reason: str | None = None) -> None:
    _take_status(state, entry, status, reason)
    state.closed_at, state.hand_over = entry.at, None
    for one in state.stand_ins:
        one.over = True


def _severity(state: IncidentState, entry: Entry, event: events.SeverityChanged) -> None:
    state.severity = event.after
    state.severities.append(StatusChange(at=entry.at, by=entry.actor, to=event.after, reason=event.reason))
    if state.responding:
        clock_runs.count_anew(state, entry.at, raised=event.after.above(event.before))


def _alert(state: IncidentState, _entry: Entry, _event: events.AlertRepeated) -> None:
    state.alerts += 1


def _refused(state: IncidentState, _entry: Entry, event: events.Refused) -> None:
    if event.confirm is not None:
        state.unconfirmed = [*state.unconfirmed, event.confirm][-_UNCONFIRMED:]
    if event.unproven:
        whose = event.workflow_id or state.id
        state.unproven[whose] = state.unproven.get(whose, 0) + 1


OF_ITS_LIFE: dict[type[Any], Callable[[IncidentState, Entry, Any], None]] = {
    events.Acknowledged: _acknowledged,
    events.Noted: _noted,
    command_events.SignOfLifeAsked: _asked_for_a_sign,
    command_events.AcknowledgementLapsed: _lapsed,
    events.Mitigated: _mitigated,
    events.Resolved: _resolved,
    events.Reopened: _reopened,
    events.FalseAlarm: _false_alarm,
    events.Closed: _closed,
    events.DrillEnded: _drill_ended,
    events.SeverityChanged: _severity,
    events.AlertRepeated: _alert,
    events.Refused: _refused,
}
