"""Who may say yes to what."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from pydantic import Field

from domain.values.frozen import Frozen


class ApprovalClass(StrEnum):
    """How grave a change is.

    A0 reads; A1 is reversible and narrow, approved by whoever requests it; A2 is reversible and
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
    """`quorum` distinct people of `roles`, none of them the requester; with a quorum of 0 the requester alone."""

    roles: tuple[str, ...] = ()
    quorum: int = Field(default=1, ge=0)


def vacant(roles: Sequence[str], people: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The roles that are left over, in their order, where each is filled by another of these people, by who holds it.

    As few as can be: whoever holds two of them fills the one that nobody else can.
    """
    filled: dict[str, str] = {}

    def fill(role: str, asked: set[str]) -> bool:
        for who, held in people.items():
            if role in held and who not in asked:
                asked.add(who)
                if who not in filled or fill(filled[who], asked):
                    filled[who] = role
                    return True
        return False

    return tuple(role for role in roles if not fill(role, set()))
