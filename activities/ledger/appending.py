"""What may go on record: entries in their place of a chain that begins with a declaration of this worker's own."""

from activities.action import Clients, RuleError
from activities.declared import Declared
from activities.house import House, environment_of
from activities.ledger.nonces import Used
from activities.ledger.proving import Looker
from activities.ledger.store import LedgerStore
from activities.ledger.table import Item, Table, keys, text
from activities.ledger.terms import end_key
from activities.proofs import are_asked
from activities.strange_requests import Strange, StrangeRequestError
from domain.audit.storage_format import chain_key
from domain.model.activity_io import AppendCall, Appended, FollowCall
from domain.model.declaration import Declaration
from domain.model.event_kinds import ENDING
from domain.model.timeline import Entry, Timeline
from domain.rules.evolve import NoIncidentError, begun

_BEHIND = 1_000_000
"""Beyond every entry: those of the follow-up work have numbers of their own, and their places are not known yet."""


class Appender:
    """Writes and signs what it would vouch for, and nothing else. Lets botocore's errors through."""

    def __init__(self, clients: Clients, house: House) -> None:
        self._clients = clients
        self._house = house

    def append(self, call: AppendCall) -> Appended:
        """Write entries, like `LedgerStore.append`.

        Raises `RuleError` for another environment, for entries that do not follow from what stands before them, and for
        a chain that does not begin with a declaration of this worker's organisation under a runbook that it knows.
        """
        environment = environment_of(self._house, call.environment)
        table = Table(self._clients, environment.ledger_table)
        ends = (entry.at.isoformat() for entry in call.entries if entry.kind in ENDING)
        beside: list[Item] = [{**end_key(call.incident), "at": text(at)} for at in ends][:1]
        first = call.entries[0]
        if Timeline(entries=call.entries, dropped=first.seq - 1, base=first.prev).first_broken():
            reason = f"the entries of {call.incident} from {first.seq} on do not follow from each other"
            raise StrangeRequestError(reason, Strange.FORGED)
        before: Entry | None = None
        if first.seq == 1:
            again = _is_begun(table, call, first)
            declaration = _declaration(call.incident, first)
            beside.append(Declared(self._house, table).first(declaration, again=again))
        else:
            before = _before(table, call, first)
            declaration = _declaration(call.incident, _entry(table, chain_key(call.incident, 1), 1) or first)
        used: dict[int, Used] = {}
        if are_asked(self._house):
            looker = Looker(self._house, table, declaration, call.epoch, before)
            used = looker.used(call.entries, (before or first).at)
        appended = LedgerStore(self._clients, environment).append(call, beside, used)
        Declared(self._house, table).severity_changed(call.incident, appended.epoch, call.entries)
        return appended

    def follow(self, call: FollowCall) -> None:
        """Write an entry of the follow-up work, like `LedgerStore.follow_once`. Raises `RuleError` for one unproven."""
        environment = environment_of(self._house, call.environment)
        table = Table(self._clients, environment.ledger_table)
        used = self._used_behind(table, call) if are_asked(self._house) else None
        LedgerStore(self._clients, environment).follow_once(call, used)

    def _used_behind(self, table: Table, call: FollowCall) -> Used | None:
        """What an entry behind the end uses up. Raises `RuleError` for an incident that has not ended."""
        ended, first = (
            Declared(self._house, table).ended_at(call.incident),
            _entry(table, chain_key(call.incident, 1), 1),
        )
        if ended is None or first is None:
            raise RuleError(f"{call.incident} is not over: its own workflow keeps its record")
        entry = Entry(**call.said(), seq=_BEHIND + call.number, at=call.at, prev="")
        looker = Looker(self._house, table, _declaration(call.incident, first), 1, None)
        return looker.used([entry], max(call.at, ended)).get(entry.seq)


def _declaration(incident: str, first: Entry) -> Declaration:
    """What a chain begins with. Raises `RuleError` for anything but the declaration of this incident."""
    try:
        declaration = begun(first).declaration
    except (ValueError, NoIncidentError) as error:
        reason = f"the record of {incident} does not begin with a declaration"
        raise StrangeRequestError(reason, Strange.FORGED) from error
    if declaration.incident_id != incident:
        reason = f"the record of {incident} begins with the declaration of {declaration.incident_id}"
        raise StrangeRequestError(reason, Strange.FORGED)
    return declaration


def _is_begun(table: Table, call: AppendCall, first: Entry) -> bool:
    """Whether a record begins with just this entry already, as that of a run that was reset does.

    Raises `RuleError` where it begins with another.
    """
    standing = table.get(keys(chain_key(call.incident, 1), "000001"))
    if standing is not None and standing["hash"]["S"] != first.hash:
        raise StrangeRequestError(f"the record of {call.incident} begins with another declaration", Strange.FORGED)
    return standing is not None


def _entry(table: Table, chain: str, number: int) -> Entry | None:
    item = table.get(keys(chain, f"{number:06d}"))
    return None if item is None else Entry.model_validate_json(item["content"]["S"])


def _before(table: Table, call: AppendCall, first: Entry) -> Entry:
    """The entry that stands before, in the epoch or in the one that it leaves. Raises `RuleError` unless it does."""
    before = _entry(table, chain_key(call.incident, call.epoch), first.seq - 1)
    epoch = call.epoch
    while before is None and epoch > 1:
        mark = table.get(keys(f"chain#{call.incident}", f"epoch#{epoch:04d}"))
        if mark is None or int(mark["after"]["N"]) < first.seq - 1:
            break
        epoch = int(mark["leaves"]["N"])
        before = _entry(table, chain_key(call.incident, epoch), first.seq - 1)
    if before is None or before.hash != first.prev:
        reason = f"entry {first.seq} of {call.incident} does not follow from the entry that stands before it"
        raise StrangeRequestError(reason, Strange.FORGED)
    return before
