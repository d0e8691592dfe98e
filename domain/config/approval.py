"""Who may say yes to what."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from domain.config.organisation import COMMANDER


class ApprovalClass(StrEnum):
    """How grave a change is.

    A0 reads; A1 is reversible and narrow, requested but approved by nobody; A2 is reversible and
    affects the service; A3 is irreversible, causes an outage, or speaks to the outside world.
    """

    A0 = "A0"
    A1 = "A1"
    A2 = "A2"
    A3 = "A3"


class ApprovalRule(BaseModel):
    """`quorum` distinct people of `roles`, none of them the requester."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: tuple[str, ...] = ()
    quorum: int = Field(default=1, ge=0)


DEFAULT_RULES: dict[ApprovalClass, ApprovalRule] = {
    ApprovalClass.A0: ApprovalRule(quorum=0),
    ApprovalClass.A1: ApprovalRule(quorum=0),
    ApprovalClass.A2: ApprovalRule(roles=(COMMANDER, "technical-manager"), quorum=1),
    ApprovalClass.A3: ApprovalRule(roles=("cto", "devops-lead"), quorum=2),
}
"""What a class asks for where the runbook is silent."""
