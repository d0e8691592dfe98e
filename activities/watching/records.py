"""The incidents that are to be carried on, by the ledger: open ones, and closed ones that have left work.

Each is the state that its record comes to, read again once that has changed. What is over for good is put on record as
that, and not read again.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Event
from typing import NamedTuple

from activities.action import Clients
from activities.aws.shared.error_codes import is_of_aws
from activities.declared import OnRecord
from activities.ledger.incidents import chain, state_of
from activities.ledger.reader import OPEN_FOR, LedgerReader
from activities.ledger.table import Item, Table, keys
from activities.ledger.terms import end_key
from activities.watching.notebook import Notebook, Over
from domain.audit.storage_format import chain_key
from domain.config.environment import Environment
from domain.model.state import IncidentState
from domain.rules import tasks

_SETTLED = timedelta(hours=1)
"""How long after its end an incident may still write what came of its last work, in real time."""


class Record(NamedTuple):
    """An incident that is to be carried on: its state, or why its record cannot be read."""

    incident: str
    declared_at: datetime
    state: IncidentState | str


class Run(NamedTuple):
    """The last run of a schedule: until when no other was to begin, and which incident it is while that is open.

    What a declaration says of when it was due is not believed: anybody may declare upkeep, of the year 9999 too.
    """

    until: datetime
    incident: str | None = None


class _Known(NamedTuple):
    newest: tuple[str, str]
    record: Record


class Records:
    """Reads what is to be carried on, again and again, until it is stopped. Lets botocore's errors through."""

    def __init__(self, clients: Clients, stopped: Event) -> None:
        self._clients = clients
        self._stopped = stopped
        self._over: dict[str, Over] = {}
        self._knows_over = False
        self._elsewhere: set[str] = set()
        self._ended: dict[str, datetime] = {}
        self._known: dict[str, _Known] = {}

    def to_carry_on(self, environment: Environment, now: datetime) -> Iterator[Record]:
        """Every incident on record that has not ended, then those that have left work
        (`dynamodb:Query`, `dynamodb:GetItem`, `dynamodb:PutItem`).

        An ended one whose record cannot be read is none of them: nobody is paged for it.
        """
        table, reader = Table(self._clients, environment.ledger_table), LedgerReader(self._clients, environment)
        if not self._knows_over:
            self._over.update(Notebook(table).over())
            self._knows_over = True
        ended = []
        for incident in reader.incidents(now - OPEN_FOR):
            if self._stopped.is_set():
                return
            if incident in self._over or incident in self._elsewhere:
                continue
            if self._has_ended(table, incident):
                ended.append(incident)
            elif (record := self._read(table, reader, incident)) is not None and _is_of(environment, record):
                yield record
        for incident in ended:
            if self._stopped.is_set():
                return
            record = self._read(table, reader, incident)
            if record is None or isinstance(record.state, str):
                continue
            if not _is_of(environment, record):
                self._elsewhere.add(incident)
            elif tasks.are_left(record.state):
                yield record
            elif now - self._ended[incident] >= _SETTLED:
                self._settle(table, incident, record.state)

    def runs(self, environment: Environment) -> dict[str, Run]:
        """The last run of each schedule of an environment, by what has been read."""
        found: dict[str, Run] = {}
        for one in self._over.values():
            if one.schedule is not None and one.environment == environment.name:
                _take(found, one.schedule, Run(one.until))
        for incident, (_, record) in self._known.items():
            if isinstance(record.state, str) or not _is_of(environment, record):
                continue
            if (of := record.state.declaration.scheduled) is not None:
                ended = self._ended.get(incident)
                _take(found, of.schedule, Run(ended) if ended else Run(record.declared_at, incident))
        return found

    def _has_ended(self, table: Table, incident: str) -> bool:
        if incident not in self._ended and (ended := table.get(end_key(incident))) is not None:
            self._ended[incident] = datetime.fromisoformat(ended["at"]["S"])
        return incident in self._ended

    def _settle(self, table: Table, incident: str, state: IncidentState) -> None:
        """Put on record that an incident is over for good."""
        of = state.declaration.scheduled
        over = Over(
            environment=state.declaration.environment.name,
            schedule=of.schedule if of else None,
            until=self._ended.pop(incident),
        )
        Notebook(table).settle(incident, over)
        self._known.pop(incident, None)
        self._over[incident] = over

    def _read(self, table: Table, reader: LedgerReader, incident: str) -> Record | None:
        """An incident as it is on record; None while its first entry is on its way, before which it is listed."""
        known = self._known.get(incident)
        declared_at = None if known is None else known.record.declared_at
        if declared_at is None:
            declared = table.get(keys(f"declared#{incident}", "declared"))
            if declared is None:
                return None
            declared_at = OnRecord.model_validate_json(declared["content"]["S"]).declared_at
        try:
            newest = _newest(table, incident)
            if known is None or known.newest != newest:
                entries = chain(reader.read_chain(incident))
                state = entries if isinstance(entries, str) else state_of(incident, entries)
                known = self._known[incident] = _Known(newest, Record(incident, declared_at, state))
        except Exception as error:
            if is_of_aws(error):
                raise
            return unlooked(Record(incident, declared_at, ""), error)
        return known.record


def unlooked(record: Record, error: Exception) -> Record:
    """The record of an incident at which the watcher cannot look, whatever that is of: it hides no other."""
    return record._replace(state=f"it cannot be looked at ({type(error).__name__})")


def _take(found: dict[str, Run], schedule: str, run: Run) -> None:
    """Keep the later of two runs."""
    found[schedule] = max(run, found.get(schedule, run), key=lambda one: one.until)


def _is_of(environment: Environment, record: Record) -> bool:
    return isinstance(record.state, str) or record.state.declaration.environment.name == environment.name


def _newest(table: Table, incident: str) -> tuple[str, str]:
    """What changes with every entry and every epoch: the newest mark, and the hash of the newest entry behind it."""
    mark: Item | None = next(iter(table.latest(f"chain#{incident}", 1)), None)
    named = mark["sk"]["S"] if mark is not None else ""
    epoch = int(named.removeprefix("epoch#")) if named.startswith("epoch#") else 1
    last = next(iter(table.latest(chain_key(incident, epoch), 1)), None)
    return named, last["hash"]["S"] if last is not None else ""
