"""A run of a schedule: what Temporal starts, what it asks of a worker, and what it leaves for the next run."""

from datetime import datetime

from pydantic import BaseModel, Field

from domain.model.declaration import Nominal


class ScheduledRun(BaseModel):
    """The Scheduled workflow's argument. `declares` is a type of incident, or a kind that the program makes.

    `speed` shortens every policy duration of what is declared; only a sandbox takes another than 1.
    """

    schedule: str
    environment: str
    declares: str
    speed: float = Field(default=1, gt=0)


class ScheduledCall(BaseModel):
    """What a worker is to make a declaration of.

    What was due until `after` has been accounted for by the runs before it; None where there was none.
    """

    run: ScheduledRun
    at: datetime
    now: datetime
    after: datetime | None = None


class ScheduledResult(BaseModel):
    """What a run came to: which incident, when it was due, and until when all that was due has been accounted for."""

    incident: str
    nominal: Nominal
    told: datetime | None = None
