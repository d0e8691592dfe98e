"""Reading incidents back from the ledger, to go on with them when Temporal has lost them."""

from collections.abc import Iterator
from typing import Any

from activities.action import Clients, RuleError
from activities.changes.outcomes import on_record
from activities.house import House, environment_of
from activities.ledger.reader import OPEN_FOR, LedgerReader
from activities.ledger.signatures import Keys
from activities.ledger.table import Table
from activities.ledger.terms import Terms, end_key
from activities.strange_requests import Strange, StrangeRequestError
from activities.watching.notebook import Notebook
from domain.audit.storage_format import INDEX_KEY, StoredCopy, chain_key
from domain.audit.verdict import OF_NO_ENTRY, account, audit
from domain.model.activity_io import ChangeOutcome
from domain.model.declaration import Declaration
from domain.model.records import ChangeStatus
from domain.model.restoring import Restorable, RestorableCall, RestoreCall, RestoredIncident
from domain.model.silence import Silence
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.rules import tasks
from domain.rules.evolve import NoIncidentError, begun, fold
from domain.rules.hearing_changes import NUMBER
from domain.values.ids import follow_up_workflow_id, is_incident_id

_SILENCES = 10
_BEFORE_AN_INTENT = {ChangeStatus.PLANNING, ChangeStatus.AWAITING_APPROVAL}


class Restorer:
    """Reads what the ledger of the worker's own environment has: nobody who asks can name another."""

    def __init__(self, clients: Clients, house: House) -> None:
        self._clients = clients
        self._house = house

    def restore(self, call: RestoreCall, asking: str) -> RestoredIncident:
        """Read a chain, check it, take its next term, and fold what stands then (`dynamodb:Query`, `dynamodb:PutItem`).

        The same run again gets the same. Raises `RuleError` for a record that is not intact, or makes no open incident,
        and where the workflow `asking` is not the one that goes on with it: while it runs, no other takes its term.
        """
        table = self._table()
        _, entries, state = self._read(table, call.incident)
        if not _is_open(entries, state):
            raise RuleError(f"{call.incident} is {state.status}: there is nothing to restore")
        own = follow_up_workflow_id(call.incident) if _is_over(entries, state) else call.incident
        if asking != own:
            raise StrangeRequestError(f"{asking} goes on with what is {own}'s to go on with", Strange.OTHERS)
        term = Terms(table).take(call.incident, call.holder)
        # again: until the term was taken, a life whose server is not dead after all could still write
        copy, entries, state = self._read(table, call.incident)
        return RestoredIncident(
            state=state,
            length=len(entries),
            head=entries[-1].hash,
            epoch=max((epoch for epoch, items in copy.items.items() if items), default=1),
            term=term,
            until=entries[-1].at,
            heard=heard_by(entries),
            intended=dict(_intended(table, state)),
            followed=_followed(entries),
            silences=_silences(table, call.incident, entries),
        )

    def open_ones(self, call: RestorableCall) -> list[Restorable]:
        """Every open incident of the ledger, the one that is asked for, or those of a key; reading changes nothing."""
        table = self._table()
        if call.key is not None:
            recent = LedgerReader(self._clients, self._house.environment()).incidents(table.now() - OPEN_FOR)
            names = [name for name in recent if _stands_for(table, name, call.key)]
        else:
            names = [call.incident] if call.incident else [item["sk"]["S"] for item in table.items(INDEX_KEY)]
        found = (self._restorable(table, name) for name in names)
        return [one for one in found if one is not None]

    def _restorable(self, table: Table, incident: str) -> Restorable | None:
        try:
            _, entries, state = self._read(table, incident)
        except RuleError as error:
            return Restorable(incident=incident, problem=str(error))
        if not _is_open(entries, state):
            return None
        return Restorable(
            incident=incident,
            title=state.title,
            type=state.type,
            severity=state.severity,
            status=state.status,
            mode=state.declaration.mode,
            over=_is_over(entries, state),
            declared_at=state.declared_at,
            key=state.declaration.holder,
            entries=len(entries),
            until=entries[-1].at,
        )

    def _table(self) -> Table:
        return Table(self._clients, self._house.environment().ledger_table)

    def _read(self, table: Table, incident: str) -> tuple[StoredCopy, list[Entry], IncidentState]:
        """The record and its fold, once all that is signed is proven; the newest entries may not be signed yet."""
        self._refuse_foreign(table, incident)
        environment = self._house.environment()
        reader = LedgerReader(self._clients, environment)
        keys = Keys(reader.pems() if environment.evidence else {})
        copy = reader.read(incident, patience_seconds=0).copy
        for flaw in audit(copy, keys.vouches).flaws:
            if flaw.kind not in OF_NO_ENTRY:
                raise RuleError(f"the record of {incident} is not intact: {flaw}")
        try:
            entries = account(copy)
            return copy, entries, fold(entries)
        except ValueError as error:  # NoIncidentError is one
            raise RuleError(f"the record of {incident} makes no incident: {error}") from error

    def _refuse_foreign(self, table: Table, incident: str) -> None:
        """Raise `RuleError` for a record that does not begin with a declaration in this environment."""
        if not is_incident_id(incident):  # or what it is made of would be looked for, and put, among another's
            raise RuleError(f"{incident} is no name of an incident")
        environment_of(self._house, _declared(table, incident).environment.name)


