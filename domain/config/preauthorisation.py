"""What an organisation lets begin by itself in a P0, before anybody has acknowledged: one change, within bounds."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator, model_validator

from domain.values.canonical import canonical_value, digest
from domain.values.frozen import Frozen
from domain.values.instants import Instant

LONGEST = timedelta(days=90)
"""How long one holds at most, from its signing."""

MOST = 50
"""How often one may be used at most, in its whole life."""


def _in_seconds(at: datetime) -> datetime:
    if at.microsecond:
        raise ValueError("write it to the second")
    return at


_At = Annotated[Instant, AfterValidator(_in_seconds)]
_Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~][ -~]*$")]


class PreAuthorisation(Frozen):
    """One change that may begin by itself: `step` of the runbook `type`, by this `action`, in this `environment`.

    `set` is what the step asks for, and nothing but that. It holds from `since` until `until` (UTC, to the second), for
    `most` changes in its whole life: a step begins by itself once in an incident. Its digest is what is signed, so
    nothing of it has a default.
    """

    type: _Name
    step: _Name
    action: _Name
    environment: _Name
    set: dict[str, Any]
    most: int = Field(ge=1, le=MOST)
    reason: str = Field(min_length=1, max_length=500)
    since: _At
    until: _At

    @field_validator("set")
    @classmethod
    def _as_json_has_it(cls, given: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = canonical_value(given)
        return found

    @model_validator(mode="after")
    def _ends(self) -> "PreAuthorisation":
        if not self.since < self.until <= self.since + LONGEST:
            raise ValueError(f"until must be after since, and within {LONGEST.days} days of it")
        return self

    def digest(self) -> str:
        """SHA-256 of the canonical JSON of all that it says, in hex: what is signed, and what it is called by."""
        return digest(self.model_dump(mode="json"))

    def holds(self, at: datetime) -> bool:
        """Whether an instant (UTC) is in its time."""
        return self.since <= at < self.until
