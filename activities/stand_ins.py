"""Who stands in for whom, by the worker's own files as they are now; what a request says of it is not believed."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from activities.action import RuleError
from activities.house import House
from activities.proofs import are_asked
from authority.delegations import counting, refuse_carried
from authority.proofs import UnprovenError
from authority.signed import signed
from domain.config.delegation import Delegation, lent, standing
from domain.config.organisation import Organisation
from domain.model.activity_io import Ballot
from domain.model.declaration import Declaration


def delegations(house: House) -> tuple[Delegation, ...]:
    """Those that count: unsigned ones in a sandbox alone."""
    entries = house.delegations()
    if not entries:
        return ()
    return counting(entries, house.organisation(), house.register(), unsigned=not are_asked(house))


def people_at(house: House, at: datetime) -> Organisation:
    """The worker's organisation as of a time (UTC)."""
    return standing(house.organisation(), delegations(house), at)


def electors(
    house: House, votes: Sequence[Ballot], requester: str, planned_at: datetime, begun_at: datetime
) -> Organisation:
    """The worker's organisation as these votes are judged by, for a change that is to begin at `begun_at` (UTC).

    Whoever voted as a stand-in was one when they signed, and nobody else who asks or votes named them; a requester who
    was one since the plan holds the role too.
    """
    named = {requester, *(vote.by for vote in votes)}
    said_at = {vote.by: min(_signed_at(vote) or begun_at, begun_at) for vote in votes}
    held = (
        (one.role, one.to)
        for one in delegations(house)
        if (one.to in said_at and one.by not in named and one.holds_vote(said_at[one.to], begun_at))
        or (one.to == requester and one.since <= begun_at and planned_at < one.ends)
    )
    return lent(house.organisation(), held)


def _signed_at(vote: Ballot) -> datetime | None:
    """When a vote says that it was signed, by its claim; None of one without, as in a sandbox."""
    try:
        return signed(vote.proof).claim.at
    except UnprovenError:
        return None


def provable(house: House, declaration: Declaration) -> Declaration:
    """A declaration with the delegations alone that the worker's register proves, of what an incident has opened."""
    if declaration.opened_by is None or not declaration.delegations:
        return declaration
    organisation, register, known = house.organisation(), house.register(), house.delegations()

    def proves(one: Delegation) -> bool:
        with suppress(UnprovenError):
            refuse_carried(one, organisation, register, known)
            return True
        return False

    return declaration.model_copy(update={"delegations": tuple(filter(proves, declaration.delegations))})


def refuse_delegations(house: House, declaration: Declaration) -> None:
    """Raise `RuleError` for a declaration with a delegation that nobody who may has signed; in a sandbox for none.

    What an incident has opened takes over what that was told: people and keys may be others by now. Nothing is refused
    of it, and what proves nothing counts for nothing (`provable`).
    """
    if not are_asked(house) or declaration.opened_by is not None:
        return
    organisation, register, known = house.organisation(), house.register(), house.delegations()
    for one in declaration.delegations:
        try:
            refuse_carried(one, organisation, register, known)
        except UnprovenError as error:
            raise RuleError(
                f"{declaration.incident_id}: its delegation of {one.role} to {one.to} is not proven: {error}"
            ) from None
