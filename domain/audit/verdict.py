"""Whether the stored record of an incident is whole, from the stored copy alone.

A signed head proves its entry; an entry that is proven proves the one before it, whose hash it holds. So every entry
up to the newest signed head is either exactly what was written, or it is named.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal

from pydantic import BaseModel, ValidationError

from domain.audit.epochs import Epoch, Flaw, Line
from domain.audit.storage_format import ALGORITHM, Mark, Seal, StoredCopy, seal_place
from domain.model.timeline import GENESIS, Entry
from domain.rules.evolve import fold

Vouches = Callable[[str, bytes, str], bool]
"""Tells whether the key of this ARN, if it is one to trust, signed these bytes; the signature is in base64."""

Answer = Literal["proven", "consistent", "broken"]
"""What a check comes to: proven by a key that whoever checks has brought, consistent only with itself, or broken."""

OF_NO_ENTRY = frozenset({"unsigned", "fork"})
"""Flaws of a record every entry of which stands as it was written."""

_PLACE = re.compile(r"ledger/[^/]+/(\d{4})/(\d{6})\.json")


class Verdict(BaseModel):
    """What the stored copy is worth. `entries`, `head` and `signed` are those of the newest epoch and what it follows.

    `flaws` are in order of the entries' numbers, forks behind them all.
    """

    incident: str
    entries: int
    head: str
    signed: int
    epochs: list[Epoch]
    flaws: list[Flaw]

    @property
    def intact(self) -> bool:
        return not self.flaws

    def answer(self, *, brought: bool) -> Answer:
        """`brought` says whether the keys are the checker's own: those that come with a record prove nothing of it."""
        if self.flaws:
            return "broken"
        return "proven" if brought else "consistent"


Signed = dict[int, dict[int, str]]
"""By epoch and number of the entry: the hash that a valid seal says it has."""


def audit(copy: StoredCopy, vouches: Vouches) -> Verdict:
    """Recompute the whole record and name everything that is not as it was written."""
    signed: Signed = {}
    flaws = list(_take_seals(copy, vouches, signed))
    marks = dict(_take_marks(copy, flaws))
    lines: dict[int, dict[int, str]] = {}
    epochs = []
    for number in sorted({1, *copy.items, *marks, *signed}):
        line = Line(number, copy.items.get(number, []), marks.get(number), signed.get(number, {}))
        if number != 1 and line.mark is None:
            flaws.append(Flaw(kind="epoch", epoch=number, seq=line.start + 1, text="nothing says where it begins"))
        flaws += line.flaws()
        flaws += _misplaced(line, marks, lines)
        if line.mark is not None and line.is_written:
            text = f"another history begins here, beside that of epoch {line.mark.leaves}"
            flaws.append(Flaw(kind="fork", epoch=number, seq=line.start + 1, text=text))
        lines[number] = line.hashes()
        epochs.append(line.told())
    current = next((epoch for epoch in reversed(epochs) if epoch.last > epoch.after or epoch.signed), epochs[0])
    if current.signed < current.last:
        text = f"the entries from here to {current.last} are not signed: nothing proves them"
        flaws.append(Flaw(kind="unsigned", epoch=current.epoch, seq=max(current.signed, current.after) + 1, text=text))
    return Verdict(
        incident=copy.incident,
        entries=current.last,
        head=current.head,
        signed=current.signed,
        epochs=epochs,
        flaws=sorted(flaws, key=lambda flaw: (flaw.kind == "fork", flaw.seq, flaw.epoch)),
    )


def check(copy: StoredCopy, vouches: Vouches) -> Verdict:
    """Like `audit`, and whether the entries make an incident: that each can follow what came before."""
    verdict = audit(copy, vouches)
    if all(flaw.kind in OF_NO_ENTRY for flaw in verdict.flaws):
        try:
            fold(account(copy))
        except ValueError as error:
            verdict.flaws.append(Flaw(kind="incident", epoch=1, seq=0, text=f"the entries make no incident: {error}"))
    return verdict


