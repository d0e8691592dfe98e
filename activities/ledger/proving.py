"""What goes on record only with the proof of whoever did it: what ends, lowers, gives away or decides something."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from pydantic import ValidationError

from activities.house import House
from activities.ledger.nonces import Used, stands_used
from activities.ledger.seen import SeenClaims
from activities.ledger.table import Table, keys
from activities.proofs import claim_on_record, claimed
from activities.stand_ins import provable
from activities.strange_requests import Strange, StrangeRequestError
from authority.claims import Claim
from authority.proofs import UnprovenError
from domain.audit.storage_format import chain_key
from domain.config.delegation import Delegation
from domain.model.declaration import Declaration
from domain.model.event_kinds import COUNTED, event_of
from domain.model.proofs import ClaimAsked
from domain.model.timeline import Entry
from domain.rules import people_then
from domain.rules.proven_entries import UnsaidError, claims


class Looker:
    """Looks at entries in their order, behind the one that stands `before` them on record, in an epoch."""

    def __init__(self, house: House, table: Table, declaration: Declaration, epoch: int, before: Entry | None) -> None:
        self._house, self._table, self._epoch = house, table, epoch
        self._declaration = provable(house, declaration)
        self._before = before
        self._here = dict[str, tuple[Claim, datetime]]()
        self._behind = list[Entry]()
        self._on_record: list[Entry] | None = None
        self._first = 1

    def used(self, entries: Sequence[Entry], since: datetime) -> dict[int, Used]:
        """By entry the claim that it uses up: whoever did it has proven it, by this worker's own register.

        A proof counts as of its entry's time, or of `since` (UTC) where that is later: the time of what stands before
        it. So nothing that is signed by a key that was revoked in between goes on record. What came of one command
        uses its claim up together, and stands together. Raises `StrangeRequestError`.
        """
        used: dict[int, Used] = {}
        self._first = entries[0].seq
        for entry in entries:
            since = max(since, entry.at)
            with self._told(entry):
                found = self._claims(entry, since)
                if entry.kind in COUNTED:
                    self._refuse_other_words(entry)
                if found:
                    used |= self._used(entry, found, since)
            self._before = entry
            if entry.kind in people_then.KINDS:
                self._behind.append(entry)
        return used

    def _claims(self, entry: Entry, since: datetime) -> list[ClaimAsked]:
        """What has to be proven; what the record says of stand-ins is read where somebody acts in a role not theirs.

        Where the declaration has some, it is read first: it may say that their time was ended.
        """
        if self._on_record is None and self._declaration.delegations and entry.kind in COUNTED:
            self._on_record = list(self._recorded())
        try:
            return claims(self._declaration, entry, self._delegated(), since)
        except UnsaidError:
            if self._on_record is not None:
                raise
            self._on_record = list(self._recorded())
            return claims(self._declaration, entry, self._delegated(), since)

    def _delegated(self) -> list[Delegation]:
        return people_then.told_by(self._declaration, [*(self._on_record or ()), *self._behind])

    def _recorded(self) -> Iterator[Entry]:
        """The entries about delegations that stand on record before these (`dynamodb:Query`), oldest first.

        What stands behind where an epoch was left, or is left by these, is of another life.
        """
        incident, epoch, before = self._declaration.incident_id, self._epoch, self._first
        found = list[Entry]()
        while epoch:
            items = self._table.items(chain_key(incident, epoch))
            known = [Entry.model_validate_json(item["content"]["S"]) for item in items]
            found += [one for one in known if one.kind in people_then.KINDS and one.seq < before]
            mark = self._table.get(keys(f"chain#{incident}", f"epoch#{epoch:04d}"))
            epoch, before = (
                (0, 0) if mark is None else (int(mark["leaves"]["N"]), min(before, int(mark["after"]["N"]) + 1))
            )
        yield from sorted(found, key=lambda one: one.seq)

    def _used(self, entry: Entry, found: Sequence[ClaimAsked], since: datetime) -> dict[int, Used]:
        first, _ = self._command(entry), found[0]
        claim = claim_on_record(self._house, found[0], since, SeenClaims(self._table).find)
        for other in found[1:]:
            self._refuse_new(other)
        is_here = claim.nonce in self._here  # another entry of the same command, which has used it up
        self._here[claim.nonce] = claim, entry.at
        return {} if is_here else {entry.seq: Used(claim, first, entry.at)}

    def _command(self, entry: Entry) -> int:
        """The number of the first entry that came of the same command: nothing else stands between them."""
        first, before = entry.cause.get("entry", entry.seq), self._before
        if first != entry.seq and (before is None or first not in {before.seq, before.cause.get("entry")}):
            raise UnsaidError(f"entry {entry.seq} names an entry as of the same command that it does not follow")
        return int(first)

    def _refuse_new(self, asked: ClaimAsked) -> None:
        """A signature that an entry holds of somebody else came with an entry before it, as it stands there."""
        claim = claimed(self._house, asked)
        here = self._here.get(claim.nonce)
        known = here == (claim, asked.said_at) if here else stands_used(self._table, claim, self._epoch, asked.said_at)
        if not known:
            raise UnprovenError(f"it holds a signature of {asked.by} that no entry before it came of")

    def _refuse_other_words(self, entry: Entry) -> None:
        """People read the sentence: it is what the event says."""
        event = event_of(entry)
        if event is None or (entry.v, entry.text) != (event.V, event.sentence(entry.actor)):
            raise UnsaidError(f"entry {entry.seq} says something else than its event")

    @contextmanager
    def _told(self, entry: Entry) -> Iterator[None]:
        incident = self._declaration.incident_id
        try:
            yield
        except UnprovenError as error:
            reason = f"entry {entry.seq} of {incident} ({entry.kind}, {entry.actor}) is not proven: {error}"
            raise StrangeRequestError(reason, Strange.UNPROVEN) from error
        except UnsaidError as error:
            raise StrangeRequestError(f"{incident}: {error}", Strange.UNPROVEN) from error
        except ValidationError as error:
            reason = f"entry {entry.seq} of {incident} ({entry.kind}) cannot be read"
            raise StrangeRequestError(reason, Strange.FORGED) from error
