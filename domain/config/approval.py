"""Who may say yes to what."""

from enum import StrEnum

from pydantic import Field

from domain.values.frozen import Frozen


class ApprovalClass(StrEnum):
    """How grave a change is.

    A0 reads; A1 is reversible and narrow, requested but approved by nobody; A2 is reversible and
    affects the service; A3 is irreversible, causes an outage, or speaks to the outside world.
    """

    A0 = "A0"
    A1 = "A1"
    A2 = "A2"
    A3 = "A3"

    @property
    def unnamed(self) -> "ApprovalRule":
        """The rule of a class for which an organisation names nobody.

        A2 and A3 then need an approver whom nobody can be: what is not decided must not go ahead.
        """
        return ApprovalRule(quorum=0 if self in {ApprovalClass.A0, ApprovalClass.A1} else 1)


class ApprovalRule(Frozen):
    """`quorum` distinct people of `roles`, none of them the requester."""

    roles: tuple[str, ...] = ()
    quorum: int = Field(default=1, ge=0)
