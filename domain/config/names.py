"""Names in an organisation's files: each is given once, and each that is referred to is there.

The checks read plain values, as YAML and JSON have them, so that they say all that is wrong even with what no model
takes. The models refuse by the same checks: a declaration is as valid as a file.
"""

import difflib
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self

from pydantic import model_validator

from domain.values.frozen import Frozen

Keys = tuple[str | int, ...]
"""The keys and positions that lead to a value of a file."""


class Flaw(NamedTuple):
    """What is wrong with the value at these keys. What is wrong with an id that stands twice is its `twin`."""

    at: Keys
    message: str
    twin: Keys | None = None

    def said(self, place: Callable[[Keys], str]) -> str:
        """The message; `place` says where something stands."""
        return self.message if self.twin is None else f"{self.message} {place(self.twin)} already; give each its own"


def written(keys: Keys) -> str:
    """Write keys the way people do: `phases[0].steps[1].with`."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


class ConfigFile(Frozen):
    """One file that an organisation writes."""

    @staticmethod
    @abstractmethod
    def flaws(data: Mapping[str, Any]) -> Iterator[Flaw]:
        """What is wrong across the fields of its values, whatever else is wrong with them."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        flaws = self.flaws(self.model_dump(mode="json", by_alias=True))
        if said := [f"{written(flaw.at)}: {flaw.said(lambda twin: f'at {written(twin)}')}" for flaw in flaws]:
            raise ValueError("; ".join(said))
        return self


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is a mapping; an empty one where the model says that it should be."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value where it is a list; an empty one where the model says that it should be."""
    return value if isinstance(value, list) else []


def parts(data: Mapping[str, Any], key: str) -> list[tuple[Keys, dict[str, Any]]]:
    """The mappings of the list under a key, each with its keys."""
    return [((key, index), mapping(one)) for index, one in enumerate(items(data.get(key)))]


def ids(data: Mapping[str, Any], key: str) -> frozenset[str]:
    """The ids of the mappings of the list under a key."""
    return frozenset(str(one.get("id")) for _, one in parts(data, key))


def unknown(word: str, known: Iterable[str], what: str) -> str:
    """Say that a word is not known, with what was perhaps meant, and all there is."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    there = ", ".join(words)
    return f"unknown {what} {word!r}; {meant}known: {there}" if there else f"unknown {what} {word!r}; remove it"


def strange(at: Keys, named: Any, known: Collection[str], what: str) -> Iterator[Flaw]:
    """Each name that is not known, of what stands at `at`: one name, or a list of them."""
    placed = [((*at, index), one) for index, one in enumerate(named)] if isinstance(named, list) else [(at, named)]
    for keys, name in placed:
        if isinstance(name, str) and name not in known:
            yield Flaw(keys, unknown(name, known, what))


def doubled(named: Iterable[tuple[Keys, Mapping[str, Any]]]) -> Iterator[Flaw]:
    """Each id that stands before already."""
    seen: dict[str, Keys] = {}
    for at, part in named:
        name, keys = part.get("id"), (*at, "id")
        if isinstance(name, str) and name in seen:
            yield Flaw(keys, f"id {name!r} stands", seen[name])
        elif isinstance(name, str):
            seen[name] = keys
