"""What workflows hand to activities and get back: one model in, one model out."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from domain.config.environment import Environment, Notifications
from domain.config.organisation import Channel
from domain.model.plan import Plan, State
from domain.model.timeline import Entry, Unchained
from domain.values.severity import Severity

Mode = Literal["live", "dry-run", "drill", "upkeep"]


class Scope(BaseModel):
    """On whose behalf an activity acts, and where. `declared_at` is UTC."""

    incident: str
    type: str
    title: str
    severity: Severity
    mode: Mode
    declared_at: datetime
    environment: Environment


class ObserveCall(BaseModel):
    """Ask a probe. `at` is the end of every window it looks at, fixed by the workflow so that a retry sees the same."""

    scope: Scope
    step: str
    params: dict[str, Any]
    at: datetime


class _ChangeCall(BaseModel):
    """Which change is meant: the `generation`-th of a step of the runbook."""

    scope: Scope
    step: str
    generation: int


class PlanCall(_ChangeCall):
    """Ask a change for its plan; `undo` is the applied plan to reverse."""

    params: dict[str, Any]
    undo: Plan | None = None


class Planned(BaseModel):
    """A sealed plan. `ours` tells, for a plan that changes nothing, whether our own intent is on record."""

    plan: Plan
    ours: bool = False


class ApplyCall(_ChangeCall):
    """Apply exactly this plan. `action_id` names the intent; `holder` is the workflow that holds the locks."""

    action_id: str
    holder: str
    plan: Plan
    approvers: tuple[str, ...]
    term: int = 1


class Applied(BaseModel):
    """What applying came to. `stale` carries what was observed instead of `before`; nothing was changed then.

    `verified` says what was seen where the world was as planned at once; None where it has to be looked at again.
    `refused` are the pieces of an `applied` change that were not done, each with why.
    """

    outcome: Literal["applied", "already-done", "stale"]
    ours: bool = True
    observed: State = {}
    verified: str | None = None
    refused: dict[str, str] = {}


class VerifyCall(_ChangeCall):
    """Look whether the world is `plan.after`, but for `refused` pieces; renews the locks' lease on every look."""

    action_id: str
    holder: str
    plan: Plan
    refused: tuple[str, ...] = ()


class Verified(BaseModel):
    """The world is `after`; the locks are released. `message` is what was seen."""

    message: str


class AppendCall(BaseModel):
    """Write entries of an incident's timeline into the ledger, and sign the head that they lead to."""

    incident: str
    environment: Environment
    epoch: int
    term: int = 1
    entries: list[Entry]


class Appended(BaseModel):
    """The ledger has every entry up to `written`, in `epoch`."""

    written: int
    epoch: int


class FollowCall(Unchained):
    """Write one entry behind the closed chain of an incident. `number` tells it from others that say the same."""

    incident: str
    environment: Environment
    number: int
    at: datetime
    term: int = 1


class ReportCall(BaseModel):
    """Store the report of an incident. `timezone` is the organisation's, by its tz name.

    `last` are the entries that the ledger does not have yet: they are written first.
    """

    incident: str
    environment: Environment
    timezone: str
    last: AppendCall | None = None


class Reported(BaseModel):
    """Where the report stands in the evidence bucket, one key for each format; it tells the entries up to `seq`.

    `appended` is what came of the entries that were written first.
    """

    seq: int
    places: tuple[str, ...]
    appended: Appended | None = None


class ReleaseCall(_ChangeCall):
    """Give the locks back; those that somebody else holds by now stay theirs.

    `unverified` says why what was applied is not known to do well: that goes on record as what came of it.
    """

    holder: str
    locks: tuple[str, ...]
    unverified: str | None = None


class PageCall(BaseModel):
    """Reach one contact. `page_id` is fixed per page: attempts of one page share it.

    Its copies are on record in `ledger_table`. A lost answer is waited for by the incident's clocks, of this `speed`.
    """

    page_id: str
    incident: str
    to: str
    role: str
    channels: tuple[Channel, ...]
    sender: Notifications
    subject: str
    body: str
    ledger_table: str
    speed: float


class Paged(BaseModel):
    """The channel that took the page and the reference that it gave back, by which its delivery can be looked up.

    That it was taken is no sign that it arrived.
    """

    channel: str
    reference: str


class WaveCall(BaseModel):
    """Reach several contacts at once, each tried once by each of his channels."""

    incident: str
    pages: list[PageCall]


class Wave(BaseModel):
    """What became of each page of a wave, in order; None for one that no channel took."""

    sent: list[Paged | None]


class NoticeCall(BaseModel):
    """Tell an outside party something. `sequence` orders the notices of one incident; a repeat changes nothing."""

    scope: Scope
    step: str
    params: dict[str, Any]
    sequence: int


class Noticed(BaseModel):
    """Where it was told: a reference to look it up by.

    A notice that asks for an answer gives the digest of the code that it sent (`values.codes`), never the code.
    """

    reference: str
    text: str
    code: str | None = None
