"""What workflows ask of activities and get back: one model in, one model out.

A request holds names: who is paged, which step, which environment. What they stand for (addresses, tables, keys,
approval rules) each worker takes from its own files, never from a request: anybody who reaches Temporal can make one.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from domain.model.plan import Plan, State
from domain.model.proofs import Requested
from domain.model.records import Vote
from domain.model.timeline import Entry, Unchained
from domain.values.severity import Severity

Mode = Literal["live", "dry-run", "drill", "upkeep"]


class Behalf(BaseModel):
    """On whose behalf an activity acts. `declared_at` is UTC."""

    incident: str
    type: str
    title: str
    severity: Severity
    mode: Mode
    declared_at: datetime


class About(Behalf):
    """The same with the environment by its name.

    `speed` is that of the incident's clocks: another than 1 is for sandboxes.
    """

    environment: str
    speed: float = 1


class ObserveRequest(BaseModel):
    """Ask a probe. `at` is the end of every window it looks at, fixed by the workflow so that a retry sees the same."""

    about: About
    step: str
    params: dict[str, Any]
    at: datetime


class ChangeAsked(BaseModel):
    """Which change is meant: the `generation`-th of a step of the runbook."""

    about: About
    step: str
    generation: int = Field(ge=1)


class Undone(BaseModel):
    """Which generation of the step is taken back, `without` the pieces of it that do not stand."""

    generation: int = Field(ge=1)
    without: tuple[str, ...] = ()


class PlanRequest(ChangeAsked):
    """Ask a change for its plan, or for the plan of an undo."""

    params: dict[str, Any]
    requested_by: str
    requested: Requested | None = None
    undo: Undone | None = None


class Planned(BaseModel):
    """A sealed plan. `ours` tells, for a plan that changes nothing, whether our own intent is on record."""

    plan: Plan
    ours: bool = False


class Ballot(BaseModel):
    """Who approves, and for which role; `proof` is what proves it, as it came; `break_glass` why they do alone."""

    by: str
    role: str
    proof: Any = None
    break_glass: str | None = None


class ApplyRequest(PlanRequest):
    """Apply the plan of this digest, which was made of what else is asked.

    `added` are the levels of the chain that may decide too. `plan` is read where it could not be put on record: the
    hands then make it once more, and only what its words are is taken from here. What began by itself names the digest
    of the pre-authorisation that stands for votes.
    """

    plan: Plan | None = None

    digest: str
    votes: tuple[Ballot, ...] = ()
    commander: str | None = None
    added: tuple[str, ...] = ()
    preauthorised: str | None = None
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


class GivenUp(BaseModel):
    """How it was decided that a change is not to be begun, by whom, and why; on which plan, with all votes."""

    status: Literal["rejected", "cancelled", "expired"]
    reason: str
    by: str
    digest: str | None = None
    votes: tuple[Vote, ...] = ()


class ChangeOutcome(BaseModel):
    """What the record says of a change: nothing was begun, it was begun, or how it ended, with the end's `message`.

    Of one that was `given_up` nothing was begun, and nothing will be.

    `votes` and `plan` are those that it was begun on. `unread` is said where the record could not be read.
    """

    outcome: Literal["nothing", "given-up", "begun", "verified", "partly", "failed", "unread"]
    message: str = ""
    votes: tuple[Ballot, ...] = ()
    plan: Plan | None = None
    given_up: GivenUp | None = None


class VerifyRequest(ChangeAsked):
    """Look whether the world is as the plan on record says, but for `refused` pieces; renews the locks' lease."""

    digest: str
    refused: tuple[str, ...] = ()


class Verified(BaseModel):
    """The world is `after`; the locks are released. `message` is what was seen."""

    message: str


class ReleaseRequest(ChangeAsked):
    """Give the locks of a plan back; those that somebody else holds by now stay theirs.

    `unverified` says why what was applied is not known to do well: that goes on record as what came of it. So does why
    a change was `given_up` in this `term` of its incident: from then on it is not begun.
    """

    digest: str | None = None
    unverified: str | None = None
    given_up: GivenUp | None = None
    term: int = 1


class AppendCall(BaseModel):
    """Write entries of an incident's timeline into the ledger, and sign the head that they lead to."""

    incident: str
    environment: str
    epoch: int
    term: int = 1
    entries: list[Entry]


class Appended(BaseModel):
    """The ledger has every entry up to `written`, in `epoch`."""

    written: int
    epoch: int


class Stranger(BaseModel):
    """What a workflow that keeps no record was told by none of ours: an answer to `what`, or its own beginning."""

    what: str = Field(max_length=100)
    begun: bool = False


class FollowCall(Unchained):
    """Write one entry behind the closed chain of an incident. `number` tells it from others that say the same."""

    incident: str
    environment: str
    number: int
    at: datetime
    term: int = 1


class ReportCall(BaseModel):
    """Store the report of an incident.

    `last` are the entries that the ledger does not have yet: they are written first.
    """

    incident: str
    environment: str
    last: AppendCall | None = None


class Reported(BaseModel):
    """Where the report stands in the evidence bucket, one key for each format; it tells the entries up to `seq`.

    `appended` is what came of the entries that were written first.
    """

    seq: int
    places: tuple[str, ...]
    appended: Appended | None = None


class PlanNamed(BaseModel):
    """A plan that the hands have put on record: that of the `generation`-th change of a step with this digest."""

    step: str = Field(max_length=200)
    generation: int = Field(ge=1)
    digest: str = Field(max_length=64)


class PageRequest(BaseModel):
    """Reach one contact of the organisation. `page_id` is fixed per page: attempts of one page share it.

    `heading` and `reason` make the subject, `ask` what its reader is to do; a `mail` goes out by mail before any other
    channel. `plan` is the one to decide on: its words are those of the plan on record.
    """

    about: About
    page_id: str
    message: Literal["page", "mail"]
    to: str
    role: str
    heading: str = ""
    reason: str
    ask: str
    plan: PlanNamed | None = None


class Paged(BaseModel):
    """The channel that took the page and the reference that it gave back, by which its delivery can be looked up.

    That it was taken is no sign that it arrived.
    """

    channel: str
    reference: str


class WaveRequest(BaseModel):
    """Reach several contacts at once, each tried once by each of his channels."""

    pages: list[PageRequest] = Field(min_length=1)


class Wave(BaseModel):
    """What became of each page of a wave, in order; None for one that no channel took."""

    sent: list[Paged | None]


class NoticeRequest(BaseModel):
    """Tell an outside party something. `sequence` orders the notices of one incident; a repeat changes nothing."""

    about: About
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
