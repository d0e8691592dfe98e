"""Who had a piece of evidence in hands, and why: the chain of custody, as entries of the incident's timeline."""

from datetime import datetime
from typing import Any, NamedTuple

from domain.config.organisation import Contact
from domain.model.commands import Custody
from domain.model.timeline import Entry
from domain.rules.incident import Incident

KIND = "custody"


class Following(NamedTuple):
    """An entry before it has a place in a chain."""

    actor: str
    kind: str
    text: str
    data: dict[str, Any]

    def is_said_by(self, entry: Entry) -> bool:
        """Whether an entry says just this, whenever it was written."""
        return (entry.actor, entry.kind, entry.text, entry.data) == self


def following(command: Custody, who: Contact) -> Following:
    """The entry of a custody event."""
    data: dict[str, Any] = {"evidence": command.evidence, "event": command.event, "reason": command.reason}
    if command.to is not None:
        data["to"] = command.to
    to = f" to {command.to}" if command.to else ""
    return Following(who.id, KIND, f"Evidence {command.evidence} {command.event}{to}: {command.reason}", data)


def record(incident: Incident, command: Custody, who: Contact, now: datetime) -> None:
    """Put a custody event on the timeline."""
    incident.record(now, *following(command, who))
