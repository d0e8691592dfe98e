"""A claim with its proof, as a command carries it, and whether it is the claim that is asked for."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from authority.claims import Claim
from authority.proofs import Proof, Proven, Sighting, UnprovenError, prove, prove_as_seen
from authority.register import Register
from authority.webauthn import RelyingParty
from domain.values.canonical import canonical_json


class Signed(Proof):
    """`{claim, method, key, signature}`."""

    claim: Claim

    @property
    def proof(self) -> Proof:
        """The proof by itself."""
        return Proof(method=self.method, key=self.key, signature=self.signature)


class About(BaseModel):
    """What a claim has to be about: the fields of `Claim` that are not the claimant's to choose."""

    model_config = ConfigDict(frozen=True)

    organisation: str
    environment: str | None = None
    incident: str | None = None
    step: str | None = None
    generation: int | None = None
    act: str
    subject: str
    by: str


_SAID = {
    "organisation": "another organisation",
    "environment": "another environment",
    "incident": "another incident",
    "step": "another step",
    "generation": "another change of the step",
    "act": "another act",
    "subject": "another plan than the one that stands",
    "by": "somebody else",
}


def signed(raw: Any) -> Signed:
    """Read what came as a proof. Raises `UnprovenError`, which repeats nothing of it.

    A claim is taken in the one form that is signed, so that whoever has the record can check it as it stands there.
    """
    if raw is None:
        raise UnprovenError("it is not signed: the command does so, once your key is enrolled (incident identity)")
    try:
        found = Signed.model_validate(raw)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"][:2]) or "all of it"
        raise UnprovenError(f"its proof cannot be read: look at {where[:60]}") from None
    if canonical_json(raw["claim"]).encode() != found.claim.canonical():
        raise UnprovenError("its claim is not written as claims are signed: all fields, times as 2026-01-31T09:00:00Z")
    return found


def proven(
    raw: Any,
    about: About,
    register: Register,
    now: datetime,
    seen: Sighting | None = None,
    site: RelyingParty | None = None,
) -> tuple[Claim, Proven]:
    """The claim that proves what is asked, at `now` (UTC). Raises `UnprovenError`, and what `seen` raises.

    By what was `seen` a claim by `aws-iam` is proven, and by a passkey one where there is a `site` for which it was
    made; without these none is.
    """
    found = signed(raw)
    refuse_other(found.claim, about)
    if found.method == "aws-iam" and seen is not None:
        return found.claim, prove_as_seen(found.claim, found.proof, register, now, seen)
    return found.claim, prove(found.claim, found.proof, register, now, site)


def refuse_other(claim: Claim, about: About) -> None:
    """Raise `UnprovenError` for a claim that is about something else."""
    for field, value in about.model_dump(mode="json").items():
        if getattr(claim, field) != value:
            raise UnprovenError(f"it is signed for {_SAID[field]}: sign it again")
