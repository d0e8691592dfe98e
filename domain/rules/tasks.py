"""The work that people do in an incident: what opens it, whom it reminds, how it ends."""

from datetime import datetime, timedelta
from typing import Any, Literal

from domain.config.organisation import Contact
from domain.config.runbook import TaskStep
from domain.model.commands import CompleteTask, WaiveTask
from domain.model.state import Task
from domain.rules.incident import Incident
from domain.values.timestamps import stamp

NAG = timedelta(days=1)
"""Policy time between two reminders of what was left to do afterwards, until it is done."""


def may_end(incident: Incident, command: CompleteTask | WaiveTask) -> str | None:
    task = next((task for task in incident.state.tasks if task.step == command.step), None)
    if task is None:
        known = ", ".join(task.step for task in incident.state.tasks)
        return f"there is no task {command.step!r}; the tasks are {known}"
    return None if task.status == "open" else f"task {command.step!r} is already {task.status}"


def open_for(incident: Incident, cause: str, now: datetime) -> None:
    """Ask for the work that this finding or this applied change gives; for each once."""
    asked = {task.step for task in incident.state.tasks}
    for phase in incident.declaration.runbook.phases:
        for step in phase.steps:
            if isinstance(step, TaskStep) and cause in step.opened_by and step.id not in asked:
                task = incident.add_task(step, phase)
                incident.expect(task, step, now)
                told = task.model_dump(include={"step", "title", "owner", "phase", "required"})
                data = {**told, "status": "open", "because": cause}
                incident.record(now, "orchestrator", "task", f"{step.task}: asked of {step.owner} ({cause})", data)


def upcoming(incident: Incident) -> list[tuple[datetime, str]]:
    """When owners are reminded of what is overdue."""
    return [
        (task.remind_at, f"{task.step} overdue")
        for task in incident.state.tasks
        if task.status == "open" and task.remind_at is not None
    ]


def remind(incident: Incident, now: datetime) -> None:
    """Tell of what is overdue: once in the timeline, and of what is to be done afterwards by mail until it is done."""
    afterwards = {phase.id for phase in incident.declaration.runbook.phases if phase.starts == "resolved"}
    for task in incident.state.tasks:
        if task.status != "open" or task.remind_at is None or task.remind_at > now:
            continue
        subject = f"Overdue: {task.title}"
        if task.phase not in afterwards:
            task.remind_at = None
            incident.record(now, "orchestrator", "reminder", f"{subject} ({task.owner})", {"step": task.step})
            continue
        task.remind_at = next_nag(task, incident.scaled(NAG), now)
        incident.remind(task.step, [task.owner], _ask(incident, task), subject, now)


def next_nag(task: Task, period: timedelta, now: datetime) -> datetime:
    """The first of the reminders, one a `period` from the due date on, that is still to come."""
    due = task.due_at or now
    return due + (max((now - due) // period, 0) + 1) * period


def _ask(incident: Incident, task: Task) -> str:
    name = incident.declaration.incident_id
    return f"Done: incident done {name} {task.step}\nNot to be done: incident waive {name} {task.step} --reason WHY"


def complete(incident: Incident, command: CompleteTask, who: Contact, now: datetime) -> None:
    _end_task(incident, command.step, "done", command.note, who, now)


def waive(incident: Incident, command: WaiveTask, who: Contact, now: datetime) -> None:
    _end_task(incident, command.step, "waived", command.reason, who, now)


def _end_task(
    incident: Incident, step: str, status: Literal["done", "waived"], note: str | None, who: Contact, now: datetime
) -> None:
    task = incident.task(step)
    task.status, task.by, task.at, task.note = status, who.id, now, note
    phase = [other for other in incident.state.tasks if other.phase == task.phase and other.required]
    if all(other.status != "open" for other in phase):
        incident.settle_clock(task.phase, "met")
    text = f"{task.title}: {status}" + (f" ({note})" if note else "")
    incident.record(now, who.id, "task", text, {"step": step, "status": status, "note": note})


def told(task: Task) -> dict[str, Any]:
    """A task as JSON values."""
    content = task.model_dump(mode="json", exclude={"remind_at"})
    return {**content, "due_at": stamp(task.due_at), "at": stamp(task.at)}
