"""Every incident that an environment's ledger has, told from there one at a time; Temporal is not asked."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from domain.model.state import IncidentState
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.reader import LedgerReader


class Unreadable(NamedTuple):
    """An incident that the ledger lists and cannot tell, and why in a few words."""

    id: str
    reason: str


def incidents(options: Options, since: datetime | None = None) -> Iterator[IncidentState | Unreadable]:
    """Tell each incident, or those declared at or after `since` (UTC), oldest first; only one is in memory at a time.

    That an entry follows from the one before it is checked, signatures are not: that is `incident audit verify`.
    Raises `RefusedError` when AWS refuses or does not answer.
    """
    from activities.ledger.index import IncidentIndex
    from activities.ledger.reader import LedgerReader
    from starters.client.aws_session import vault
    from starters.files.organisation_folder import load_environment

    environment = load_environment(options.folder(), options.named_environment())
    with vault(environment, f"reading the ledger of {environment.name}") as clients:
        record = LedgerReader(clients, environment)
        for incident in IncidentIndex(clients, environment).ids(since):
            told = _told(record, incident)
            if since is None or isinstance(told, Unreadable) or told.declared_at >= since:
                yield told


def refuse(unreadable: list[Unreadable]) -> None:
    """End in a refusal, in one line, when there were incidents that could not be told."""
    if unreadable:
        first = unreadable[0]
        named = ", ".join(one.id for one in unreadable[1:4]) + (", …" if len(unreadable) > 4 else "")
        more = f"; nor can {named}" if named else ""
        raise RefusedError(f"{first.id} cannot be told ({first.reason}){more}: see incident audit verify ID")


def _told(record: "LedgerReader", incident: str) -> IncidentState | Unreadable:
    from activities.action import RuleError
    from domain.audit.verdict import account
    from domain.model.timeline import Timeline
    from domain.rules.evolve import NoIncidentError, fold

    try:
        entries = account(record.read_chain(incident))
        broken = Timeline(entries=entries).first_broken()
        if broken is not None:
            return Unreadable(incident, f"the chain is broken at entry {broken}")
        told = fold(entries)
    except RuleError:
        return Unreadable(incident, "the ledger lists it and has no entry of it")
    except NoIncidentError as error:
        return Unreadable(incident, str(error))
    except ValueError:
        return Unreadable(incident, "an entry cannot be read")
    return told if told.id == incident else Unreadable(incident, f"its entries are those of {told.id}")
