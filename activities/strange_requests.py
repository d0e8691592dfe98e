"""What only somebody asks for who is none of ours: told apart, in this one place, from what honest people are refused.

A vote that does not count, a plan that is stale, an incident that has just ended and files that are newer than the
worker's are refused too, and are nobody's attack. None of these kinds comes of them.
"""

from enum import StrEnum

from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.ledger.terms import SupersededError


class Strange(StrEnum):
    """The kinds, as people read them."""

    UNRECORDED = "for an incident that is not on record"  # once it is still not, a minute later
    ELSEWHERE = "for another environment, or by clocks that this one does not have"
    FORGED = "entries that do not follow from the record"
    UNPROVEN = "entries of what nobody has signed"
    ANSWERS = "answers and messages in the place of ours"
    BEGUN = "begun in the place of ours"
    OTHERS = "what another workflow does for itself alone"
    OLDER_LIFE = "of a life of an incident that was left behind"
    UNASKED = "what the runbook of the incident does not say"
    TOO_MANY = "more messages of one incident to one person than it can have to say"
    NOBODY = "a page to somebody who is no contact"


class StrangeRequestError(RuleError):
    """A request that none of our workflows makes. Never retried."""

    def __init__(self, text: str, kind: Strange) -> None:
        super().__init__(text)
        self.kind = kind


class UnrecordedError(ApplicationError):
    """A request for an incident that is not on record; of an honest one the first entry is on its way."""


def kind_of(error: Exception) -> Strange | None:
    """What is strange about what was refused; None where honest people may be refused so."""
    if isinstance(error, StrangeRequestError):
        return error.kind
    if isinstance(error, SupersededError):
        return Strange.OLDER_LIFE
    return Strange.UNRECORDED if isinstance(error, UnrecordedError) else None
