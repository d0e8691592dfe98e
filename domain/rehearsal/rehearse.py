"""Stored incidents run again by the rules of today, under the documents of today, and why they would go otherwise."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from domain.config.approval import ApprovalClass
from domain.rehearsal.documents import Change, Documents, Leaf
from domain.rehearsal.outcome import Difference, differences, told
from domain.rehearsal.record import Record
from domain.rehearsal.replay import Replay
from domain.values.timestamps import stamp

RULES = "the rules of this release"


class Explained(NamedTuple):
    """A difference and the values that make it; without any it is the rules of this release."""

    difference: Difference
    leaves: tuple[Leaf, ...]
    doubt: str | None = None


class Rehearser:
    """Rehearses one incident after the other. `classes` says of each action which class its plans usually have."""

    def __init__(self, classes: Mapping[str, ApprovalClass]) -> None:
        self._classes = classes
        self._known: list[tuple[Leaf, ...]] = []

    def rehearse(self, record: Record, today: Documents) -> list[Explained]:
        """What would be otherwise, each thing with its cause; nothing where all is as it was."""
        was = Documents.of(record.declaration)
        one = _Rehearsal(record, was, self._classes)
        found = one.under(today)
        if not found:
            return []
        if was == today:
            return [Explained(each, (), _doubt(record, each)) for each in found]
        change = Change(was, today)
        of_the_rules = one.by(change, ())
        explained = {each: Explained(each, (), _doubt(record, each)) for each in found if each in of_the_rules}
        for causes in self._causes(one, change, [each for each in found if each not in explained]):
            made = one.by(change, causes)
            explained |= {each: Explained(each, causes) for each in found if each in made and each not in explained}
        whole = tuple(change.leaves)  # where they make a difference only all together
        return [explained.get(each) or Explained(each, whole) for each in found]

    def _causes(self, one: "_Rehearsal", change: Change, left: list[Difference]) -> Iterator[tuple[Leaf, ...]]:
        """What makes these differences: first what made some in earlier incidents, then what is found for each left."""
        own = {repr(leaf) for leaf in change.leaves}
        for causes in self._known:
            if left and {repr(leaf) for leaf in causes} <= own:
                yield causes
                left = [each for each in left if each not in one.by(change, causes)]
        while left:
            causes = one.cause(change, left[0])
            yield causes
            if left[0] in one.by(change, causes):
                self._known.append(causes)
            left = [each for each in left[1:] if each not in one.by(change, causes)]


def _doubt(record: Record, difference: Difference) -> str | None:
    """Why a difference that the rules make may be none: the record says nothing from when until when."""
    for due, at in record.doubtful:
        if difference.would_be is not None and stamp(due) in difference.would_be:
            return f"unless no worker ran: the record says nothing from {stamp(due)} to {stamp(at)}"
    return None


class _Rehearsal:
    """One record under many sets of documents; what each comes to is kept."""

    def __init__(self, record: Record, was: Documents, classes: Mapping[str, ApprovalClass]) -> None:
        self._record = record
        self._was = was
        self._classes = classes
        self._told = told(record.entries, record.state)
        self._found: dict[str, list[Difference]] = {}

    def under(self, documents: Documents) -> list[Difference]:
        """What would be otherwise under these documents."""
        played = Replay(self._record, documents.declared(self._record.declaration), self._classes).run().live
        return differences(self._told, told(played.timeline.entries, played.state))

    def by(self, change: Change, leaves: Sequence[Leaf]) -> list[Difference]:
        """What would be otherwise with these changes alone; nothing where they do not go together."""
        key = repr([leaf.path for leaf in leaves])
        if key not in self._found:
            try:
                self._found[key] = self.under(change.made(leaves) if leaves else self._was)
            except ValidationError:
                self._found[key] = []
        return self._found[key]

    def cause(self, change: Change, difference: Difference) -> tuple[Leaf, ...]:
        """The fewest changes that make a difference, found by halves (QuickXplain)."""
        return tuple(self._fewest(change, difference, [], change.leaves, fresh=False))

    def _fewest(
        self, change: Change, difference: Difference, given: list[Leaf], among: list[Leaf], *, fresh: bool
    ) -> list[Leaf]:
        if fresh and difference in self.by(change, given):
            return []
        if len(among) <= 1:
            return among
        first, second = among[: len(among) // 2], among[len(among) // 2 :]
        late = self._fewest(change, difference, [*given, *first], second, fresh=bool(first))
        early = self._fewest(change, difference, [*given, *late], first, fresh=bool(late))
        return [leaf for leaf in among if leaf in early or leaf in late]
