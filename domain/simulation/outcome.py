"""What came of a simulation, as one document: minutes count from the declaration, and are whole where they can be."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from domain.model.change_events import ChangeMoved
from domain.model.event_kinds import event_of
from domain.model.events import DeadlineMissed, Event, Reminded
from domain.model.records import ChangeStatus
from domain.model.work_events import NoticeMoved
from domain.rules.document import document
from domain.rules.live import LiveIncident
from domain.simulation.play import Simulation

Document = dict[str, Any]
Happened = list[tuple[datetime, Event | None]]


def outcome(played: Simulation) -> Document:
    """Every page, reminder, notice, duty and expiry of the incident, what was refused, and the incidents it opened.

    `pages`: {minute, to, role, reason}; `reminders`: {minute, to, role, subject}; `notices`: {minute, step, status};
    `duties`: {step, title, state, due_minute} as they stand at the end; `expiries`: {minute, what}, clocks that ran out
    and votes that nobody cast in time; `refused`: {minute, by, command, reason}; `opened`: the same of each incident
    that a finding opened, with its `type`.
    """
    first, *opened = played.incidents
    refused = [
        {"minute": _minute(played, at), "by": said.given["by"], "command": said.command, "reason": reason}
        for at, said, reason in played.refused
    ]
    return {**_told(played, first.live), "refused": refused, "opened": [_told(played, one.live) for one in opened]}


def _told(played: Simulation, incident: LiveIncident) -> Document:
    state = incident.state
    happened = [(entry.at, event_of(entry)) for entry in incident.timeline.entries]
    pages = [
        {"minute": _minute(played, page.at), "to": page.to, "role": page.role, "reason": page.reason}
        for page in state.pages
    ]
    duties = [
        {
            "step": owed["step"],
            "title": owed["title"],
            "state": owed["state"],
            "due_minute": _minute(played, datetime.fromisoformat(owed["due_at"])),
        }
        for owed in document(state)["obligations"]
    ]
    return {
        "type": state.declaration.runbook.id,
        "severity": state.severity.value,
        "status": state.status.value,
        "pages": pages,
        "reminders": list(_reminders(played, happened)),
        "notices": list(_notices(played, happened)),
        "duties": duties,
        "expiries": list(_expiries(played, happened)),
    }


def _minute(played: Simulation, at: datetime) -> float:
    minutes = round((at - played.declared_at).total_seconds() / 60, 2)
    return int(minutes) if minutes == int(minutes) else minutes


def _reminders(played: Simulation, happened: Happened) -> Iterator[Document]:
    for at, event in happened:
        if isinstance(event, Reminded):
            told = {"minute": _minute(played, at), "subject": event.subject}
            yield from ({**told, "to": one.to, "role": one.role} for one in event.to)


def _notices(played: Simulation, happened: Happened) -> Iterator[Document]:
    for at, event in happened:
        if isinstance(event, NoticeMoved) and event.status != "sending":
            yield {"minute": _minute(played, at), "step": event.step, "status": event.status}


def _expiries(played: Simulation, happened: Happened) -> Iterator[Document]:
    for at, event in happened:
        if isinstance(event, DeadlineMissed):
            yield {"minute": _minute(played, at), "what": f"{event.clock} overdue"}
        elif isinstance(event, ChangeMoved) and event.status is ChangeStatus.EXPIRED:
            yield {"minute": _minute(played, at), "what": f"votes on {event.step}"}
