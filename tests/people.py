"""People who prove who they are: each with a hardware key that is made in software."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from authority.claims import LONGEST, Act, Claim
from authority.register import Register, RegisteredKey
from authority.ssh_keys import SK_ED25519
from domain.model.activity_io import About, Ballot
from domain.model.acts import of_request, of_undo
from domain.model.plan import Plan
from domain.model.proofs import Requested
from tests.activities.scopes import NOW
from tests.authority.signing import TOUCHED, Token

HOME = "axis-imaging"
LONG_AGO = NOW - timedelta(days=400)


class People:
    """The keys of some contacts, good since long ago."""

    def __init__(self, *contacts: str) -> None:
        self.tokens = {one: Token(SK_ED25519) for one in contacts}

    def keys(self, **until: datetime) -> Register:
        """Their register; `until` when a contact's key proves something, with `_` for `-`."""
        return Register(
            RegisteredKey(
                contact=who,
                method="ssh",
                public=token.line,
                since=LONG_AGO,
                until=until.get(who.replace("-", "_")),
                by=who,
            )
            for who, token in self.tokens.items()
        )

    def claim(self, by: str, act: Act, subject: str, about: About, step: str, /, **fields: Any) -> Claim:
        """What somebody claims within an incident; `fields` replace those that would be right."""
        made = {
            "organisation": HOME,
            "environment": about.environment,
            "incident": about.incident,
            "step": step,
            "act": act,
            "subject": subject,
            "by": by,
            "at": NOW,
            "expires": NOW + LONGEST,
            "nonce": secrets.token_hex(16),
        }
        return Claim.model_validate({**made, **fields})

    def signed(self, claim: Claim, token: Token | None = None) -> dict[str, Any]:
        """A claim with its proof, as a command carries it; by another's `token` in the claimant's name."""
        held = token or self.tokens[claim.by]
        signature = held.signed(claim.canonical(), TOUCHED)
        said = {"method": "ssh", "key": held.key.fingerprint, "signature": signature}
        return {"claim": claim.model_dump(mode="json"), **said}

    def vote(self, by: str, role: str, plan: Plan, about: About, step: str, generation: int, /, **other: Any) -> Ballot:
        """An approval of a plan."""
        claim = self.claim(by, Act.APPROVE, plan.digest, about, step, **{"generation": generation, **other})
        return Ballot(by=by, role=role, proof=self.signed(claim))

    def request(self, by: str, about: About, step: str, given: dict[str, Any] | None = None, **other: Any) -> Requested:
        """A request for a change."""
        claim = self.claim(by, Act.REQUEST, of_request(step, given or {}), about, step, **other)
        return Requested(proof=self.signed(claim), given=given or {})

    def undo(self, by: str, about: About, step: str) -> Requested:
        """A request to take a change back."""
        return Requested(proof=self.signed(self.claim(by, Act.UNDO, of_undo(step), about, step)))


PEOPLE = People(
    "devops-lead",
    "development-lead",
    "security-lead",
    "technical-manager",
    "cto",
    "ceo",
    "privacy-officer",
)
"""Made once: a key takes longer than a signature."""
