"""Claims: what somebody says who acts, to the letter. What proves it is a signature over exactly this."""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from domain.values.canonical import canonical_json

LONGEST = timedelta(days=90)
"""How long anything that is claimed holds at most: a pre-authorisation's."""


class Act(StrEnum):
    """What is done. Whatever counts has one; a note, a probe and a page have none."""

    REQUEST = "request"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    UNDO = "undo"
    DONE = "done"
    WAIVE = "waive"
    FACT = "fact"
    DISCHARGE = "discharge"
    RELEASE_EVIDENCE = "release-evidence"
    TAKE_COMMAND = "take-command"
    HAND_OVER = "hand-over"
    DELEGATE = "delegate"
    PRE_AUTHORISE = "pre-authorise"
    BREAK_GLASS = "break-glass"
    MITIGATED = "mitigated"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"
    FALSE_ALARM = "false-alarm"
    SEVERITY = "severity"
    ACKNOWLEDGE = "acknowledge"
    NOTE = "note"
    STOP_DRILL = "stop-drill"
    APPROVE_RUNBOOK = "approve-runbook"
    ENROL = "enrol"
    REVOKE = "revoke"
    TEST = "test"


def _in_seconds(at: datetime) -> datetime:
    if at.microsecond or at.utcoffset() != timedelta():
        raise ValueError("write it in UTC, to the second")
    return at


At = Annotated[AwareDatetime, AfterValidator(_in_seconds)]
LONGEST_NAME = 200
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[!-~][ -~]*$")]
"""A name of ours: printable ASCII, so that no two look alike."""


class Claim(BaseModel):
    """Who does what about which thing, until when; `at` and `expires` are UTC to the second.

    `subject` is the SHA-256 of what it is about, in hex: a plan, a runbook, the facts of a duty. `environment`,
    `incident`, `step` and `generation` are empty where it is about none. A `nonce` is used once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = 1
    organisation: Name
    environment: Name | None = None
    incident: Name | None = None
    step: Name | None = None
    generation: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    act: Act
    subject: str = Field(pattern=r"^[0-9a-f]{64}$")
    decision: str = Field(default="", max_length=500)
    by: Name
    at: At
    expires: At
    nonce: str = Field(pattern=r"^[0-9a-f]{32}$")

    @model_validator(mode="after")
    def _ends(self) -> "Claim":
        if not self.at < self.expires <= self.at + LONGEST:
            raise ValueError(f"expires must be after at, and within {LONGEST.days} days of it")
        return self

    def canonical(self) -> bytes:
        """What is signed: canonical JSON (RFC 8785 as far as it is used here), in UTF-8."""
        return canonical_json(self.model_dump(mode="json")).encode()

    def digest(self) -> str:
        """The SHA-256 of it, in hex."""
        return sha256(self.canonical()).hexdigest()
