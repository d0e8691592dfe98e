"""What a report is made of, whatever it is rendered as."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from activities.report.drawing import Drawing


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
    """A JSON value as somebody reads it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
