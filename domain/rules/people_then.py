"""Who held which role when an entry came: by the declaration, and by what the record says of stand-ins."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.config.delegation import Delegation, may_end, may_make, standing
from domain.config.organisation import Contact
from domain.model.declaration import Declaration
from domain.model.delegation_events import Delegated, DelegationEnded
from domain.model.event_kinds import event_of
from domain.model.timeline import Entry

KINDS = frozenset({"delegated", "delegation-ended"})


class PeopleThen(NamedTuple):
    """The people of an incident as of a time (UTC); `delegated` beside those that it was declared with."""

    declaration: Declaration
    delegated: Sequence[Delegation]
    at: datetime

    def contact(self, who: str, at: datetime | None = None) -> Contact | None:
        """A contact with the roles that they held then."""
        return standing(self.declaration.organisation, self._known().values(), at or self.at).contact(who)

    def may_say(self, by: str, event: Delegated | DelegationEnded) -> bool:
        """Whether somebody may have another stand in so, or end it: by the file's roles, not by lent ones."""
        organisation = self.declaration.organisation
        if isinstance(event, Delegated):
            return event.delegation.by == by and may_make(organisation, by, event.delegation.role)
        known = self._known().get(event.delegation)
        if known is None or (known.role, known.to) != (event.role, event.to):
            return False
        return may_end(organisation, by, known)

    def _known(self) -> dict[str, Delegation]:
        return {one.id: one for one in (*self.declaration.delegations, *self.delegated)}


def told_by(declaration: Declaration, entries: Iterable[Entry]) -> list[Delegation]:
    """What these entries say of delegations, each as it stands after them."""
    known = {one.id: one for one in declaration.delegations}
    said = set[str]()
    for entry in entries:
        event = event_of(entry) if entry.kind in KINDS else None
        if isinstance(event, Delegated):
            known[event.delegation.id] = event.delegation
            said.add(event.delegation.id)
        elif isinstance(event, DelegationEnded) and event.delegation in known:
            over = {"ended": entry.at + timedelta.resolution}  # what was said in the same task has the same time
            known[event.delegation] = known[event.delegation].model_copy(update=over)
            said.add(event.delegation)
    return [known[one] for one in known if one in said]
