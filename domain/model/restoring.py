"""What it takes to go on with an incident from its record alone."""

from datetime import datetime

from pydantic import BaseModel

from domain.model.activity_io import ChangeOutcome
from domain.model.silence import Silence
from domain.model.state import IncidentState
from domain.values.severity import Severity


class RestoreCall(BaseModel):
    """Read an incident back from the ledger and take its next term for a workflow run (`holder`)."""

    incident: str
    holder: str


class RestoredIncident(BaseModel):
    """An incident as its record has it: the folded state, and where its chain goes on, under which term.

    `intended` are the changes of which the hands' record says more than their last entry, with what came of them.
    `heard` numbers the last event of each change that is on record. `followed` entries behind the incident's end are of
    its follow-up work. `until` (UTC) dates the last entry. `silences` are those that the watcher found since it was
    declared, or restored last.
    """

    state: IncidentState
    length: int
    head: str
    epoch: int
    term: int
    until: datetime
    heard: dict[str, int] = {}
    intended: dict[str, ChangeOutcome] = {}
    silences: tuple[Silence, ...] = ()
    followed: int = 0


class RestorableCall(BaseModel):
    """List what the ledger has open: one incident, or all; with a `key` those alone that it may stand for."""

    incident: str | None = None
    key: str | None = None


class Restorable(BaseModel):
    """An incident that is open in the ledger, or `over` with work left; `problem` is why it cannot be restored.

    `key` is the workflow that stands for its alert's key.
    """

    incident: str
    title: str = ""
    type: str = ""
    severity: Severity | None = None
    status: str = ""
    mode: str = ""
    over: bool = False
    declared_at: datetime | None = None
    key: str | None = None
    entries: int = 0
    until: datetime | None = None
    problem: str | None = None
