"""What an incident's state is made of: clocks, pages, votes, changes, tasks, duties. All instants are UTC."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.config.approval import ApprovalClass
from domain.config.delegation import Delegation
from domain.model.finding import Finding
from domain.model.plan import Plan
from domain.model.preauthorised import StartedBy
from domain.model.proofs import Proven, Requested


class ChangeStatus(StrEnum):
    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting-approval"
    APPLYING = "applying"
    VERIFYING = "verifying"
    APPLIED = "applied"
    PARTLY_APPLIED = "partly-applied"
    ALREADY_DONE = "already-done"
    PLANNED = "planned"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    STALE = "stale"
    FAILED = "failed"
    UNDONE = "undone"


IN_FLIGHT = frozenset(map(ChangeStatus, ("planning", "awaiting-approval", "applying", "verifying")))
DONE = frozenset({ChangeStatus.APPLIED, ChangeStatus.ALREADY_DONE})
PIECE_DONE, PIECE_UNDONE = "done", "undone"

ClockState = Literal["running", "met", "breached", "cancelled"]


class Clock(BaseModel):
    """One run of a named deadline.

    `ended_at` is when what it waits for was done; for a breached one that is late. A clock that the incident no longer
    has is `dropped`. An update given in time and asked for again lengthens its run: `times` counts how often.
    """

    name: str
    started_at: datetime
    due_at: datetime
    state: ClockState = "running"
    ended_at: datetime | None = None
    dropped: bool = False
    times: int = 1

    @property
    def late(self) -> timedelta | None:
        """By how much it was missed; None where it was not, or where what it waits for was never done."""
        return self.ended_at - self.due_at if self.state == "breached" and self.ended_at else None


class StatusChange(BaseModel):
    """A severity or a status that the incident took, who gave it and why."""

    at: datetime
    by: str
    to: str
    reason: str | None = None


class Page(BaseModel):
    """A page: to whom, as which role, at which level of the chain (0: on call).

    `about` is the change to decide on, or what else its reader is asked for.

    `settled` says whether its delivery or failure is on record; until then it may have to be sent again.
    """

    at: datetime
    to: str
    role: str
    level: int
    reason: str
    about: str | None = None
    settled: bool = False


class Mail(BaseModel):
    """A reminder on its way to one person; it leaves the state when its delivery or failure is on record."""

    number: int
    step: str
    to: str
    role: str
    subject: str


class HandOver(BaseModel):
    """Command that `by` offers to `to` until `until` (UTC): what was `given`, and the proof of who said it."""

    by: str
    to: str
    at: datetime
    until: datetime
    given: dict[str, Any] = {}
    proof: Any = None


class Paging(BaseModel):
    """How far paging has come. Every clock counts from `base`; the level reached never decreases."""

    base: datetime
    next_at: datetime | None
    reason: str
    level: int = 0
    paged: list[str] = []


class StandIn(BaseModel):
    """A delegation as an incident knows it: whether its time has `begun`, and whether it is `over`."""

    delegation: Delegation
    begun: bool = False
    over: bool = False
    ended: datetime | None = None

    @property
    def in_force(self) -> bool:
        return self.begun and not self.over

    def as_it_is(self) -> Delegation:
        """The delegation, with when it was ended early, if it was."""
        return self.delegation.model_copy(update={"ended": self.ended})


class Vote(BaseModel):
    """An accepted vote on a plan. `verified` tells by what the voter's identity was proven; `proof` as it came.

    One with `break_glass`, the reason for it, decides alone.
    """

    by: str
    role: str
    decision: Literal["approve", "reject"]
    at: datetime
    verified: Proven | bool = False
    proof: Any = None
    comment: str | None = None
    break_glass: str | None = None


class Window(BaseModel):
    """The time that the present voters have; when half of it has passed they are paged again."""

    opened_at: datetime
    ends_at: datetime
    reminded: bool = False

    @property
    def half_at(self) -> datetime:
        return self.opened_at + (self.ends_at - self.opened_at) / 2


class EarlyVote(BaseModel):
    """A vote that came before the plan; it is heard once the plan is there."""

    command: str
    given: dict[str, Any]
    proven: Proven | None = None


class ChangeRecord(BaseModel):
    """One requested change. `added` are the levels of the chain that may decide too, as earlier ones did not; `pieces`
    says of each piece of one that was done in part `done`, `undone`, or why it was refused. Its workflow was ended from
    outside `lost` times; `adrift` until it is known what came of it.
    """

    model_config = ConfigDict(populate_by_name=True)

    step: str
    generation: int
    workflow_id: str
    action: str
    title: str = ""
    status: ChangeStatus = ChangeStatus.PLANNING
    approval_class: ApprovalClass | None = Field(default=None, alias="class")
    requested_by: str
    requested_at: datetime
    requested: Requested | None = None
    preauthorised: StartedBy | None = None
    ended_at: datetime | None = None
    params: dict[str, Any] = {}
    plan: Plan | None = None
    approvals: list[Vote] = []
    eligible: list[str] = []
    added: list[str] = []
    window: Window | None = None
    early: list[EarlyVote] = []
    ours: bool | None = None
    undo_of: int | None = None
    reason: str | None = None
    pieces: dict[str, str] = {}
    lost: int = 0
    adrift: bool = False

    @property
    def in_flight(self) -> bool:
        return self.status in IN_FLIGHT

    @property
    def refused(self) -> dict[str, str]:
        """The pieces that could not be done, each with why."""
        return {name: came for name, came in self.pieces.items() if came not in {PIECE_DONE, PIECE_UNDONE}}

    @property
    def effect(self) -> Plan | None:
        """The plan of what was done and stands: without pieces that were refused or taken back since."""
        gone = {name for name, came in self.pieces.items() if came != PIECE_DONE}
        return self.plan.without(gone) if self.plan and gone else self.plan


class Task(BaseModel):
    """Work of people. One with `review_of` looks back at what that contact did alone, and is not theirs to end."""

    step: str
    title: str
    owner: str
    phase: str
    required: bool
    due_at: datetime | None = None
    status: Literal["open", "done", "waived", "missed"] = "open"
    by: str | None = None
    at: datetime | None = None
    note: str | None = None
    remind_at: datetime | None = None
    review_of: str | None = None


class NoticeRecord(BaseModel):
    """A notice and how far it has come; `due_at` is set once the moment that it waits for has come."""

    step: str
    action: str
    due_at: datetime | None = None
    status: Literal["waiting", "sending", "sent", "failed", "skipped"] = "waiting"
    sequence: int | None = None
    reference: str | None = None
    reason: str | None = None
    code: str | None = None


class FindingRecord(Finding):
    """What a probe saw, and when."""

    step: str
    title: str
    action: str
    at: datetime


class Link(BaseModel):
    """An incident that a finding or a missed task opened; `incident` is its id once it is there.

    `held` is one that was not opened, as one of its key was open already.
    """

    type: str
    because: str
    key: str | None = None
    title: str | None = None
    description: str = ""
    incident: str | None = None
    held: bool = False


class StoredReport(BaseModel):
    """Where the report of an ended incident is kept; `reason` says why it is not."""

    places: tuple[str, ...] = ()
    reason: str | None = None
