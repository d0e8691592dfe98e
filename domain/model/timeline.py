"""The record of an incident: entries, each chained by hash to the one before it."""

import hashlib
from datetime import datetime
from typing import Any, ClassVar, Protocol

import rfc8785
from pydantic import BaseModel

from domain.values.canonical import canonical_value

GENESIS = "0" * 64


class Unchained(BaseModel):
    """An entry before it has a place in a chain.

    `kind`, `v` and `data` are its event: the kind, the version of that kind's shape, the fields. `cause` is what it
    came of: the command with what was given, the deadline, or the answer from outside; where several entries came of
    one cause, the later ones name the first by its number.
    """

    actor: str
    kind: str
    text: str
    data: dict[str, Any] = {}
    v: int = 1
    cause: dict[str, Any] = {}

    def said(self) -> dict[str, Any]:
        """What it says, whenever it was written and wherever it stands."""
        return {name: getattr(self, name) for name in Unchained.model_fields}


class Entry(Unchained):
    """One thing that happened. `hash` is SHA-256 over the entry's canonical JSON (RFC 8785), which holds `prev`."""

    seq: int
    at: datetime
    prev: str
    hash: str = ""

    def computed_hash(self) -> str:
        return hashlib.sha256(rfc8785.dumps(self.model_dump(mode="json", exclude={"hash"}))).hexdigest()

    def is_whole(self) -> bool:
        """Tell whether the hash is that of the content."""
        try:
            return self.computed_hash() == self.hash
        except rfc8785.CanonicalizationError:
            return False  # no entry of ours holds what has no canonical form

    def canonical(self) -> str:
        """The whole entry, its hash included, as canonical JSON."""
        return rfc8785.dumps(self.model_dump(mode="json")).decode()


class Recorded(Protocol):
    """What goes on record: an event, of which an entry holds all but when it was and who did it."""

    V: ClassVar[int]

    @property
    def kind(self) -> str: ...

    def data(self) -> dict[str, Any]: ...

    def sentence(self, actor: str) -> str: ...


class Timeline(BaseModel):
    """A chain that only grows. `seq` starts at 1; the first entry's `prev` is 64 zeros.

    Of a long chain the oldest entries may be left out, once they are safe outside: `dropped` of them, the last
    of which had the hash `base`.
    """

    entries: list[Entry] = []
    dropped: int = 0
    base: str = GENESIS

    @property
    def length(self) -> int:
        return self.dropped + len(self.entries)

    @property
    def head(self) -> str:
        return self.entries[-1].hash if self.entries else self.base

    def record(self, at: datetime, actor: str, event: Recorded, cause: dict[str, Any]) -> Entry:
        """Append what happened."""
        return self.append(at, actor, event.kind, event.sentence(actor), event.data(), v=event.V, cause=cause)

    def append(
        self,
        at: datetime,
        actor: str,
        kind: str,
        text: str,
        data: dict[str, Any] | None = None,
        *,
        v: int = 1,
        cause: dict[str, Any] | None = None,
    ) -> Entry:
        entry = Entry(
            seq=self.length + 1,
            at=at,
            actor=actor,
            kind=kind,
            text=text,
            data=canonical_value(data or {}),
            v=v,
            cause=canonical_value(cause or {}),
            prev=self.head,
        )
        entry.hash = entry.computed_hash()
        self.entries.append(entry)
        return entry

    def after(self, seq: int, most: int) -> list[Entry]:
        """Up to `most` entries that come after number `seq`."""
        start = max(seq - self.dropped, 0)
        return self.entries[start : start + most]

    def drop(self, upto: int, keep: int) -> None:
        """Leave out the entries up to number `upto`, but never the latest `keep`."""
        count = min(upto - self.dropped, len(self.entries) - keep)
        if count > 0:
            self.base = self.entries[count - 1].hash
            self.dropped += count
            self.entries = self.entries[count:]

    def first_broken(self) -> int | None:
        """The number of the first entry that does not follow from the one before it; None when all do."""
        previous = self.base
        for position, entry in enumerate(self.entries, start=self.dropped + 1):
            if entry.seq != position or entry.prev != previous or not entry.is_whole():
                return position
            previous = entry.hash
        return None


_REASON = 2000


def shortened(text: str) -> str:
    """The beginning of a text, where it is too long to be repeated."""
    return text if len(text) <= _REASON else f"{text[: _REASON - 1]}…"


def bounded(actor: object) -> str:
    """An actor as an unreadable message names it: a short text, else `unknown`."""
    return actor[:100] if isinstance(actor, str) and actor else "unknown"
