"""How the shapes that events had in earlier releases are read as today's.

An event's class says its version, `V`. When its shape changes, `V` goes up by one and the step from the version before
gets a row here; entries on record stay as they were written. Nothing else in the program knows of earlier shapes.
"""

from collections.abc import Callable
from typing import Any

Data = dict[str, Any]

STEPS: dict[tuple[str, int], Callable[[Data], Data]] = {}
"""By kind and version: from that version's fields to those of the next."""


def upcast(kind: str, version: int, data: Data) -> Data:
    """The fields as today's version of the kind has them."""
    while (step := STEPS.get((kind, version))) is not None:
        data, version = step(data), version + 1
    return data
