"""Pre-authorisations as an incident carries them, and by which of them a change has begun."""

from pydantic import BaseModel, ConfigDict

from domain.config.preauthorisation import PreAuthorisation
from domain.model.proofs import SignedClaim


class PreAuthorised(BaseModel):
    """What may begin by itself, and the signatures under it, as whoever declared the incident knew them."""

    model_config = ConfigDict(frozen=True)

    terms: PreAuthorisation
    signed: tuple[SignedClaim, ...]

    @property
    def signers(self) -> tuple[str, ...]:
        """Who has signed it, in the order in which they did."""
        return tuple(one.claim.by for one in self.signed)


class StartedBy(BaseModel):
    """By which pre-authorisation (its digest) a change has begun, and who had signed that."""

    model_config = ConfigDict(frozen=True)

    digest: str
    signed_by: tuple[str, ...]

    @property
    def told(self) -> str:
        """As people are told of it."""
        return f"pre-authorisation {self.digest[:12]} of {' and '.join(self.signed_by)}"
