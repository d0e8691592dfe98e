"""A run of a schedule: what Temporal starts, what it asks of a worker, and what it leaves for the next run."""

from datetime import datetime

from pydantic import BaseModel, Field

from domain.config.drill import DrillChoice
from domain.model.declaration import Nominal


class ScheduledRun(BaseModel):
    """The Scheduled workflow's argument. `declares` is a type of incident, or a kind that the program makes.

    `speed` shortens every policy duration of what is declared; only a sandbox takes another than 1.
    `drill` says which drill, where it declares one.
    """

    schedule: str
    environment: str
    declares: str
    speed: float = Field(default=1, gt=0)
    drill: DrillChoice | None = None


class ScheduledCall(BaseModel):
    """What a worker is to make a declaration of.

    What was due until `after` has been accounted for by the runs before it; None where there was none.
    """

    run: ScheduledRun
    at: datetime
    now: datetime
    after: datetime | None = None


class ScheduledResult(BaseModel):
    """What a run came to: which incident, when it was due, and until when all that was due has been accounted for.

    A drill that was missed has no incident, and the next run accounts for it.
    """

    incident: str | None
    nominal: Nominal
    told: datetime | None = None
