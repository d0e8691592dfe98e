"""A run of a schedule: what Temporal starts, what it asks of a worker, and what it leaves for the next run."""

from datetime import datetime

from pydantic import BaseModel

from domain.model.declaration import Nominal


class ScheduledRun(BaseModel):
    """The Scheduled workflow's argument. `declares` is a type of incident, or a kind that the program makes."""

    schedule: str
    environment: str
    declares: str


class ScheduledCall(BaseModel):
    """What a worker is to make a declaration of. `after` is when the last run was due, if there was one."""

    run: ScheduledRun
    at: datetime
    now: datetime
    after: datetime | None = None


class ScheduledResult(BaseModel):
    """What a run came to: which incident, and when it was due."""

    incident: str
    nominal: Nominal
