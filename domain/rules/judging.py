"""Whether votes suffice by the rule of whoever acts on them: what the workflow made of them does not count."""

from collections.abc import Sequence

from domain.model.activity_io import Ballot
from domain.rules.voting import Electorate


def refused_votes(electorate: Electorate, ballots: Sequence[Ballot]) -> str | None:
    """Why these votes do not approve, in the order in which they were given; None where they do.

    Each is by a contact of the electorate's organisation, in a role that they hold and that may decide; nobody votes
    twice, the requester never but where it is theirs to decide, and where several must agree no role counts twice. Of
    who decides alone it is asked that they are a contact: whether they may is for `breaking_glass` to say.
    """
    quorum, organisation = electorate.rule.quorum, electorate.organisation
    heard: set[str] = set()
    taken: set[str] = set()
    for ballot in ballots:
        who = organisation.contact(ballot.by, electorate.commander)
        if who is None or who.id != ballot.by:
            return f"{ballot.by!r} is no contact of {organisation.id}"
        if ballot.break_glass is not None:
            continue
        if who.id == electorate.requester and not electorate.own:
            return f"{who.id} requested this change; somebody else must decide"
        if ballot.role not in electorate.roles_of(who):
            return f"{who.id} may not decide this as {ballot.role}; {' or '.join(electorate.roles) or 'nobody'} may"
        if who.id in heard or (quorum > 1 and ballot.role in taken):
            return f"{who.id} counts once, and {ballot.role} too"
        heard.add(who.id)
        taken.add(ballot.role)
    if len(heard) < quorum and all(ballot.break_glass is None for ballot in ballots):
        return f"{len(heard)} of {quorum} votes are there; {' or '.join(electorate.roles) or 'nobody'} may decide"
    return None
