"""Every incident that an environment's ledger has, read one at a time; Temporal is not asked."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from domain.model.state import IncidentState
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.reader import LedgerReader


class Unreadable(NamedTuple):
    """An incident that the ledger lists and whose entries cannot be read, and why in a few words."""

    id: str
    reason: str


def incidents(options: Options, unreadable: list[Unreadable], since: datetime | None = None) -> Iterator[IncidentState]:
    """Read each incident, or those declared at or after `since` (UTC), oldest first; only one is in memory at a time.

    Those that cannot be read are added to `unreadable`. That an entry follows from the one before it is checked,
    signatures are not: that is `incident audit verify`. Raises `RefusedError` when AWS refuses or does not answer.
    """
    from activities.ledger.reader import LedgerReader
    from starters.client.aws_session import vault

    with vault(options, f"reading the ledger of {options.named_environment()}") as (clients, environment):
        ledger = LedgerReader(clients, environment)
        for incident in ledger.incidents(since):
            found = _read(ledger, incident)
            if isinstance(found, str):
                unreadable.append(Unreadable(incident, found))
            elif since is None or found.declared_at >= since:
                yield found


def refuse(unreadable: list[Unreadable]) -> None:
    """End in a refusal, in one line, when there were incidents that could not be read."""
    if unreadable:
        first = unreadable[0]
        named = ", ".join(one.id for one in unreadable[1:4]) + (", …" if len(unreadable) > 4 else "")
        more = f"; nor can {named}" if named else ""
        raise RefusedError(f"{first.id} cannot be read ({first.reason}){more}: see incident audit verify ID")


def _read(ledger: "LedgerReader", incident: str) -> IncidentState | str:
    """The state of an incident, or why it cannot be read."""
    from activities.action import RuleError
    from domain.audit.verdict import account
    from domain.model.timeline import Timeline
    from domain.rules.evolve import NoIncidentError, fold

    try:
        entries = account(ledger.read_chain(incident))
        if broken := Timeline(entries=entries).first_broken():
            return f"the chain is broken at entry {broken}"
        state = fold(entries)
    except RuleError:
        return "the ledger lists it and has no entry of it"
    except NoIncidentError as error:
        return str(error)
    except ValueError:
        return "an entry cannot be read"
    return state if state.id == incident else f"its entries are those of {state.id}"
