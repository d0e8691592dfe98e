"""Who had a piece of evidence in hands, and why: the chain of custody, as entries of the incident's timeline."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from domain.config.organisation import Contact
from domain.model import acts
from domain.model.commands import Custody
from domain.model.event_kinds import Happening
from domain.model.state import IncidentState
from domain.model.timeline import Unchained
from domain.model.work_events import CustodyRecorded

KIND = "custody"


def _event(command: Custody) -> CustodyRecorded:
    return CustodyRecorded(**command.model_dump(include={"evidence", "event", "reason", "to"}))


def record(_state: IncidentState, command: Custody, who: Contact, _now: datetime) -> Iterator[Happening]:
    """Put a custody event on the timeline."""
    yield Happening(_event(command), who.id)


def behind_the_end(command: Custody, who: Contact, proof: dict[str, Any] | None) -> Unchained:
    """The entry of a custody event after the incident's end, to be written behind its chain."""
    event = _event(command)
    proven = {"given": acts.given(command), "proof": proof} if proof else {}
    return Unchained(
        actor=who.id,
        kind=event.kind,
        text=event.sentence(who.id),
        data=event.data(),
        v=event.V,
        cause={"command": "custody", **proven},
    )
