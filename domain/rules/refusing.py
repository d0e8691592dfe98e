"""What an incident and a change have in common: what they refuse goes on record, or is counted among much."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from domain.model.events import ORCHESTRATOR, RefusalsCounted, Refused
from domain.rules import decide, tampering
from domain.rules.refusals import Refusals


class Refusing(ABC):
    """Keeps `refusals`. How an event is put on record is each one's own."""

    def __init__(self, refusals: Refusals | None) -> None:
        self.refusals = refusals or Refusals()

    @abstractmethod
    def _record(self, event: Refused | RefusalsCounted, by: str, now: datetime, cause: dict[str, Any]) -> None:
        """Put it on record."""

    def refuse(self, name: str, by: str, reason: str, now: datetime, cause: dict[str, Any] | None = None) -> None:
        """Put on record that a command was refused, or count it among many; nothing of what cannot be read is kept."""
        self._refuse(decide.refused(name, reason), by, now, cause)

    def disbelieve(self, what: str, reason: str, now: datetime) -> None:
        """Put on record like a refusal that something which only ours say came from none of ours."""
        self._refuse(tampering.forged(what, reason), tampering.UNKNOWN, now)

    def _refuse(self, refused: Refused, by: str, now: datetime, cause: dict[str, Any] | None = None) -> None:
        for event in self.refusals.take(refused, now):
            if isinstance(event, RefusalsCounted):
                self._count(event, now)
            else:
                self._record(event, by, now, cause or {"command": event.command})

    def tell_refusals(self, now: datetime) -> None:
        """Put on record how many refusals were counted since that was told last."""
        for event in self.refusals.rest():
            self._count(event, now)

    def _count(self, event: RefusalsCounted, now: datetime) -> None:
        self._record(event, ORCHESTRATOR, now, {"refusals": "counted"})
