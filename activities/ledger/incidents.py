"""Incidents as a ledger tells them, one after the other, for whoever looks at many."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from activities.action import RuleError
from activities.ledger.reader import LedgerReader
from domain.audit.storage_format import StoredCopy
from domain.audit.verdict import account
from domain.model.state import IncidentState
from domain.model.timeline import Entry, Timeline
from domain.rules.evolve import NoIncidentError, fold


class Unreadable(NamedTuple):
    """An incident that the ledger lists and whose entries cannot be read, and why in a few words."""

    id: str
    reason: str


def incidents(
    ledger: LedgerReader, unreadable: list[Unreadable], since: datetime | None = None
) -> Iterator[IncidentState]:
    """Read each incident, or those declared at or after `since` (UTC), as `records` does: as the state it comes to."""
    for incident, entries in records(ledger, unreadable, since):
        found = state_of(incident, entries)
        if isinstance(found, str):
            unreadable.append(Unreadable(incident, found))
        else:
            yield found


def records(
    ledger: LedgerReader, unreadable: list[Unreadable], since: datetime | None = None
) -> Iterator[tuple[str, list[Entry]]]:
    """Read the entries of each incident, or of those declared at or after `since` (UTC), by its id, oldest first.

    Only one is in memory at a time (`dynamodb:Query`). Those that cannot be read are added to `unreadable`. That an
    entry follows from the one before it is checked, signatures are not.
    """
    for incident in ledger.incidents(since):
        try:
            found = chain(ledger.read_chain(incident))
        except RuleError:
            found = "the ledger lists it and has no entry of it"
        if isinstance(found, str):
            unreadable.append(Unreadable(incident, found))
        elif since is None or found[0].at >= since:
            yield incident, found


def chain(copy: StoredCopy) -> list[Entry] | str:
    """The entries of a stored copy, each of which follows from the one before it; or why they cannot be read."""
    try:
        entries = account(copy)
    except ValueError:
        return "an entry cannot be read"
    if broken := Timeline(entries=entries).first_broken():
        return f"the chain is broken at entry {broken}"
    return entries or "there are no entries"


def state_of(incident: str, entries: list[Entry]) -> IncidentState | str:
    """What entries come to; or why they do not come to this incident."""
    try:
        state = fold(entries)
    except NoIncidentError as error:
        return str(error)
    return state if state.id == incident else f"its entries are those of {state.id}"
