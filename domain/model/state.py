"""Everything about an incident that changes while it is open: one model, carried whole from run to run."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.config.approval import ApprovalClass
from domain.model.declaration import Declaration
from domain.model.finding import Finding
from domain.model.plan import Plan
from domain.model.timeline import Timeline
from domain.values.severity import Severity
from domain.values.status import Status


class ChangeStatus(StrEnum):
    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting-approval"
    APPLYING = "applying"
    VERIFYING = "verifying"
    APPLIED = "applied"
    ALREADY_DONE = "already-done"
    PLANNED = "planned"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    STALE = "stale"
    FAILED = "failed"
    UNDONE = "undone"


IN_FLIGHT = frozenset(
    {ChangeStatus.PLANNING, ChangeStatus.AWAITING_APPROVAL, ChangeStatus.APPLYING, ChangeStatus.VERIFYING}
)


LEDGER_CLOCK = "ledger"
"""The clock of the record itself; no deadline of the response."""


class Clock(BaseModel):
    """A deadline with a name; `due_at` is UTC."""

    due_at: datetime
    state: Literal["running", "met", "breached", "cancelled"] = "running"


class Page(BaseModel):
    """A page that was sent: to whom, as which role, at which level of the chain (0: on call)."""

    at: datetime
    to: str
    role: str
    level: int
    reason: str


class Paging(BaseModel):
    """How far paging has come. Every clock counts from `base`; the level reached never decreases."""

    base: datetime
    next_at: datetime | None
    reason: str
    leads: int = 0
    level: int = 0
    paged: list[str] = []


class Vote(BaseModel):
    """An accepted vote on a plan. `verified` tells whether the voter's identity was proven."""

    by: str
    role: str
    decision: Literal["approve", "reject"]
    at: datetime
    verified: bool = False
    comment: str | None = None


class ChangeRecord(BaseModel):
    """One requested change, as its own workflow last told it."""

    model_config = ConfigDict(populate_by_name=True)

    step: str
    generation: int
    workflow_id: str
    action: str
    status: ChangeStatus = ChangeStatus.PLANNING
    approval_class: ApprovalClass | None = Field(default=None, alias="class")
    requested_by: str
    params: dict[str, Any] = {}
    plan: Plan | None = None
    approvals: list[Vote] = []
    eligible: list[str] = []
    expires_at: datetime | None = None
    ours: bool | None = None
    undo_of: int | None = None
    reason: str | None = None


class ProgressEntry(BaseModel):
    """One thing that happened inside a change, for the incident's timeline."""

    at: datetime
    actor: str
    kind: str
    text: str
    data: dict[str, Any] = {}


class ChangeProgress(BaseModel):
    """What a change's workflow tells its incident: where it stands, what happened, whom to page about it."""

    record: ChangeRecord
    entries: list[ProgressEntry] = []
    page: list[str] = []
    page_reason: str = ""
    clock: Clock | None = None
    access_denied: bool = False


class Task(BaseModel):
    step: str
    title: str
    owner: str
    phase: str
    required: bool
    due_at: datetime | None = None
    status: Literal["open", "done", "waived"] = "open"
    by: str | None = None
    at: datetime | None = None
    note: str | None = None
    remind_at: datetime | None = None


class FactRecord(BaseModel):
    """A point in time that somebody put on record. `value` is the point, `at` when it was recorded; both UTC."""

    fact: str
    title: str
    value: datetime
    by: str
    at: datetime
    reason: str | None = None


class Signature(BaseModel):
    """Somebody stands for how a duty ends. `verified` tells whether the signer's identity was proven."""

    by: str
    role: str
    at: datetime
    verified: bool = False


ObligationStatus = Literal["open", "discharged", "not-required", "superseded"]


class Ending(BaseModel):
    """How a duty ends: what it becomes, and what stands for that. `done_at` is when it was done, in UTC."""

    state: ObligationStatus
    by: str
    done_at: datetime
    reference: str | None = None
    outcome: str | None = None
    reason: str | None = None
    justification: str | None = None


class ObligationRecord(BaseModel):
    """A duty that has begun. `ending` is proposed while the duty is open; `signatures` are on that proposal."""

    step: str
    obligation: str
    started_at: datetime
    due_at: datetime
    state: ObligationStatus = "open"
    overdue: bool = False
    reminded: int = 0
    ending: Ending | None = None
    signatures: list[Signature] = []

    def unsigned(self, signers: tuple[str, ...]) -> list[str]:
        """The roles of `signers` whose signature is still missing."""
        signed = {signature.role for signature in self.signatures}
        return [role for role in signers if role not in signed]


class NoticeRecord(BaseModel):
    """A notice and how far it has come; `due_at` is set once the moment that it waits for has come."""

    step: str
    action: str
    due_at: datetime | None = None
    status: Literal["waiting", "sending", "sent", "failed", "skipped"] = "waiting"
    sequence: int | None = None
    reference: str | None = None
    reason: str | None = None


class ObservedFinding(BaseModel):
    step: str
    action: str
    at: datetime
    finding: Finding


class Link(BaseModel):
    """An incident of another type that a finding opened; `incident` is its id once it is there."""

    type: str
    because: str
    incident: str | None = None


class LedgerState(BaseModel):
    """How many entries the ledger outside has, and in which epoch it is written."""

    written: int = 0
    epoch: int = 1


class StoredReport(BaseModel):
    """Where the report of an ended incident is kept; `reason` says why it is not."""

    places: tuple[str, ...] = ()
    reason: str | None = None


class Told(BaseModel):
    """The deadlines as the timeline has told them: clocks by name, tasks' due dates and notices by step."""

    clocks: dict[str, Clock] = {}
    due: dict[str, datetime] = {}
    notices: dict[str, NoticeRecord] = {}


class IncidentState(BaseModel):
    severity: Severity
    status: Status = Status.DECLARED
    commander: str | None = None
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    reopened: int = 0
    alerts: int = 1
    notices_sent: int = 0
    hands_lost: bool = False
    paging: Paging
    clocks: dict[str, Clock] = {}
    pages: list[Page] = []
    probes_started: bool = False
    findings: list[ObservedFinding] = []
    changes: list[ChangeRecord] = []
    tasks: list[Task] = []
    notices: list[NoticeRecord] = []
    facts: list[FactRecord] = []
    obligations: list[ObligationRecord] = []
    mails_sent: int = 0
    links: list[Link] = []
    timeline: Timeline = Timeline()
    ledger: LedgerState = LedgerState()
    told: Told = Told()
    report: StoredReport | None = None


class IncidentRun(BaseModel):
    """The Incident workflow's argument: a new declaration, or one carried on from an earlier run."""

    declaration: Declaration
    state: IncidentState | None = None
