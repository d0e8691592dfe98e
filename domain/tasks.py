"""The work that people do in an incident, and how it ends."""

from datetime import datetime
from typing import Literal

from domain.commands import CompleteTask, WaiveTask
from domain.incident import Incident
from domain.organisation import Contact


def may_end(incident: Incident, command: CompleteTask | WaiveTask) -> str | None:
    task = next((task for task in incident.state.tasks if task.step == command.step), None)
    if task is None:
        known = ", ".join(task.step for task in incident.state.tasks)
        return f"there is no task {command.step!r}; the tasks are {known}"
    return None if task.status == "open" else f"task {command.step!r} is already {task.status}"


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
