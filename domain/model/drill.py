"""A drill: what its workflow is started with, what it asks of workers, and what it comes to."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, Field

from domain.config.drill import DrillCut, DrillKind
from domain.model.commands import Command
from domain.model.records import Link
from domain.model.scheduled import ScheduledCall


class DrillRun(BaseModel):
    """The Drill workflow's argument. Without `scenario` one is drawn, of `kind` if that is given.

    `by` starts it, and knows of it; None is a schedule, of which `scheduled` is the run. While people are needed for
    something real it is put off from day to day, `days` times at most; 0 is refused at once. `speed` is that of the
    incident's clocks. With `proofs` whoever stops it proves who they are; once it is prepared its environment says so.
    """

    environment: str
    scenario: str | None = None
    kind: DrillKind | None = None
    by: str | None = None
    days: int = Field(default=0, ge=0)
    speed: float = Field(default=1, gt=0)
    scheduled: ScheduledCall | None = None
    proofs: bool = False


class PrepareCall(BaseModel):
    """Ask a worker to draw the scenario and to make the declaration; `now` decides the draw."""

    run: DrillRun
    now: datetime


class FaultCall(BaseModel):
    """Inject or withdraw a fault: `id` names the one injection for ever, so that a repeat is none."""

    id: str
    environment: str
    fault: str


class DrillEnd(BaseModel):
    """Tell an incident that the drill is over, and why."""

    outcome: DrillCut = "stopped"
    reason: str


class DrillStop(Command):
    """Somebody stops a drill."""

    reason: str = Field(max_length=4000)


DrillOutcome = DrillCut | Literal["ended", "missed"]


class OpenedBeside(BaseModel):
    """Of an incident's state, what it opened."""

    links: list[Link]


class DrillLeft(BaseModel):
    """What an incident's workflow ends with, as far as its drill reads it."""

    state: OpenedBeside


class DrillResult(BaseModel):
    """What a drill came to: its incident, and why it ended; a `missed` one never began."""

    outcome: DrillOutcome
    reason: str
    scenario: str | None = None
    incident: str | None = None


POSTPONED = timedelta(days=1)
"""How long a drill is put off at a time: to the same hour, as people are to be awake."""
