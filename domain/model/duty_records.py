"""What an incident remembers of facts, and of the duties that count from them."""

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel

from domain.model.proofs import Proven
from domain.values.canonical import digest


class FactRecord(BaseModel):
    """A point in time that somebody put on record. `value` is the point, `at` when it was recorded."""

    fact: str
    title: str
    value: datetime
    by: str
    at: datetime
    reason: str | None = None


class Signature(BaseModel):
    """Somebody stands for how a duty ends: what they said, by which `command`, and how it is proven."""

    by: str
    role: str
    at: datetime
    verified: Proven | Literal[False] = False
    command: str = ""
    given: dict[str, Any] = {}
    proof: Any = None


ObligationStatus = Literal["open", "discharged", "not-required", "superseded"]


class Ending(BaseModel):
    """How a duty ends: what it becomes, and what stands for that. `done_at` is when it was done."""

    state: ObligationStatus
    by: str
    done_at: datetime
    reference: str | None = None
    outcome: str | None = None
    reason: str | None = None
    justification: str | None = None

    def digest(self) -> str:
        """What who agrees to it signs: the SHA-256 of it as canonical JSON."""
        return digest(self.model_dump(mode="json"))


class ObligationRecord(BaseModel):
    """A duty that has begun. `ending` is proposed while the duty is open; `signatures` are on that proposal."""

    step: str
    obligation: str
    opened_at: datetime
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

    @property
    def ended(self) -> Ending | None:
        """How it has ended; None while it is open, whatever is proposed."""
        return None if self.state == "open" else self.ending

    @property
    def missed(self) -> bool:
        """Whether its deadline passed before it was done; a deadline that was moved since counts as it stands now."""
        return self.overdue if self.state == "open" else self.late is not None

    @property
    def late(self) -> timedelta | None:
        """By how much it was missed; None where it was not, or is not done yet."""
        ending = self.ended
        return None if ending is None or ending.done_at <= self.due_at else ending.done_at - self.due_at
