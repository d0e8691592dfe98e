"""What workflows carry of proofs, and what they are told of them: they verify none themselves.

A proof is `{claim, method, key, signature}` as JSON (`authority.signed`). Workflows keep it as it came, for whoever
acts on it, and ask for a verdict when it arrives.
"""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.values.canonical import digest
from domain.values.limits import size

MOST = 12_000
"""How many bytes a proof may have: one by the greatest RSA key that is taken has half of them."""


class Proven(BaseModel):
    """By what it is proven who somebody is. `holder_verified`: a hardware key asked for a PIN or a finger."""

    model_config = ConfigDict(frozen=True)

    method: str
    key: str
    holder_verified: bool = False


class ClaimAsked(BaseModel):
    """Whether `by` has proven to do `act` about the `subject` (SHA-256 in hex) within this incident, or within none.

    `step` and `generation` are those of a change; none where it is about none. `said_at` is when a record says that it
    was said, where that is before what holds it.
    """

    environment: str
    incident: str | None
    step: str | None = None
    generation: int | None = None
    act: str
    subject: str
    by: str
    proof: Any = None
    said_at: datetime | None = None


class Verdict(BaseModel):
    """By what a claim is proven, or why it is not; without a `look` nobody knows."""

    proven: Proven | None = None
    reason: str = ""
    looked: bool = True


class Unproven(str):
    """Why somebody is refused: they have not proven who they are."""

    __slots__ = ()


class Requested(BaseModel):
    """How whoever requested a change has proven to do so, and the parameters that they gave."""

    proof: Any
    given: dict[str, Any] = {}


class ApprovalClaim(BaseModel):
    """What somebody has claimed who signs a file: who, when (UTC), about which digest, and more."""

    model_config = ConfigDict(frozen=True, extra="allow")

    by: str
    at: AwareDatetime
    subject: str


class SignedClaim(BaseModel):
    """A signature as a proof is: `{claim, method, key, signature}`."""

    model_config = ConfigDict(frozen=True)

    claim: ApprovalClaim
    method: str
    key: str
    signature: str


class RunbookApproval(SignedClaim):
    """A signature under a version of a runbook (`authority.approvals`)."""


def is_fit(proof: Any) -> bool:
    """Whether it may be one at all: a mapping, and not too large to be carried."""
    return isinstance(proof, dict) and size(proof) <= MOST


def of_vote(workflow_id: str, plan_digest: str | None) -> str:
    """The subject of what is said against a change: its plan, or the change itself before there is one."""
    return plan_digest or digest({"change": workflow_id})


def of_break_glass(plan_digest: str, reason: str) -> str:
    """The subject of deciding on a plan alone: the plan, and the reason that is given for it."""
    return digest({"plan": plan_digest, "reason": reason})


def of_drill_stop(environment: str, run: str, reason: str) -> str:
    """The subject of stopping a drill: one run of its workflow, and the reason that is given for it."""
    return digest({"drill": environment, "run": run, "reason": reason})


def nonce_of(proof: Any) -> str | None:
    """The nonce of a claim with its proof, as it came; None where there is none."""
    claim = proof.get("claim") if isinstance(proof, dict) else None
    nonce = claim.get("nonce") if isinstance(claim, dict) else None
    return nonce if isinstance(nonce, str) else None
