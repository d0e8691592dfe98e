"""The bare workflow's shape, frozen: what one outage asked for when the incident was first measured whole.

`bare_shape.json` was read by `shape_of` from a played outage of commit ed2512f, the one of nine with the median number
of events: 255 with its change, in 29 wake-ups, 258 kB. It is frozen so that an incident which asks the server for less
than it did then is seen to have won. An op is `[kind, queue, sends, answers]`.
"""

import json
from pathlib import Path
from typing import Any

from benchmarks.bare import Op, Shape

_FILE = Path(__file__).with_name("bare_shape.json")


def outage_shape() -> Shape:
    return _shape(json.loads(_FILE.read_text()))


def _shape(read: dict[str, Any]) -> Shape:
    return Shape(
        segments=[[Op(*op) for op in ops] for ops in read["segments"]],
        ordered=read["ordered"],
        size=read["size"],
        result=read["result"],
        child=_shape(read["child"]) if "child" in read else None,
    )
