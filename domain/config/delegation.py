"""Delegations: who stands in for a role, from when until when, and who may say so.

Everything here is a pure function of the organisation's file, of what was signed, and of a time.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from domain.config.organisation import COMMANDER, Contact, Organisation
from domain.values.canonical import digest
from domain.values.frozen import Frozen
from domain.values.instants import Instant

LONGEST = timedelta(days=90)
"""How long a delegation may last, counted from when it is made."""
BEYOND = timedelta(hours=1)
"""How long what was approved in time may be begun after a delegation has run out."""


def _whole(at: datetime) -> datetime:
    if at.microsecond:
        raise ValueError("write it to the second")
    return at


Second = Annotated[Instant, AfterValidator(_whole)]
_Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~][ -~]*$")]
_Reason = Annotated[str, Field(min_length=1, max_length=500)]


class Delegation(Frozen):
    """That the contact `to` holds a role too, from `since` and before `until` (UTC, to the second).

    `by` has made it `at` that time; `proof` is what proves that, as `{method, key, signature}`. When it `ended` early
    is said by another entry. Its id is made of what it says.
    """

    act: Literal["delegate"] = "delegate"
    role: _Name
    to: _Name
    since: Second
    until: Second
    reason: _Reason
    by: _Name
    at: Second
    proof: Any = None
    ended: Instant | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.at <= self.since < self.until <= self.at + LONGEST:
            raise ValueError(
                f"it begins when it is made or later, and ends within {LONGEST.days} days: look at at, since and until"
            )
        if self.role == COMMANDER:
            raise ValueError(f"{COMMANDER} is handed over, within an incident, not delegated")
        if self.to == self.by:
            raise ValueError(f"{self.by} names another to stand in, and never themselves")
        return self

    def said(self) -> dict[str, Any]:
        """What is signed: all of it but the proof."""
        return self.model_dump(mode="json", exclude={"proof", "ended"})

    @property
    def id(self) -> str:
        """Eight letters of the digest of what it says."""
        return digest(self.said())[:8]

    @property
    def ends(self) -> datetime:
        """When it is over."""
        return self.until if self.ended is None else min(self.until, self.ended)

    def holds_at(self, at: datetime) -> bool:
        """Whether it is in force."""
        return self.since <= at < self.ends

    def holds_vote(self, said_at: datetime, begun_at: datetime) -> bool:
        """Whether a vote of `said_at` counts for what is begun at `begun_at`: ended early, it does not any more."""
        last = self.until + BEYOND if self.ends == self.until else self.ends
        return self.holds_at(said_at) and begun_at < last

    def bare(self) -> "Delegation":
        """It without its proof, for whoever asks for none."""
        return self.model_copy(update={"proof": None})


def lent(organisation: Organisation, roles: Iterable[tuple[str, str]]) -> Organisation:
    """The organisation with these roles held by these contacts too, each as role and contact."""
    more: dict[str, list[str]] = {}
    for role, to in roles:
        more.setdefault(to, []).append(role)
    if not more:
        return organisation
    contacts = tuple(_with(contact, more.get(contact.id, ())) for contact in organisation.contacts)
    return organisation.model_copy(update={"contacts": contacts})


def _with(contact: Contact, roles: Collection[str]) -> Contact:
    return contact.model_copy(update={"roles": tuple(dict.fromkeys([*contact.roles, *roles]))}) if roles else contact


def standing(
    organisation: Organisation, delegations: Iterable[Delegation], at: datetime, but: Collection[str] = ()
) -> Organisation:
    """The organisation as of a time (UTC): whoever stands in then holds the role too, `but` by those of these people.

    Of one change neither its requester nor another voter has named the voice beside their own.
    """
    return lent(organisation, ((one.role, one.to) for one in delegations if one.holds_at(at) and one.by not in but))


def makers(organisation: Organisation, role: str) -> tuple[str, ...]:
    """The roles whose holders may have somebody stand in for a role: its own, and those above it in the chain.

    A role that has to sign runbooks is a check on those above it: its holders alone delegate it.
    """
    if role in organisation.runbook_approvers:
        return (role,)
    chain = organisation.chain
    return (role, *(chain[chain.index(role) + 1 :] if role in chain else chain))


def may_make(organisation: Organisation, by: str, role: str) -> bool:
    """Whether a contact may do so. `organisation` is as its file has it: no stand-in delegates onwards."""
    who = next((one for one in organisation.contacts if one.id == by), None)
    return who is not None and bool({*who.roles} & {*makers(organisation, role)})


def may_end(organisation: Organisation, by: str, delegation: Delegation) -> bool:
    """Whether a contact may end it early: who may make it, and who stands in."""
    return by == delegation.to or may_make(organisation, by, delegation.role)


def doubt_of_end(organisation: Organisation, by: str, delegation: Delegation) -> str | None:
    """Why a contact does not end it early; None where they may."""
    if may_end(organisation, by, delegation):
        return None
    may = dict.fromkeys([delegation.to, *makers(organisation, delegation.role)])
    return f"{by} does not end {delegation.id}: {' or '.join(may)} may"


def doubt(organisation: Organisation, one: Delegation) -> str | None:
    """Why it counts for nothing by the organisation's file, whoever has signed it; None where it counts."""
    if one.role not in organisation.held():
        return f"{one.role!r} is no role that somebody of {organisation.id} holds"
    to = next((contact for contact in organisation.contacts if contact.id == one.to), None)
    if to is None:
        return f"{one.to!r} is no contact of {organisation.id}"
    if one.role in to.roles:
        return f"{one.to} is {one.role} already"
    if not may_make(organisation, one.by, one.role):
        return f"{one.by} may not: {one.role} is delegated by {' or '.join(makers(organisation, one.role))}"
    return None


def twin(one: Delegation, others: Sequence[Delegation]) -> Delegation | None:
    """Another by which the same contact stands in for the same role at the same time; None where there is none."""
    for other in others:
        if (other.role, other.to) == (one.role, one.to) and one.since < other.ends and other.since < one.ends:
            return other
    return None
