"""What can happen to a delegation within an incident: it becomes known, begins, and is over."""

from typing import ClassVar, Literal

from domain.config.delegation import Delegation
from domain.model.events import Event
from domain.values.timestamps import stamp


class Delegated(Event):
    """Somebody stands in for a role from a time until another: the delegation as it was signed for the files too."""

    kind: Literal["delegated"] = "delegated"
    delegation: Delegation

    def sentence(self, actor: str) -> str:
        one = self.delegation
        span = f"from {stamp(one.since)} until {stamp(one.until)}"
        return f"{actor} has {one.to} stand in as {one.role} {span}: {one.reason}"


class StandInBegan(Event):
    """The time of a delegation has begun: the contact holds the role too, and is paged as it."""

    kind: Literal["stand-in"] = "stand-in"
    delegation: str
    role: str
    to: str
    says: ClassVar[str] = "{to} stands in as {role}"


class StandInOver(Event):
    """The time of a delegation is over."""

    kind: Literal["stand-in-over"] = "stand-in-over"
    delegation: str
    role: str
    to: str
    says: ClassVar[str] = "{to} no longer stands in as {role}: its time is over"


class DelegationEnded(Event):
    """Somebody has ended a delegation before its time was over."""

    kind: Literal["delegation-ended"] = "delegation-ended"
    delegation: str
    role: str
    to: str
    reason: str
    says: ClassVar[str] = "{actor} ends that {to} stands in as {role}: {reason}"
