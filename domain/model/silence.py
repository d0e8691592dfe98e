"""A silence: something of an incident was due, and did not happen. It stands on record beside the chain."""

from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel

from domain.values.timestamps import stamp_to_second


class Told(BaseModel):
    """Who was paged about a silence, as the holder of which role, by which channel, and when (UTC)."""

    at: datetime
    to: str
    role: str
    channel: str


class Claim(BaseModel):
    """Whoever pages about it just now, and until when nobody else does."""

    holder: str
    until: datetime


class Silence(BaseModel):
    """One silence: what was due and when, since when it is known, how many rounds of pages it has had.

    `restoring` names the workflow that the watcher had go on with the incident. All instants are the store's, in UTC,
    but for `due_at`, which is the incident's own.
    """

    what: str
    due_at: datetime
    noticed_at: datetime
    rounds: int = 0
    told: list[Told] = []
    claim: Claim | None = None
    restoring: str | None = None

    def sentence(self) -> str:
        """What the watcher did about it, in a line."""
        people = ", ".join(dict.fromkeys(one.to for one in self.told)) or "nobody yet"
        rounds = f", {self.rounds} times" if self.rounds > 1 else ""
        goes_on = ", and had it restored" if self.restoring else ""
        return (
            f"The watcher had paged {people}{rounds} from {stamp_to_second(self.noticed_at)} on{goes_on}: "
            f"{self.what}, due {stamp_to_second(self.due_at)}, did not happen"
        )


class Found(NamedTuple):
    """A silence, and who was told of it in this round: of an incident, by its id, or of `schedule/<environment>/<id>`.

    A schedule and an incident whose record cannot be read are not restored.
    """

    incident: str
    what: str
    due_at: datetime
    paged: tuple[str, ...]
    can_go_on: bool

    @property
    def is_schedule(self) -> bool:
        """Whether it is of a schedule."""
        return self.incident.startswith("schedule/")
