"""Whether votes suffice by the rule of whoever acts on them: what the workflow made of them does not count."""

from collections.abc import Sequence

from domain.model.activity_io import Ballot
from domain.rules.voting import Electorate


def refused_votes(electorate: Electorate, ballots: Sequence[Ballot]) -> str | None:
    """Why these votes do not approve, in the order in which they were given; None where they do.

    Each is by a contact of the electorate's organisation, in a role that they hold and that may decide; nobody votes
    twice, the requester never, and where several must agree no role counts twice.
    """
    quorum, organisation = electorate.rule.quorum, electorate.organisation
    heard: set[str] = set()
    taken: set[str] = set()
    for ballot in ballots:
        who = organisation.contact(ballot.by, electorate.commander)
        if who is None or who.id != ballot.by:
            return f"{ballot.by!r} is no contact of {organisation.id}"
        if who.id == electorate.requester:
            return f"{who.id} requested this change; somebody else must decide"
        if ballot.role not in electorate.roles_of(who):
            return f"{who.id} may not decide this as {ballot.role}; {' or '.join(electorate.roles) or 'nobody'} may"
        if who.id in heard or (quorum > 1 and ballot.role in taken):
            return f"{who.id} counts once, and {ballot.role} too"
        heard.add(who.id)
        taken.add(ballot.role)
    if len(heard) < quorum:
        return f"{len(heard)} of {quorum} votes are there; {' or '.join(electorate.roles) or 'nobody'} may decide"
    return None
