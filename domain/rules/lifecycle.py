"""What people may say to an incident, when it is refused, and what it does.

Each command has a `may` (the reason why not, else None) and a `do`. Both the signal and the update of
a command's name run through `refusal` and `handle`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from domain.config.organisation import Contact
from domain.model.commands import (
    Acknowledge,
    Close,
    Command,
    FalseAlarm,
    Mitigated,
    Note,
    Reopen,
    Resolve,
)
from domain.model.effects import TellChanges
from domain.model.state import ChangeStatus
from domain.rules import (
    change_requests,
    clock,
    custody,
    facts,
    obligation_rules,
    obligation_signoff,
    reclassification,
    tasks,
)
from domain.rules.incident import Incident
from domain.values.status import Status
from domain.values.timestamps import stamp


def refusal(incident: Incident, name: str, command: Command) -> str | None:
    """Why the incident refuses a command now; None when it would do it."""
    if incident.ended:
        return f"the incident is {incident.state.status}, which is final"
    if incident.who(command.by) is None:
        return f"{command.by!r} is no contact or role of {incident.declaration.organisation.id}"
    return _RULES[name].may(incident, command)


def handle(incident: Incident, name: str, command: Command, now: datetime) -> str | None:
    """Do a command, or put its refusal on record and return the reason."""
    reason = refusal(incident, name, command)
    if reason is not None:
        refuse(incident, name, command.by, reason, now)
        return reason
    who = incident.who(command.by)
    if who is not None:
        _RULES[name].do(incident, command, who, now)
    return None


def refuse(incident: Incident, name: str, by: str, reason: str, now: datetime) -> None:
    """Put on record that a command was refused."""
    incident.record(now, by, "refused", f"Refused {name}: {reason}", {"command": name})


def _always(_incident: Incident, _command: Any) -> str | None:
    return None


def _acknowledge(incident: Incident, _command: Acknowledge, who: Contact, now: datetime) -> None:
    state = incident.state
    obligation_rules.acknowledged(incident, who, now)
    if state.status is not Status.DECLARED:
        incident.record(
            now, who.id, "acknowledged", f"{who.id} joins; {state.commander} commands", {"commander": state.commander}
        )
        return
    state.status = Status.ACKNOWLEDGED
    state.acknowledged_at = now
    state.paging.next_at = None
    incident.settle_clock("ack", "met")
    clock.restart_update_clock(incident, now)
    if state.commander is None:
        state.commander = who.id
        _tell_commander(incident, who.id)
    text = f"{who.id} acknowledges; {state.commander} commands"
    incident.record(now, who.id, "acknowledged", text, {"commander": state.commander})


def _tell_commander(incident: Incident, contact: str) -> None:
    flying = tuple(change.workflow_id for change in incident.changes_in_flight())
    if flying:
        incident.effects.append(TellChanges(workflow_ids=flying, signal="commander_is", payload={"commander": contact}))


def _note(incident: Incident, command: Note, who: Contact, now: datetime) -> None:
    if "update" in incident.state.clocks and incident.state.status in {Status.ACKNOWLEDGED, Status.MITIGATED}:
        clock.restart_update_clock(incident, now)
    incident.record(now, who.id, "note", command.text)


def _may_mitigate(incident: Incident, _command: Mitigated) -> str | None:
    if incident.state.status is Status.DECLARED:
        return "nobody has acknowledged the incident yet"
    return None if incident.state.status is Status.ACKNOWLEDGED else f"the incident is {incident.state.status} already"


def _mitigated(incident: Incident, command: Mitigated, who: Contact, now: datetime) -> None:
    incident.state.status = Status.MITIGATED
    incident.state.mitigated_at = now
    incident.settle_clock("progress", "met")
    incident.skip_waiting_notices("mitigated before", now)
    incident.moment("mitigated", now)
    incident.record(now, who.id, "mitigated", f"Mitigated: {command.summary}", {"reason": command.summary})


def _may_resolve(incident: Incident, _command: Resolve) -> str | None:
    if incident.state.status is Status.RESOLVED:
        return "the incident is resolved already"
    if incident.state.status is not Status.MITIGATED:
        return f"the incident is {incident.state.status}; it is resolved once it is mitigated"
    return _in_flight(incident)


def _in_flight(incident: Incident) -> str | None:
    flying = [change.workflow_id for change in incident.changes_in_flight()]
    return f"changes are still in flight: {', '.join(flying)}" if flying else None


def _resolve(incident: Incident, command: Resolve, who: Contact, now: datetime) -> None:
    incident.state.status = Status.RESOLVED
    incident.state.resolved_at = now
    for name in list(incident.state.clocks):
        incident.settle_clock(name, "met" if name == "update" else "cancelled")
    incident.moment("resolved", now)
    incident.record(now, who.id, "resolved", f"Resolved: {command.summary}", {"reason": command.summary})


def _may_reopen(incident: Incident, _command: Reopen) -> str | None:
    return f"the incident is {incident.state.status}; it was never mitigated" if incident.is_responding() else None


def reopen(incident: Incident, who: str, reason: str, now: datetime) -> None:
    """Go back to declared: an acknowledgement is asked for again and the clocks count from `now`."""
    state = incident.state
    state.status = Status.DECLARED
    state.reopened += 1
    state.acknowledged_at = state.mitigated_at = state.resolved_at = None
    clock.paging_from(incident, now, "reopened")
    state.clocks.pop("update", None)
    incident.start_response_clocks(now)
    incident.skip_waiting_notices("reopened", now)
    incident.arm_notices("declared", now)
    incident.record(now, who, "reopened", f"Reopened: {reason}", {"count": state.reopened, "reason": reason})


def _reopen(incident: Incident, command: Reopen, who: Contact, now: datetime) -> None:
    reopen(incident, who.id, command.reason, now)


def _may_false_alarm(incident: Incident, _command: FalseAlarm) -> str | None:
    acting = {ChangeStatus.APPLYING, ChangeStatus.VERIFYING}
    busy = [change.workflow_id for change in incident.changes_in_flight() if change.status in acting]
    return f"changes are being applied: {', '.join(busy)}" if busy else obligation_rules.still_open(incident)


def _false_alarm(incident: Incident, command: FalseAlarm, who: Contact, now: datetime) -> None:
    waiting = tuple(change.workflow_id for change in incident.changes_in_flight())
    if waiting:
        payload = {"by": who.id, "reason": "false alarm"}
        incident.effects.append(TellChanges(workflow_ids=waiting, signal="cancel", payload=payload))
    for name in list(incident.state.clocks):
        incident.settle_clock(name, "cancelled")
    incident.state.status = Status.FALSE_ALARM
    incident.state.closed_at = now
    incident.skip_waiting_notices("false alarm", now)
    if any(notice.status in {"sent", "sending"} for notice in incident.state.notices):
        incident.arm_notices("resolved", now)
    incident.record(now, who.id, "false-alarm", f"False alarm: {command.reason}", {"reason": command.reason})


def _may_close(incident: Incident, _command: Close) -> str | None:
    if incident.state.status is not Status.RESOLVED:
        return f"the incident is {incident.state.status}; it is closed once it is resolved"
    missing = [task.step for task in incident.state.tasks if task.required and task.status == "open"]
    if missing:
        return f"tasks are open (done or waive them): {', '.join(missing)}"
    return obligation_rules.still_open(incident) or _in_flight(incident)


def _close(incident: Incident, _command: Close, who: Contact, now: datetime) -> None:
    incident.state.status = Status.CLOSED
    incident.state.closed_at = now
    for name in list(incident.state.clocks):
        incident.settle_clock(name, "met")
    until = stamp(now + incident.declaration.organisation.retention)
    text = f"Closed by {who.id}. The record and its evidence are kept until {until}, longer under a legal hold"
    incident.record(now, who.id, "closed", text, {"keep_until": until})


def end_dry_run(incident: Incident, now: datetime) -> None:
    """Close an incident of which nothing was ever meant to happen."""
    incident.skip_waiting_notices("dry run", now)
    for name in list(incident.state.clocks):
        incident.settle_clock(name, "cancelled")
    incident.state.status = Status.CLOSED
    incident.state.closed_at = now
    incident.record(now, "orchestrator", "closed", "Dry run ended: nothing was changed")


class _Rule(NamedTuple):
    may: Callable[[Incident, Any], str | None]
    do: Callable[[Incident, Any, Contact, datetime], None]


_RULES: dict[str, _Rule] = {
    "acknowledge": _Rule(_always, _acknowledge),
    "note": _Rule(_always, _note),
    "request_change": _Rule(change_requests.may_request, change_requests.request),
    "undo": _Rule(change_requests.may_undo, change_requests.undo),
    "complete_task": _Rule(tasks.may_end, tasks.complete),
    "waive_task": _Rule(tasks.may_end, tasks.waive),
    "reclassify": _Rule(reclassification.may_reclassify, reclassification.reclassify),
    "mitigated": _Rule(_may_mitigate, _mitigated),
    "resolve": _Rule(_may_resolve, _resolve),
    "reopen": _Rule(_may_reopen, _reopen),
    "false_alarm": _Rule(_may_false_alarm, _false_alarm),
    "close": _Rule(_may_close, _close),
    "record_fact": _Rule(facts.may_record, facts.record),
    "discharge_obligation": _Rule(obligation_signoff.may_end, obligation_signoff.propose),
    "obligation_not_required": _Rule(obligation_signoff.may_end, obligation_signoff.propose),
    "supersede_obligation": _Rule(obligation_signoff.may_end, obligation_signoff.propose),
    "custody": _Rule(_always, custody.record),
}
