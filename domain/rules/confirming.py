"""What is so unusual that it is asked for twice: refused once, and taken when the same is said again."""

from datetime import datetime, timedelta

from domain.model.state import IncidentState
from domain.values.timestamps import stamp

_USUAL = timedelta(days=366)
"""How long before its declaration anything of an incident was at most; a breach may go unnoticed for as long."""


class Unconfirmed(str):
    """Why something is not taken yet; `about` names what it is about, so that the same is known again."""

    __slots__ = ("about",)
    about: str

    @classmethod
    def of(cls, about: str, reason: str) -> "Unconfirmed":
        made = cls(f"{reason}: say the same again to confirm it")
        made.about = about
        return made


def unusual(state: IncidentState, about: str, at: datetime | None) -> Unconfirmed | None:
    """Why an instant is to be said again; None where it is usual, or was said before."""
    if at is None or at >= state.declared_at - _USUAL:
        return None
    about = f"{about} {stamp(at)}"
    said = f"{stamp(at)} is more than a year before the incident was declared"
    return None if about in state.unconfirmed else Unconfirmed.of(about, said)
