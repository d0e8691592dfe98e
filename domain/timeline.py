"""The record of an incident: entries, each chained by hash to the one before it."""

import hashlib
import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel

GENESIS = "0" * 64


class Entry(BaseModel):
    """One thing that happened. `hash` is SHA-256 over the entry's canonical JSON, which holds `prev`."""

    seq: int
    at: datetime
    actor: str
    kind: str
    text: str
    data: dict[str, Any] = {}
    prev: str
    hash: str = ""

    def computed_hash(self) -> str:
        content = self.model_dump(mode="json", exclude={"hash"})
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


class Timeline(BaseModel):
    """A chain that only grows. `seq` starts at 1; the first entry's `prev` is 64 zeros."""

    entries: list[Entry] = []

    @property
    def head(self) -> str:
        return self.entries[-1].hash if self.entries else GENESIS

    def append(self, at: datetime, actor: str, kind: str, text: str, data: dict[str, Any] | None = None) -> Entry:
        entry = Entry(
            seq=len(self.entries) + 1, at=at, actor=actor, kind=kind, text=text, data=data or {}, prev=self.head
        )
        entry = entry.model_copy(update={"hash": entry.computed_hash()})
        self.entries.append(entry)
        return entry

    def first_broken(self) -> int | None:
        """The number of the first entry that does not follow from the one before it; None when all do."""
        previous = GENESIS
        for position, entry in enumerate(self.entries, start=1):
            if entry.seq != position or entry.prev != previous or entry.computed_hash() != entry.hash:
                return position
            previous = entry.hash
        return None


def bounded(actor: object) -> str:
    """An actor as an unreadable message names it: a short text, else `unknown`."""
    return actor[:100] if isinstance(actor, str) and actor else "unknown"
