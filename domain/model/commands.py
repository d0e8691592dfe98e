"""What people can say to an incident and to a change: one payload model a command.

Unknown fields are ignored, so that clients may send more than today's program knows.
`proof` proves who the sender is (`domain.model.proofs`); in a sandbox it is ignored. `proven` is the verdict on it,
which no client can say.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator

from domain.config.delegation import Delegation
from domain.model.proofs import Proven
from domain.values import limits
from domain.values.instants import Instant
from domain.values.severity import Severity

_TEXT_MAX = 4000
Name = Annotated[str, Field(max_length=200)]
"""What a refusal may repeat: of a step, a fact, a digest, whoever speaks."""


class Command(BaseModel):
    """What one person says. A payload of more than `limits.COMMAND` bytes is invalid: no entry could hold it."""

    by: Name = Field(min_length=1)
    proof: Any = None
    _proven: Proven | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _fits(cls, value: Any) -> Any:
        if (found := limits.size(value)) > limits.COMMAND:
            raise ValueError(f"it has {found} bytes, and {limits.COMMAND} at most can go on record: say it in parts")
        return value

    @property
    def proven(self) -> Proven | None:
        """By what it is proven who says it, where that was looked at."""
        return self._proven

    def with_verdict(self, proven: Proven | None) -> Self:
        """The same, its proof having been looked at."""
        made = self.model_copy()
        made._proven = proven  # noqa: SLF001 - its own
        return made


class Acknowledge(Command):
    pass


class Note(Command):
    text: str = Field(min_length=1, max_length=_TEXT_MAX)


class RequestChange(Command):
    step: Name
    set: dict[str, Any] = {}

    @field_validator("set", mode="before")
    @classmethod
    def _nothing(cls, value: Any) -> Any:
        return {} if value is None else value


class Undo(Command):
    step: Name


class CompleteTask(Command):
    """`code` is the one that a notice sent, for a task that asks for it."""

    step: Name
    code: str | None = Field(default=None, max_length=40)
    note: str | None = Field(default=None, max_length=_TEXT_MAX)


class WaiveTask(Command):
    step: Name
    reason: str = Field(min_length=1, max_length=_TEXT_MAX)


class Reclassify(Command):
    severity: Severity
    reason: str = Field(min_length=1, max_length=_TEXT_MAX)


class Mitigated(Command):
    summary: str = Field(min_length=1, max_length=_TEXT_MAX)


class Resolve(Command):
    summary: str = Field(min_length=1, max_length=_TEXT_MAX)


class Reopen(Command):
    reason: str = Field(min_length=1, max_length=_TEXT_MAX)


class FalseAlarm(Command):
    reason: str = Field(min_length=1, max_length=_TEXT_MAX)


class Close(Command):
    pass


class RecordFact(Command):
    """Say when something was so; `at` is in UTC or says its offset, and means now where it is left out."""

    fact: Name
    at: Instant | None = None
    reason: str | None = Field(default=None, min_length=1, max_length=_TEXT_MAX)


class _EndObligation(Command):
    """`proposal` is the digest of what stands proposed, where that is agreed to."""

    step: Name
    reason: str | None = Field(default=None, min_length=1, max_length=_TEXT_MAX)
    proposal: Name | None = None


class DischargeObligation(_EndObligation):
    """A duty is done: `reference` is the receipt, `at` when it was done, `justification` why so late if it was late.

    What is left out stands as it was proposed before.
    """

    reference: str | None = Field(default=None, min_length=1, max_length=500)
    at: Instant | None = None
    outcome: Name | None = None
    justification: str | None = Field(default=None, min_length=1, max_length=_TEXT_MAX)


class ObligationNotRequired(_EndObligation):
    """A duty does not arise, for a reason that is on record."""


class SupersedeObligation(_EndObligation):
    """Another duty, named in the reason, takes the place of this one."""


class OfferCommand(Command):
    """Offer command to a contact."""

    to: Name = Field(min_length=1)


class TakeCommand(Command):
    """Take the command that the contact `of` offers to whoever says this."""

    of: Name = Field(min_length=1)


class Custody(Command):
    """Something that was done with a piece of evidence; `to` is who has it now, inside or outside."""

    evidence: str = Field(min_length=1, max_length=300)
    event: Literal["received", "accessed", "transferred", "released"]
    reason: str = Field(min_length=1, max_length=_TEXT_MAX)
    to: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _check(self) -> "Custody":
        if self.event == "transferred" and self.to is None:
            raise ValueError("a transfer says to whom")
        return self


class Delegate(Command):
    """Somebody stands in for a role: the delegation as it stands signed in the organisation's folder."""

    delegation: Delegation


class EndDelegation(Command):
    """The delegation of this id is over before its time."""

    delegation: Name
    reason: str = Field(min_length=1, max_length=_TEXT_MAX)


class Approve(Command):
    digest: Name
    comment: str | None = Field(default=None, max_length=_TEXT_MAX)


class BreakGlass(Command):
    """Approve a plan alone, when no approver answers; `reason` is signed with it."""

    digest: Name
    reason: str = Field(min_length=1, max_length=_TEXT_MAX)


class Reject(Command):
    reason: str = Field(min_length=1, max_length=_TEXT_MAX)


class Cancel(Command):
    reason: str = Field(min_length=1, max_length=_TEXT_MAX)


INCIDENT_COMMANDS: dict[str, type[Command]] = {
    "acknowledge": Acknowledge,
    "note": Note,
    "request_change": RequestChange,
    "undo": Undo,
    "complete_task": CompleteTask,
    "waive_task": WaiveTask,
    "reclassify": Reclassify,
    "mitigated": Mitigated,
    "resolve": Resolve,
    "reopen": Reopen,
    "false_alarm": FalseAlarm,
    "close": Close,
    "record_fact": RecordFact,
    "discharge_obligation": DischargeObligation,
    "obligation_not_required": ObligationNotRequired,
    "supersede_obligation": SupersedeObligation,
    "custody": Custody,
    "hand_over": OfferCommand,
    "take_command": TakeCommand,
    "delegate": Delegate,
    "end_delegation": EndDelegation,
}

CHANGE_COMMANDS: dict[str, type[Command]] = {
    "approve": Approve,
    "reject": Reject,
    "cancel": Cancel,
    "break_glass": BreakGlass,
}
