"""What an incident came to, as its timeline alone tells it. Fields are named as in the document of `incident show`."""

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.model.finding import FindingStatus
from domain.model.state import IN_FLIGHT, ChangeStatus, Page
from domain.rules.account_duties import Fact, Obligation
from domain.values.severity import Severity
from domain.values.status import Status

ClockState = Literal["running", "met", "breached", "cancelled"]


class Step(BaseModel):
    """A severity or a status that an incident took, who gave it and why."""

    at: datetime
    by: str
    to: str
    reason: str | None = None


class Deadline(BaseModel):
    """One run of a clock. `ended_at` is when what it waits for was done; for a breached one that is late.

    The incident has no clock of its name any more where it was `dropped`.
    """

    name: str
    started_at: datetime
    due_at: datetime
    state: ClockState = "running"
    ended_at: datetime | None = None
    dropped: bool = False

    @property
    def late(self) -> timedelta | None:
        """By how much it was missed; None where it was not, or where what it waits for was never done."""
        return self.ended_at - self.due_at if self.state == "breached" and self.ended_at else None


class SeenFinding(BaseModel):
    step: str
    title: str = ""
    action: str
    at: datetime
    status: FindingStatus
    summary: str = ""
    facts: dict[str, Any] = {}
    evidence: str | None = None


class CastVote(BaseModel):
    by: str
    role: str
    decision: Literal["approve", "reject"]
    at: datetime
    verified: bool = False
    comment: str | None = None


class ToldPlan(BaseModel):
    """A plan as the record has it; an old record may lack all but digest and target."""

    target: str
    summary: str = ""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    impact: str = ""
    reversible: bool = True
    digest: str


class ToldChange(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    step: str
    title: str = ""
    generation: int = 1
    workflow_id: str
    action: str = ""
    status: ChangeStatus = ChangeStatus.PLANNING
    approval_class: str | None = Field(default=None, alias="class")
    requested_by: str
    requested_at: datetime
    ended_at: datetime | None = None
    plan: ToldPlan | None = None
    approvals: list[CastVote] = []
    ours: bool | None = None
    undo_of: int | None = None
    reason: str | None = None

    @property
    def in_flight(self) -> bool:
        return self.status in IN_FLIGHT


class ToldTask(BaseModel):
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


class ToldNotice(BaseModel):
    step: str
    action: str
    due_at: datetime | None = None
    status: str = "waiting"
    reference: str | None = None
    reason: str | None = None


class Link(BaseModel):
    type: str
    because: str
    incident: str


class Said(BaseModel):
    """A note, or something that was refused: who said it and when."""

    at: datetime
    by: str
    text: str


class Account(BaseModel):
    """One incident. `statuses`, `severities` and `deadlines` are its history; the moments are those that stand."""

    id: str
    type: str
    type_title: str
    title: str
    description: str = ""
    severity: Severity
    status: Status = Status.DECLARED
    mode: str
    environment: str
    declared_at: datetime
    declared_by: str
    first_acknowledged_at: datetime | None = None
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    commander: str | None = None
    phi: bool = False
    alerts: int = 1
    reopened: int = 0
    runbook: dict[str, str]
    aware_at: datetime
    opened_by: str | None = None
    severities: list[Step] = []
    statuses: list[Step] = []
    deadlines: list[Deadline] = []
    pages: list[Page] = []
    findings: list[SeenFinding] = []
    changes: list[ToldChange] = []
    tasks: list[ToldTask] = []
    notices: list[ToldNotice] = []
    links: list[Link] = []
    notes: list[Said] = []
    refused: list[Said] = []
    obligations: list[Obligation] = []
    facts: list[Fact] = []
    custody: dict[str, list[dict[str, Any]]] = {}

    @property
    def ended(self) -> bool:
        return self.status in {Status.CLOSED, Status.FALSE_ALARM}

    def clocks(self) -> list[Deadline]:
        """Every clock as it stands: the latest run of each, by name in the order in which they first ran."""
        latest = {deadline.name: deadline for deadline in self.deadlines}
        return [deadline for deadline in latest.values() if not deadline.dropped]

    def obligation(self, name: str) -> Obligation | None:
        """The latest obligation of this id."""
        return next((duty for duty in reversed(self.obligations) if duty.obligation == name), None)

    def fact(self, name: str) -> Fact | None:
        """The fact as it was last recorded."""
        return next((fact for fact in self.facts if fact.fact == name), None)
