"""Further alerts under the key of an incident that is still open."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel

from domain.model.event_kinds import Happening
from domain.model.events import AlertRepeated
from domain.model.state import IncidentState
from domain.model.timeline import bounded
from domain.rules.lifecycle import reopened
from domain.rules.refusals import WINDOW, WRITTEN
from domain.values.status import Status

_TEXT_MAX = 4000

TOO_MANY = f"more than {WRITTEN} alerts came within an hour: this one is only counted"


class Alerts(BaseModel):
    """How many have come since `since`: anybody may send them, and each is an entry."""

    since: datetime | None = None
    heard: int = 0

    def take(self, now: datetime) -> bool:
        """Count one; whether it is among those that are written one by one."""
        if self.since is None or now >= self.since + WINDOW:
            self.since, self.heard = now, 0
        self.heard += 1
        return self.heard <= WRITTEN


def repeated(state: IncidentState, by: str, text: str) -> Iterator[Happening]:
    """Count a duplicate alert; one on a resolved incident reopens it. Of a very long text the beginning is kept."""
    by, text = bounded(by), text if len(text) <= _TEXT_MAX else f"{text[: _TEXT_MAX - 1]}…"
    yield Happening(AlertRepeated(text=text), by)
    if state.status is Status.RESOLVED:
        yield from reopened(state, by, "the same alert came again")