def beside(verdict: Verdict, copy: StoredCopy, length: int, head: str) -> Flaw | None:
    """What does not go with the `length` entries that Temporal has, the last of which has the hash `head`.

    The record may go further than Temporal, never less far.
    """
    if length > verdict.entries:
        text = f"the record ends before it, and Temporal has the incident up to entry {length}"
        return Flaw(kind="behind", epoch=verdict.epochs[-1].epoch, seq=verdict.entries + 1, text=text)
    newest_first = (item for items in reversed(copy.items.values()) for item in items)
    at = next((item.hash for item in newest_first if item.number == f"{length:06d}"), None)
    if length and at != head:
        return Flaw(kind="behind", epoch=verdict.epochs[-1].epoch, seq=length, text="Temporal has another entry here")
    return None


def _take_seals(copy: StoredCopy, vouches: Vouches, signed: Signed) -> Iterator[Flaw]:
    """Take what valid seals say, and tell of those that are none."""
    for kept in copy.seals:
        place = _PLACE.fullmatch(kept.place)
        epoch, seq = (int(place[1]), int(place[2])) if place else (1, 0)
        try:
            seal = Seal.model_validate_json(kept.text, strict=True)
        except ValidationError:
            yield Flaw(kind="signature", epoch=epoch, seq=seq, text=f"{kept.place} is no signed head")
            continue
        body = seal.body
        placed = kept.place == seal_place(copy.incident, body.epoch, body.seq) and body.incident == copy.incident
        exact = seal.text() == kept.text and seal.algorithm == ALGORITHM
        if not (placed and exact and vouches(seal.key, body.message(), seal.signature)):
            yield Flaw(kind="signature", epoch=epoch, seq=seq, text=f"the signature of {kept.place} is not valid")
        elif signed.setdefault(epoch, {}).setdefault(seq, body.head) != body.head:
            yield Flaw(kind="signature", epoch=epoch, seq=seq, text="two signed heads contradict each other")


def _take_marks(copy: StoredCopy, flaws: list[Flaw]) -> Iterator[tuple[int, Mark]]:
    for epoch, fields in copy.marks.items():
        try:
            mark = Mark.model_validate(fields)
        except ValidationError:
            mark = None
        if mark is not None and {name: str(value) for name, value in mark} == fields:
            yield epoch, mark
        else:
            flaws.append(Flaw(kind="epoch", epoch=epoch, seq=0, text="where it begins cannot be read"))


def _misplaced(line: Line, marks: dict[int, Mark], lines: dict[int, dict[int, str]]) -> Iterator[Flaw]:
    """Tell when an epoch does not begin as its mark says, or does not follow from the one that it leaves."""
    mark = line.mark
    if mark is None:
        return
    seq = mark.after + 1
    hashes = line.hashes()
    if line.is_written and (hashes.get(seq, mark.first) != mark.first or line.before not in {None, mark.prev}):
        yield Flaw(kind="epoch", epoch=line.epoch, seq=seq, text="the epoch does not begin as its mark says")
    left = lines.get(mark.leaves, {})
    if seq not in left or _hash_at(mark.leaves, mark.after, marks, lines) not in {None, mark.prev}:
        text = f"the epoch does not follow from entry {mark.after} of epoch {mark.leaves}"
        yield Flaw(kind="epoch", epoch=line.epoch, seq=seq, text=text)


def _hash_at(epoch: int, seq: int, marks: dict[int, Mark], lines: dict[int, dict[int, str]]) -> str | None:
    """The hash of an entry of an epoch, or of one that the epoch follows; None where nothing tells it."""
    while (mark := marks.get(epoch)) is not None and seq <= mark.after and mark.leaves < epoch:
        epoch = mark.leaves
    return GENESIS if seq == 0 else lines.get(epoch, {}).get(seq)


def account(copy: StoredCopy) -> list[Entry]:
    """The entries that the newest epoch tells with those that it follows, oldest first, as they stand there.

    Raises `ValueError` for one that cannot be read. It checks nothing else: that is `audit`.
    """
    marks = dict(_take_marks(copy, []))
    epoch = max((epoch for epoch, items in copy.items.items() if items), default=1)
    told: list[Entry] = []
    upto: int | None = None
    while True:
        own = [item for item in copy.items.get(epoch, []) if upto is None or int(item.number) <= upto]
        told = [Entry.model_validate_json(item.content) for item in own] + told
        mark = marks.get(epoch)
        if mark is None or mark.leaves >= epoch:
            return told
        upto = mark.after if upto is None else min(upto, mark.after)
        epoch = mark.leaves
