"""Every incident that an environment's ledger has, read one at a time; Temporal is not asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from domain.model.state import IncidentState
from domain.model.timeline import Entry
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.incidents import Unreadable
    from activities.ledger.reader import LedgerReader


def incidents(
    options: Options, unreadable: "list[Unreadable]", since: datetime | None = None
) -> Iterator[IncidentState]:
    """Read each incident, or those declared at or after `since` (UTC), as `records` does: as the state it comes to."""
    from activities.ledger import incidents as recorded

    with _ledger(options) as ledger:
        yield from recorded.incidents(ledger, unreadable, since)


def records(
    options: Options, unreadable: "list[Unreadable]", since: datetime | None = None
) -> Iterator[tuple[str, list[Entry]]]:
    """Read the entries of each incident, or of those declared at or after `since` (UTC), by its id, oldest first.

    Only one is in memory at a time. Those that cannot be read are added to `unreadable`. That an entry follows from the
    one before it is checked, signatures are not: that is `incident audit verify`. Raises `RefusedError` when AWS
    refuses or does not answer.
    """
    from activities.ledger import incidents as recorded

    with _ledger(options) as ledger:
        yield from recorded.records(ledger, unreadable, since)


@contextmanager
def _ledger(options: Options) -> "Iterator[LedgerReader]":
    from activities.ledger.reader import LedgerReader
    from starters.client.aws_session import vault

    with vault(options, f"reading the ledger of {options.named_environment()}") as (clients, environment):
        yield LedgerReader(clients, environment)


def refuse(unreadable: "list[Unreadable]") -> None:
    """End in a refusal, in one line, when there were incidents that could not be read."""
    if unreadable:
        first = unreadable[0]
        named = ", ".join(one.id for one in unreadable[1:4]) + (", …" if len(unreadable) > 4 else "")
        more = f"; nor can {named}" if named else ""
        raise RefusedError(f"{first.id} cannot be read ({first.reason}){more}: see incident audit verify ID")
