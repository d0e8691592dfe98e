"""Every incident that an environment's ledger has, read one at a time; Temporal is not asked."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from domain.audit.storage_format import StoredCopy
from domain.model.state import IncidentState
from domain.model.timeline import Entry, Timeline
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.reader import LedgerReader


class Unreadable(NamedTuple):
    """An incident that the ledger lists and whose entries cannot be read, and why in a few words."""

    id: str
    reason: str


def incidents(options: Options, unreadable: list[Unreadable], since: datetime | None = None) -> Iterator[IncidentState]:
    """Read each incident, or those declared at or after `since` (UTC), as `records` does: as the state it comes to."""
    from domain.rules.evolve import NoIncidentError, fold

    for incident, entries in records(options, unreadable, since):
        try:
            state = fold(entries)
        except NoIncidentError as error:
            unreadable.append(Unreadable(incident, str(error)))
            continue
        if state.id == incident:
            yield state
        else:
            unreadable.append(Unreadable(incident, f"its entries are those of {state.id}"))


def records(
    options: Options, unreadable: list[Unreadable], since: datetime | None = None
) -> Iterator[tuple[str, list[Entry]]]:
    """Read the entries of each incident, or of those declared at or after `since` (UTC), by its id, oldest first.

    Only one is in memory at a time. Those that cannot be read are added to `unreadable`. That an entry follows from the
    one before it is checked, signatures are not: that is `incident audit verify`. Raises `RefusedError` when AWS
    refuses or does not answer.
    """
    from activities.ledger.reader import LedgerReader
    from starters.client.aws_session import vault

    with vault(options, f"reading the ledger of {options.named_environment()}") as (clients, environment):
        ledger = LedgerReader(clients, environment)
        for incident in ledger.incidents(since):
            found = _read(ledger, incident)
            if isinstance(found, str):
                unreadable.append(Unreadable(incident, found))
            elif since is None or found[0].at >= since:
                yield incident, found


def refuse(unreadable: list[Unreadable]) -> None:
    """End in a refusal, in one line, when there were incidents that could not be read."""
    if unreadable:
        first = unreadable[0]
        named = ", ".join(one.id for one in unreadable[1:4]) + (", …" if len(unreadable) > 4 else "")
        more = f"; nor can {named}" if named else ""
        raise RefusedError(f"{first.id} cannot be read ({first.reason}){more}: see incident audit verify ID")


def _read(ledger: "LedgerReader", incident: str) -> list[Entry] | str:
    """The entries of an incident, or why they cannot be read."""
    from activities.action import RuleError

    try:
        return chain(ledger.read_chain(incident))
    except RuleError:
        return "the ledger lists it and has no entry of it"


def chain(copy: StoredCopy) -> list[Entry] | str:
    """The entries of a stored copy, each of which follows from the one before it; or why they cannot be read."""
    from domain.audit.verdict import account

    try:
        entries = account(copy)
    except ValueError:
        return "an entry cannot be read"
    if broken := Timeline(entries=entries).first_broken():
        return f"the chain is broken at entry {broken}"
    return entries or "there are no entries"
