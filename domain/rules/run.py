"""What the workflows of an incident are started with."""

from pydantic import BaseModel

from domain.model.declaration import Declaration
from domain.model.restoring import Restorable
from domain.model.state import IncidentState
from domain.model.timeline import Timeline
from domain.rules.alerts import Alerts
from domain.rules.ledger_progress import LedgerProgress
from domain.rules.refusals import Refusals


class Carried(BaseModel):
    """An incident as one run of its workflow hands it to the next; `amid` what is then done again.

    `heard` is the number of what each change said last, by its workflow.
    """

    state: IncidentState
    timeline: Timeline
    ledger: LedgerProgress
    refusals: Refusals = Refusals()
    heard: dict[str, int] = {}
    alerts: Alerts = Alerts()
    amid: bool = False


class IncidentRun(BaseModel):
    """The Incident workflow's argument: a new declaration, an incident to restore, or one carried on by an earlier run.

    To restore, the id is enough: the incident is read from the ledger by the workers. `carried` is taken from a run of
    ours alone, never from a client.
    """

    declaration: Declaration | None = None
    restore: str | None = None
    carried: Carried | None = None


class FollowUpRun(BaseModel):
    """The FollowUp workflow's argument: the closed incident, or the id of one to restore.

    `written` entries of the work stand behind the incident's chain already, under its `term`; those of `timeline` are
    still to be written.
    """

    state: IncidentState | None = None
    restore: str | None = None
    written: int = 0
    term: int = 1
    timeline: Timeline = Timeline()
    refusals: Refusals = Refusals()


class RestoreRequest(BaseModel):
    """The Restore workflow's argument: one incident, or all that are open; `dry_run` only looks."""

    incident: str | None = None
    dry_run: bool = False


class RestoreOutcome(BaseModel):
    """What became of one incident: `outcome` is `restored`, `running`, `would-restore` or `refused`."""

    found: Restorable
    outcome: str
