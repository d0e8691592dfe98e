"""Whether one epoch of a record is whole: its entries, against its signed heads and against each other."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from pydantic import BaseModel

from domain.audit.storage_format import Item, Mark
from domain.model.timeline import GENESIS, Entry

_OfTheChain = Literal[
    "missing", "altered", "reordered", "cut", "unsigned", "signature", "epoch", "incident", "fork", "behind"
]
Kind = _OfTheChain | Literal["register", "unproven"]
_NUMBER = re.compile(r"[0-9]{6}")


class Flaw(BaseModel):
    """One thing that is not as it was written, and the number of the entry where it shows."""

    kind: Kind
    epoch: int
    seq: int
    text: str

    def __str__(self) -> str:
        """The flaw in one line, the number first where there is one."""
        if self.seq == 0:
            return self.text
        where = f"entry {self.seq}" if self.epoch == 1 else f"entry {self.seq} of epoch {self.epoch}"
        return f"{where}: {self.text}"


class Epoch(BaseModel):
    """One history of the incident: its entries follow number `after` of the epoch that it `leaves`."""

    epoch: int
    leaves: int | None = None
    after: int = 0
    last: int = 0
    head: str = ""
    signed: int = 0


class _Read(NamedTuple):
    """An item as far as it can be read. It is exact when its number, hash and bytes are those of its whole entry."""

    entry: Entry | None
    whole: bool
    exact: bool


class Line:
    """The entries of one epoch, and what its signed heads say of them."""

    def __init__(self, epoch: int, items: list[Item], mark: Mark | None, signed: dict[int, str]) -> None:
        self.epoch = epoch
        self.mark = mark
        self._signed = signed
        self._items = {int(item.number): _read(item) for item in items if _NUMBER.fullmatch(item.number)}
        self._strays = [item.number for item in items if not _NUMBER.fullmatch(item.number)]
        first = min([*self._items, *signed], default=1) if epoch != 1 else 1
        self.start = first - 1 if mark is None else mark.after
        self.last = max(self._items, default=self.start)
        self.reach = max([self.last, *signed])
        self.before: str | None = None
        self._proven = self._prove()

    @property
    def is_written(self) -> bool:
        return bool(self._items or self._signed)

    def _prove(self) -> dict[int, str]:
        """From each signed head backwards: the hash that each entry must have."""
        proven: dict[int, str] = {}
        want = None
        for seq in range(self.reach, self.start, -1):
            want = self._signed.get(seq, want)
            if want is not None:
                proven[seq] = want
            read = self._items.get(seq)
            want = read.entry.prev if read and read.entry and read.whole and read.entry.hash == want else None
        self.before = want
        return proven

    def hashes(self) -> dict[int, str]:
        """The hash of each entry: the proven one, else what stands there."""
        standing = {seq: read.entry.hash for seq, read in self._items.items() if read.entry}
        return {**standing, **self._proven}

    def flaws(self) -> Iterator[Flaw]:
        """Name every entry that is not as it was written; of a row of missing ones the first."""
        for number in self._strays:
            yield self._flaw("altered", 0, f"{number!r} is no entry's number")
        for seq in sorted(self._items):
            if seq <= self.start:
                yield self._flaw("altered", seq, "it stands before the epoch begins")
        before: str | None = GENESIS if self.epoch == 1 else None
        if self.mark is not None:
            before = self.mark.prev
        gone = False
        for seq in range(self.start + 1, self.reach + 1):
            read = self._items.get(seq)
            found = self._missing(seq) if read is None else self._fault(seq, read, before)
            if found is not None and not (read is None and gone):
                yield found
            gone = read is None
            sound = read is not None and found is None and read.entry is not None
            before = read.entry.hash if sound and read and read.entry else self._proven.get(seq)

    def _missing(self, seq: int) -> Flaw:
        if seq > self.last:
            return self._flaw(
                "cut", seq, f"it and all up to {self.reach} are cut off: a signed head says they were there"
            )
        return self._flaw("missing", seq, "it is missing")

    def _fault(self, seq: int, read: _Read, before: str | None) -> Flaw | None:
        want = self._proven.get(seq)
        if read.entry is None:
            return self._flaw("altered", seq, "it was altered: it cannot be read")
        if read.whole and read.entry.seq != seq:
            return self._flaw("reordered", seq, f"entry {read.entry.seq} stands in its place")
        if not read.exact or read.entry.seq != seq:
            return self._flaw("altered", seq, "it was altered: its hash is not that of its content")
        if want is not None and read.entry.hash != want:
            return self._flaw("altered", seq, "it was rewritten: what is signed has another hash for it")
        if before is not None and read.entry.prev != before:
            return self._flaw("altered", seq, "it was rewritten: it does not follow from the entry before it")
        return None

    def _flaw(self, kind: Kind, seq: int, text: str) -> Flaw:
        return Flaw(kind=kind, epoch=self.epoch, seq=seq, text=text)

    def told(self) -> Epoch:
        leaves = None if self.mark is None else self.mark.leaves
        return Epoch(
            epoch=self.epoch,
            leaves=leaves,
            after=self.start,
            last=self.last,
            head=self.hashes().get(self.last, ""),
            signed=max(self._signed, default=0),
        )


def _read(item: Item) -> _Read:
    try:
        entry = Entry.model_validate_json(item.content)
        whole = entry.is_whole()
        return _Read(entry, whole, whole and entry.hash == item.hash and entry.canonical() == item.content)
    except ValueError:  # no JSON, no entry, or none that has a canonical form
        return _Read(None, whole=False, exact=False)
