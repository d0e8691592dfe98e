"""The open incidents by the ledger, each as the state that its record comes to, read again once that has changed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from activities.action import Clients
from activities.declared import OnRecord
from activities.ledger.incidents import chain, state_of
from activities.ledger.reader import LedgerReader
from activities.ledger.table import Item, Table, keys
from activities.ledger.terms import end_key
from domain.audit.storage_format import chain_key
from domain.config.environment import Environment
from domain.model.state import IncidentState

_LONGEST = timedelta(days=366)
"""How long ago an incident that is open can have been declared at most."""


class Record(NamedTuple):
    """An incident that has not ended: its state, or why its record cannot be read."""

    incident: str
    declared_at: datetime
    state: IncidentState | str


class _Known(NamedTuple):
    newest: tuple[str, str]
    record: Record


class Records:
    """Reads what is open, again and again. Lets botocore's errors through."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._over: set[str] = set()
        self._known: dict[str, _Known] = {}

    def open_ones(self, environment: Environment, now: datetime) -> Iterator[Record]:
        """Every incident on record that has not ended, one after the other (`dynamodb:Query`, `dynamodb:GetItem`)."""
        table, reader = Table(self._clients, environment.ledger_table), LedgerReader(self._clients, environment)
        for incident in reader.incidents(now - _LONGEST):
            if incident in self._over:
                continue
            if table.get(end_key(incident)) is not None:
                self._over.add(incident)
                self._known.pop(incident, None)
                continue
            record = self._read(table, reader, incident)
            if record is not None and _is_of(environment, record):
                yield record

    def _read(self, table: Table, reader: LedgerReader, incident: str) -> Record | None:
        """An incident as it is on record; None while its first entry is on its way, before which it is listed."""
        newest, known = _newest(table, incident), self._known.get(incident)
        if known is not None and known.newest == newest:
            return known.record
        declared = table.get(keys(f"declared#{incident}", "declared"))
        if declared is None:
            return None
        entries = chain(reader.read_chain(incident))
        state = entries if isinstance(entries, str) else state_of(incident, entries)
        declared_at = OnRecord.model_validate_json(declared["content"]["S"]).declared_at
        self._known[incident] = _Known(newest, Record(incident, declared_at, state))
        return self._known[incident].record


def _is_of(environment: Environment, record: Record) -> bool:
    return isinstance(record.state, str) or record.state.declaration.environment.name == environment.name


def _newest(table: Table, incident: str) -> tuple[str, str]:
    """What changes with every entry and every epoch: the newest mark, and the hash of the newest entry behind it."""
    mark: Item | None = next(iter(table.latest(f"chain#{incident}", 1)), None)
    named = mark["sk"]["S"] if mark is not None else ""
    epoch = int(named.removeprefix("epoch#")) if named.startswith("epoch#") else 1
    last = next(iter(table.latest(chain_key(incident, epoch), 1)), None)
    return named, last["hash"]["S"] if last is not None else ""
