"""What can happen to a change: events of the incident's timeline that name the change by its workflow's id."""

from typing import Any, ClassVar, Literal

from domain.model.events import Event, RefusalsCounted, Refused, because
from domain.model.plan import Plan, State
from domain.model.preauthorised import StartedBy
from domain.model.proofs import Proven, Requested
from domain.model.records import PIECE_DONE, ChangeStatus
from domain.values.instants import Instant


class _OfAChange(Event):
    """`step` is the runbook's step, `workflow_id` names the one change of that step that is meant."""

    step: str
    workflow_id: str


class ChangeRequested(_OfAChange):
    """`undo_of` is the number of the change of the same step that this one takes back. `requested` proves who asks.

    One that nobody has asked for names the pre-authorisation that it was started by.
    """

    kind: Literal["change-requested"] = "change-requested"
    generation: int
    action: str
    title: str
    params: dict[str, Any] = {}
    undo_of: int | None = None
    requested: Requested | None = None
    preauthorised: StartedBy | None = None

    def sentence(self, actor: str) -> str:
        if self.preauthorised is not None:
            return f"Started by {self.preauthorised.told}: {self.title}"
        return f"{'Undo' if self.undo_of else 'Change'} requested: {self.title}"


class NotPlanned(Event):
    """A change that was not begun, and what somebody may do about it."""

    kind: Literal["not-planned"] = "not-planned"
    step: str
    title: str
    reason: str
    says: ClassVar[str] = "{title}: {reason}"


class PlanMade(_OfAChange):
    kind: Literal["plan"] = "plan"
    plan: Plan
    says: ClassVar[str] = "Plan: {plan.summary}"


class ApprovalAsked(_OfAChange):
    """The holders of `eligible` may vote until `until`, and `quorum` of them must approve; `voters` are paged.

    With `again` half of the time has passed; with `added` that role may vote too, as nobody decided in time.
    """

    kind: Literal["approval-asked"] = "approval-asked"
    title: str
    eligible: list[str]
    quorum: int = 1
    voters: list[str]
    until: Instant
    again: bool = False
    added: str | None = None

    @property
    def reason(self) -> str:
        """Why the voters are paged."""
        needed = "approval still needed" if self.again else "approval escalated" if self.added else "approval needed"
        return f"{needed}: {self.title}"

    def sentence(self, actor: str) -> str:
        if self.added:
            return f"No decision in time: {self.added} may decide too"
        several = f"{self.quorum} of {', '.join(self.eligible)}"
        who = " or ".join(self.eligible) if self.quorum == 1 else several
        return f"{self.reason[0].upper()}{self.reason[1:]} ({who})"


class ElectorateChanged(_OfAChange):
    """Somebody took command, so that others may vote."""

    kind: Literal["electorate"] = "electorate"
    eligible: list[str]

    def sentence(self, actor: str) -> str:
        return f"May decide on {self.step} now: {' or '.join(self.eligible)}"


class VoteKept(_OfAChange):
    """A vote came before its plan; it is heard once the plan is there."""

    kind: Literal["early"] = "early"
    command: str
    given: dict[str, Any]
    proven: Proven | None = None
    says: ClassVar[str] = "{command} came before the plan; kept until it is there"


class VoteCast(_OfAChange):
    """A vote that counts; `digest` is that of the plan it is on.

    `proof` is what proves who gave it, as it came; `verified` by what it does, by the verdict when it came. With
    `break_glass`, the reason for it, this one decides alone.
    """

    kind: Literal["approval"] = "approval"
    role: str
    decision: Literal["approve", "reject"]
    digest: str | None = None
    verified: Proven | bool = False
    proof: Any = None
    comment: str | None = None
    break_glass: str | None = None

    def sentence(self, actor: str) -> str:
        if self.break_glass is not None:
            return f"{actor} ({self.role}) breaks the glass and decides alone: {self.break_glass}"
        said = f": {self.comment}" if self.comment else ""
        return f"{actor} ({self.role}) {'approves' if self.decision == 'approve' else 'rejects'}{said}"


class EvidenceForgone(_OfAChange):
    """The evidence that was to come first has not begun in time; the change goes on without it."""

    kind: Literal["evidence"] = "evidence"
    says: ClassVar[str] = "Evidence has not begun in time; what is lost now is forgone"


class Delayed(_OfAChange):
    """A change that was asked for and is not under way yet, `what` says in which way: it is tried on."""

    kind: Literal["delayed"] = "delayed"
    title: str
    what: str

    def sentence(self, actor: str) -> str:
        return f"{self.title}: {self.what}; it is tried on"


class ChangeLost(_OfAChange):
    """A change whose workflow was ended from outside, by nothing that it said; the record knows how far it had come."""

    kind: Literal["change-lost"] = "change-lost"
    title: str
    says: ClassVar[str] = "{title}: its workflow was ended from outside; the record is asked what came of it"


class ChangeMoved(_OfAChange):
    """A change went on to `status`. `ours`: our own intent is on record; `observed` is what stood there instead.

    `pieces` is what came of each piece where some were refused: `done`, or why not.
    """

    kind: Literal["change"] = "change"
    title: str
    status: ChangeStatus
    reason: str | None = None
    ours: bool | None = None
    observed: State = {}
    denied: bool = False
    pieces: dict[str, str] = {}

    def sentence(self, actor: str) -> str:
        match self.status:
            case ChangeStatus.APPLYING:
                return because(f"Applying: {self.title}", self.reason)
            case ChangeStatus.VERIFYING if self.pieces:
                return f"Applied in part, verifying: {self.title}: {pieces_told(self.pieces)}"
            case ChangeStatus.VERIFYING:
                return f"Applied, verifying: {self.title}"
            case _:
                return f"{self.title}: {self.status} - {self.reason}"


def pieces_of(plan: Plan, refused: dict[str, str]) -> dict[str, str]:
    """What came of each piece that was to change."""
    return {name: refused.get(name, PIECE_DONE) for name in plan.changing}


def pieces_told(pieces: dict[str, str]) -> str:
    """Say how many pieces were done, and why each of the others was not."""
    refused = [f"{name} ({why})" for name, why in pieces.items() if why != PIECE_DONE]
    return f"{len(pieces) - len(refused)} of {len(pieces)} pieces done; not done: {'; '.join(refused)}"


_Voting = PlanMade | ApprovalAsked | ElectorateChanged | VoteKept | VoteCast
ChangeEvent = _Voting | EvidenceForgone | ChangeMoved | Refused | RefusalsCounted
"""What a change's workflow says of it."""
