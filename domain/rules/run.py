"""What the workflows of an incident are started with."""

from pydantic import BaseModel, model_validator

from domain.model.declaration import Declaration
from domain.model.state import IncidentState
from domain.model.timeline import Timeline
from domain.rules.ledger_progress import LedgerProgress


class Carried(BaseModel):
    """An incident as one run of its workflow hands it to the next."""

    state: IncidentState
    timeline: Timeline
    ledger: LedgerProgress


class IncidentRun(BaseModel):
    """The Incident workflow's argument: a new declaration, an incident to restore, or one carried on by an earlier run.

    To restore, the id is enough: the incident is read from the ledger by the workers. `carried` is taken from a run of
    ours alone, never from a client.
    """

    declaration: Declaration | None = None
    restore: str | None = None
    carried: Carried | None = None

    @model_validator(mode="after")
    def _check(self) -> "IncidentRun":
        if sum(one is not None for one in (self.declaration, self.restore, self.carried)) != 1:
            raise ValueError("an incident is declared, restored or carried on: give one of the three")
        return self


class FollowUpRun(BaseModel):
    """The FollowUp workflow's argument: the closed incident, and how many entries stand behind its chain already."""

    state: IncidentState
    written: int = 0
