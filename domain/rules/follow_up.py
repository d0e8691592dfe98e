"""The work that outlives its incident: the incident's own rules, with nothing left in it but open tasks."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from domain.model.commands import Command, CompleteTask, Note, WaiveTask
from domain.model.declaration import Declaration
from domain.model.state import IncidentState
from domain.rules import lifecycle, tasks
from domain.rules.incident import Incident
from domain.values.status import FINAL


class FollowUpRun(BaseModel):
    """The FollowUp workflow's argument. `state` holds the open tasks, and a timeline of what happens to them.

    `written` entries of that timeline stand behind the incident's chain already.
    """

    declaration: Declaration
    state: IncidentState
    written: int = 0


def left(incident: Incident) -> FollowUpRun | None:
    """What a closed incident leaves to do; None when there is nothing, or when it was not one."""
    state = incident.state
    open_tasks = [task for task in state.tasks if task.status == "open"]
    if state.status not in FINAL or state.status == "false-alarm" or not open_tasks or not incident.live:
        return None
    following = IncidentState(
        severity=state.severity,
        status=state.status,
        commander=state.commander,
        closed_at=state.closed_at,
        paging=state.paging,
        mails_sent=state.mails_sent,
        tasks=open_tasks,
    )
    return FollowUpRun(declaration=incident.declaration, state=following)


def refusal(incident: Incident, command: Command) -> str | None:
    """Why a command is refused now; None when it would be done."""
    if incident.who(command.by) is None:
        return f"{command.by!r} is no contact or role of {incident.declaration.organisation.id}"
    return tasks.may_end(incident, command) if isinstance(command, CompleteTask | WaiveTask) else None


def handle(incident: Incident, name: str, command: Command, now: datetime) -> str | None:
    """Do a command, or put its refusal on record and return the reason."""
    reason, who = refusal(incident, command), incident.who(command.by)
    if reason is not None or who is None:
        lifecycle.refuse(incident, name, command.by, reason or "unknown", now)
    elif isinstance(command, CompleteTask):
        tasks.complete(incident, command, who, now)
    elif isinstance(command, WaiveTask):
        tasks.waive(incident, command, who, now)
    elif isinstance(command, Note):
        incident.record(now, who.id, "note", command.text)
    return reason


def tasks_document(incident: Incident) -> dict[str, Any]:
    """The tasks as `incident show` prints them."""
    return {
        "id": incident.declaration.incident_id,
        "status": incident.state.status.value,
        "severity": incident.state.severity.value,
        "tasks": [tasks.told(task) for task in incident.state.tasks],
        "waiting_for": list(dict.fromkeys(task.owner for task in incident.state.tasks if task.status == "open")),
    }
