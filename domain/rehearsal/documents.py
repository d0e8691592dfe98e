"""What an incident is declared by, as documents, and in what two sets of them differ, value by value.

Values of lists whose elements have ids are told apart by these, not by position; a step by its own, whatever its phase.
"""

from collections.abc import Collection
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import BaseModel

from domain.config.environment import Environment
from domain.config.obligation import Obligations
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.model.declaration import Declaration
from domain.values.business_days import BusinessCalendar

Path = tuple[str | int, ...]
ORDER = "#order"
PHASE = "#phase"
"""Parts of a path that are no keys of a file: in which order elements stand, and in which phase a step does."""


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()
"""The value of what is not there."""


class Leaf(NamedTuple):
    """One value that differs; the first part of its path names the document."""

    path: Path
    was: Any
    would_be: Any


class Documents(BaseModel):
    """The files that stand behind a declaration, as models."""

    organisation: Organisation
    environment: Environment
    runbook: Runbook
    related: dict[str, Runbook] = {}
    obligations: Obligations = Obligations()
    calendar: BusinessCalendar = BusinessCalendar()

    @classmethod
    def of(cls, declaration: Declaration) -> "Documents":
        return cls.model_construct(**{name: getattr(declaration, name) for name in cls.model_fields})

    def declared(self, declaration: Declaration) -> Declaration:
        """The declaration as it would have been made from these documents."""
        if self == Documents.of(declaration):
            return declaration
        own = {name: getattr(self, name) for name in Documents.model_fields}
        return declaration.model_copy(update={**own, "runbook_digest": self.runbook.digest()})


class Change:
    """From one set of documents to another. `leaves` are all values that differ, in the order of the documents."""

    def __init__(self, was: Documents, would_be: Documents) -> None:
        self._was = was
        self._tree, self._target = _tree(was), _tree(would_be)

    @cached_property
    def leaves(self) -> list[Leaf]:
        return _leaves((), self._tree, self._target)

    def made(self, leaves: Collection[Leaf]) -> Documents:
        """The earlier documents with these differences alone.

        Raises `ValidationError` where they do not go together.
        """
        tree = _copied(self._tree)
        for leaf in leaves:
            _put(tree, self._target, leaf)
        altered, plain = {leaf.path[0] for leaf in leaves}, _plain(tree)
        return Documents.model_validate(
            {name: plain[name] if name in altered else one for name, one in dict(self._was).items()}
        )


def _tree(documents: Documents) -> dict[str, Any]:
    """The documents with elements under their ids, and the steps of a runbook beside its phases."""
    content = documents.model_dump(mode="json", by_alias=True)
    for book in (content["runbook"], *content["related"].values()):
        book["steps"] = [{**step, PHASE: one["id"]} for one in book["phases"] for step in one.pop("steps")]
    found: dict[str, Any] = _keyed(content)
    return found


def _keyed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _keyed(inner) for name, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(one, dict) and "id" in one for one in value):
        return {**{one["id"]: _keyed(one) for one in value}, ORDER: [one["id"] for one in value]}
    return [_keyed(inner) for inner in value] if isinstance(value, list) else value


def _plain(tree: dict[str, Any]) -> Any:
    content = _unkeyed(tree)
    for book in (content["runbook"], *content["related"].values()):
        steps = book.pop("steps") or []
        for phase in book["phases"]:
            phase["steps"] = [
                {name: value for name, value in step.items() if name != PHASE}
                for step in steps
                if step[PHASE] == phase["id"]
            ]
    return content


def _unkeyed(value: Any) -> Any:
    if isinstance(value, dict) and ORDER in value:
        return [_unkeyed(value[name]) for name in value[ORDER] if name in value]
    if isinstance(value, dict):
        return {name: _unkeyed(inner) for name, inner in value.items()}
    return [_unkeyed(inner) for inner in value] if isinstance(value, list) else value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _leaves(path: Path, was: Any, would_be: Any) -> list[Leaf]:
    if was == would_be:
        return []
    if isinstance(was, dict) and isinstance(would_be, dict) and (ORDER in was) == (ORDER in would_be):
        names = [name for name in dict.fromkeys((*was, *would_be)) if name != ORDER]
        found = [
            leaf
            for name in names
            for leaf in _leaves((*path, name), was.get(name, NOTHING), would_be.get(name, NOTHING))
        ]
        before, after = was.get(ORDER, []), would_be.get(ORDER, [])
        if [name for name in before if name in after] != [name for name in after if name in before]:
            found.append(Leaf((*path, ORDER), before, after))
        return found
    if isinstance(was, list) and isinstance(would_be, list) and _alike(was, would_be):
        return [leaf for at, both in enumerate(zip(was, would_be, strict=True)) for leaf in _leaves((*path, at), *both)]
    return [Leaf(path, was, would_be)]


def _alike(was: list[Any], would_be: list[Any]) -> bool:
    """Whether two lists hold as many mappings, so that one can be set against the other by position."""
    return len(was) == len(would_be) and all(isinstance(one, dict) for one in (*was, *would_be))


def _put(tree: Any, target: Any, leaf: Leaf) -> None:
    """Set one value; an element that comes takes the place that it has in the target."""
    *way, last = leaf.path
    for key in way:
        tree, target = tree[key], target[key]
    if leaf.would_be is NOTHING:
        del tree[last]
        return
    tree[last] = _copied(leaf.would_be)
    if last == ORDER:
        tree[ORDER] += [name for name in tree if name not in (ORDER, *leaf.would_be)]
    elif isinstance(tree, dict) and ORDER in tree and last not in tree[ORDER]:
        before = target[ORDER][: target[ORDER].index(last)]
        known = [tree[ORDER].index(name) for name in before if name in tree[ORDER]]
        tree[ORDER].insert(max(known, default=-1) + 1, last)
