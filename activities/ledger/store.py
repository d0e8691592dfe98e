"""The ledger of an incident's timeline: written once, signed, and never rewritten.

In the ledger's table, every item by a conditional put:

    pk                           sk             what it holds
    chain#<incident>#<epoch>     000001         entry 1 of the epoch, as canonical JSON
    chain#<incident>             epoch#0002     where epoch 2 leaves another: the entry before it, its own first hash
    incidents                    <incident>     that there is such an incident, since when; put with its first entry

After every write the head is signed (`activities.ledger.checkpoints`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from activities.action import Clients, RuleError
from activities.ledger.checkpoints import Checkpoints
from activities.ledger.nonces import Used, used_up
from activities.ledger.table import Item, Table, keys, text
from activities.ledger.terms import SupersededError, Terms, end_key
from activities.strange_requests import Strange, StrangeRequestError
from domain.audit.storage_format import INDEX_KEY, chain_key
from domain.config.environment import Environment
from domain.model.activity_io import AppendCall, Appended, FollowCall
from domain.model.timeline import Entry, Timeline, Unchained
from domain.values.timestamps import stamp

_LOOK_BACK = 50
"""Among how many of the latest entries one that was written before its answer was lost is looked for."""


class LedgerStore:
    """Writes the chain of one environment's incidents. The same entry again is done; nothing is overwritten."""

    def __init__(self, clients: Clients, environment: Environment) -> None:
        self._table = Table(clients, environment.ledger_table)
        self._terms = Terms(self._table)
        evidence = environment.evidence
        self._checkpoints = None if evidence is None else Checkpoints(clients, evidence)

    def append(
        self, call: AppendCall, beside: Sequence[Item] = (), used: Mapping[int, Used] = MappingProxyType({})
    ) -> Appended:
        """Write entries (`dynamodb:PutItem`) and the signed head (`kms:Sign`, `s3:PutObject`).

        A repeat writes nothing new. Where another entry stands at a number already (a workflow that was reset),
        a new epoch begins that names where it leaves the old one. Raises `SupersededError` once another life of the
        incident has taken a later term, or has ended it, and `StrangeRequestError` for an entry whose claim (`used`, by
        number) another has used up; lets botocore's errors through. What goes on record `beside` the entries is written
        with them, each item if it is not there yet.
        """
        epoch = call.epoch
        if call.entries[0].seq == 1:
            # with the first entry: who reads meanwhile finds no incident listed that has none, or one missing
            beside = [*beside, {**keys(INDEX_KEY, call.incident), "at": text(stamp(call.entries[0].at))}]
        items = [_item(call.incident, epoch, entry) for entry in call.entries]
        guards = [one for entry in call.entries for one in self._used_up(used, call.incident, epoch, entry)]
        if not self._terms.put_under(call.incident, call.term, [*items, *beside], *guards):
            epoch = self._put_one_by_one(call, epoch, call.entries, used)
            for row in beside:
                self._table.put(row)
        last = call.entries[-1]
        self._sign(call.incident, epoch, last)
        return Appended(written=last.seq, epoch=epoch)

    def follow(
        self, incident: str, following: Unchained, at: datetime, term: int | None = None, used: Used | None = None
    ) -> Entry:
        """Write one entry after the newest there is (`dynamodb:Query`, `dynamodb:PutItem`), and its signed head.

        Without a `term` it is written under whichever the incident is in: for a person, who is of no life of it.

        For what happens once the incident's workflow, the one writer until then, is over. Two that write at once
        both get a place, one after the other. A repeat after a cut, when the entry stands there but not its signed
        head, signs it and writes no other. Raises `RuleError` when the ledger has nothing of the incident, or what it
        is signed with (`used`) was used for another.
        """
        while True:
            epoch, last = self._newest(incident)
            if last.said() == following.said() and not self._is_signed(incident, epoch, last):
                entry = last
                break
            entry = Timeline(dropped=last.seq, base=last.hash).append(at, **following.said())
            item, guards = _item(incident, epoch, entry), [used_up(self._table, used, incident, epoch)] if used else []
            if self._terms.put_under(incident, term or self._terms.current(incident), [item], *guards):
                break
            if used and self._table.get(keys(item["pk"]["S"], item["sk"]["S"])) is None:
                raise StrangeRequestError(f"what is said of {incident} was said before", Strange.UNPROVEN)
        self._sign(incident, epoch, entry)
        return entry

    def follow_once(self, call: FollowCall, used: Used | None = None) -> Entry:
        """Write one entry of the follow-up work behind the chain, like `follow`; a repeat finds it and writes none."""
        following = call.model_copy(update={"data": {**call.data, "follow_up": call.number}})
        epoch, _ = self._newest(call.incident)
        for entry in self._latest(chain_key(call.incident, epoch), _LOOK_BACK):
            if entry.said() == following.said():
                self._sign(call.incident, epoch, entry)
                return entry
        return self.follow(call.incident, following, call.at, call.term, used)

    def _sign(self, incident: str, epoch: int, entry: Entry) -> None:
        if self._checkpoints is not None:
            self._checkpoints.sign(incident, epoch, entry, self._table.now())

    def _is_signed(self, incident: str, epoch: int, entry: Entry) -> bool:
        return self._checkpoints is None or self._checkpoints.has(incident, epoch, entry.seq)

    def _newest(self, incident: str) -> tuple[int, Entry]:
        """The newest epoch that holds anything, and its last entry."""
        epochs = [item["sk"]["S"] for item in self._table.latest(f"chain#{incident}", 1)]
        epoch = int(epochs[0].removeprefix("epoch#")) if epochs and epochs[0].startswith("epoch#") else 1
        while epoch > 0:
            if last := self._latest(chain_key(incident, epoch), 1):
                return epoch, last[0]
            epoch -= 1
        raise RuleError(f"the ledger {self._table.name} has no record of {incident}")

    def _latest(self, key: str, most: int) -> list[Entry]:
        return [Entry.model_validate_json(item["content"]["S"]) for item in self._table.latest(key, most)]

    def _put_one_by_one(self, call: AppendCall, epoch: int, entries: list[Entry], used: Mapping[int, Used]) -> int:
        """Write what is missing, and return the epoch in which the last one stands."""
        for position, entry in enumerate(entries):
            item = _item(call.incident, epoch, entry)
            guards = self._used_up(used, call.incident, epoch, entry)
            if self._terms.put_under(call.incident, call.term, [item], *guards):
                continue
            standing = self._table.get(keys(item["pk"]["S"], item["sk"]["S"]))
            if standing is None:
                reason = f"what entry {entry.seq} of {call.incident} is signed with was used for another"
                raise StrangeRequestError(reason, Strange.UNPROVEN)
            if standing["content"] != item["content"]:
                following = self._fork(call.incident, epoch, entry)
                return self._put_one_by_one(call, following, entries[position:], used)
        return epoch

    def _used_up(self, used: Mapping[int, Used], incident: str, epoch: int, entry: Entry) -> list[dict[str, Any]]:
        return [used_up(self._table, used[entry.seq], incident, epoch)] if entry.seq in used else []

    def _fork(self, incident: str, epoch: int, first: Entry) -> int:
        """Begin the epoch in which `first` stands; one that was begun with another entry is passed over.

        Raises `SupersededError` once the incident has ended: its record is not told otherwise.
        """
        ended = self._table.get(end_key(incident)) is not None
        following = epoch + 1
        while True:
            at = keys(f"chain#{incident}", f"epoch#{following:04d}")
            item = {
                **at,
                "leaves": {"N": str(epoch)},
                "after": {"N": str(first.seq - 1)},
                "prev": text(first.prev),
                "first": text(first.hash),
            }
            standing = self._table.get(at) if ended else self._table.put(item)
            if ended and standing is None:
                raise SupersededError(f"{incident} has ended, with another entry {first.seq} than this one")
            if standing is None or standing["first"] == item["first"]:
                return following
            following += 1


def _item(incident: str, epoch: int, entry: Entry) -> Item:
    return {
        **keys(chain_key(incident, epoch), f"{entry.seq:06d}"),
        "hash": text(entry.hash),
        "content": text(entry.canonical()),
    }