def _declared(table: Table, incident: str) -> Declaration:
    """What the record of an incident begins with. Raises `RuleError` where that is no declaration."""
    first: Any = next(table.items(chain_key(incident, 1)), None)
    if first is None:
        raise RuleError(f"the ledger {table.name} has no record of {incident}")
    try:
        return begun(Entry.model_validate_json(first["content"]["S"])).declaration
    except (ValueError, NoIncidentError) as error:
        raise RuleError(f"the record of {incident} does not begin with a declaration") from error


def _stands_for(table: Table, incident: str, key: str) -> bool:
    """Whether an incident was declared under a key, and has not ended (`dynamodb:GetItem`, `dynamodb:Query`)."""
    if table.get(end_key(incident)) is not None:
        return False
    try:
        return _declared(table, incident).holder == key
    except RuleError:  # it is listed and has no entry yet
        return False


def _is_open(entries: list[Entry], state: IncidentState) -> bool:
    """Whether there is something to go on with: an incident, or the work that a closed one has left."""
    return not _is_over(entries, state) or tasks.are_left(state)


def _is_over(entries: list[Entry], state: IncidentState) -> bool:
    """Whether it has ended and nothing of itself is left to do: storing its report is the last thing that it does."""
    return state.ended and (state.report is not None or _followed(entries) > 0)


def _followed(entries: list[Entry]) -> int:
    """How many entries of the follow-up work stand behind the incident's end."""
    return max((int(entry.data.get("follow_up", 0)) for entry in entries), default=0)


def heard_by(entries: list[Entry]) -> dict[str, int]:
    """Up to which number it is on record what each change has said."""
    heard: dict[str, int] = {}
    for entry in entries:
        if number := entry.cause.get(NUMBER):
            name = str(entry.data["workflow_id"])
            heard[name] = max(heard.get(name, 0), number)
    return heard


def _silences(table: Table, incident: str, entries: list[Entry]) -> tuple[Silence, ...]:
    """What the watcher has found since the incident was begun, or restored last, and did not tell before."""
    since = max(entry.at for entry in entries if entry.kind in {"declared", "restored"})
    return tuple(one for one in Notebook(table).silences(incident) if one.noticed_at > since)[-_SILENCES:]


def _intended(table: Table, state: IncidentState) -> Iterator[tuple[str, ChangeOutcome]]:
    """The changes that were begun, or decided against, after their last entry was written, with what came of them."""
    for change in state.changes_in_flight():
        if change.status in _BEFORE_AN_INTENT or change.adrift:
            found = on_record(table, (state.id, change.step, change.generation))
            if found is not None:
                yield change.workflow_id, found
