"""What a report is made of, whatever it is rendered as."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from reporting.picture.drawing import Drawing


class Heading(NamedTuple):
    level: int
    text: str


class Items(NamedTuple):
    items: list[str]


class Table(NamedTuple):
    """Rows under columns; `marks` says of a row that it is `good`, `bad` or neither, by its number."""

    columns: list[str]
    rows: list[list[str]]
    marks: Mapping[int, str] = MappingProxyType({})


class Figure(NamedTuple):
    """A picture with the sentence that stands under it."""

    drawing: Drawing
    caption: str


Block = Heading | Items | Table | Figure | str


def plain(value: Any) -> str:
    """A JSON value as somebody reads it: without quotes and braces, yes and no for true and false, none for null."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, dict):
        return (
            ", ".join(name if inner == {} else f"{name}: {_inner(inner)}" for name, inner in value.items()) or "empty"
        )
    if isinstance(value, list | tuple):
        return "; ".join(_inner(inner) for inner in value) or "empty"
    return json.dumps(value)


def _inner(value: Any) -> str:
    """A value inside another, in brackets where it has parts of its own."""
    return f"({plain(value)})" if isinstance(value, dict) and value else plain(value)
