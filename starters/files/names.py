"""Names in a file: each is given once, and each that is referred to is there."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from starters.files.model_problems import unknown
from starters.files.problems import Keys, Problem
from starters.files.yaml_lines import Document


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


def strange(document: Document, at: Keys, named: Any, known: Collection[str], what: str) -> Iterator[Problem]:
    """Each name that is not known, of what stands at `at`: one name, or a list of them."""
    placed = [((*at, index), one) for index, one in enumerate(named)] if isinstance(named, list) else [(at, named)]
    for keys, name in placed:
        if isinstance(name, str) and name not in known:
            yield document.problem(keys, unknown(name, known, what))


def doubled(document: Document, named: Iterable[tuple[Keys, Mapping[str, Any]]]) -> Iterator[Problem]:
    """Each id that stands on an earlier line already."""
    seen: dict[str, int] = {}
    for at, part in named:
        name, keys = part.get("id"), (*at, "id")
        if isinstance(name, str) and name in seen:
            yield document.problem(keys, f"id {name!r} stands on line {seen[name]} already; give each its own")
        elif isinstance(name, str):
            seen[name] = document.line(keys)
