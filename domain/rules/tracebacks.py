"""The lines of what Python writes when it dies (Python's library reference, "traceback"), told from other lines.

Only its first line is one by itself. The others look like what other programs write of errors of their own: they
count where a traceback has begun in the same stream.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

LEVEL = "Traceback"
"""The level that a first line has."""
FIRST = r"^(?<level>[\s+|]*(?:Exception Group )?Traceback) \(most recent call last\):"
WITHIN = (
    r"^(?<known> |During|The)(?: *(?:File .+, line \d|\[Previous line repeated |[|+])|   \s*\S"
    r"| handling of the above exception, another exception occurred:"
    r"| above exception was the direct cause of the following exception:)"
)
"""Places in the code and the code there, what belongs to an exception group, and what joins two tracebacks.

`known` is what it begins with, by which lines are counted together.
"""
LAST = (
    r"^(?:\w*(?:Error|Exception|Group|Exit|Interrupt|Iteration|Timeout|Warning)"
    r"|[A-Za-z_]\w*(?:\.[\w<>]+)+)(?::|$)"
)
"""The exception's class, and its text."""


def begins(level: str) -> "Part":
    """Which first line it is, by what FIRST found."""
    return Part.FIRST if level == LEVEL else Part.MEMBER


class Part(StrEnum):
    """Which part of a traceback a line is."""

    FIRST = "first"
    MEMBER = "first of a member"
    """As FIRST, of an exception group or one in it: what ends it is indented too, and so is WITHIN."""
    WITHIN = "within"
    LAST = "last"


def orphans(seen: Iterable[tuple[Part | None, str, int]]) -> list[int]:
    """How many lines of each kind belong to no traceback; a kind is its part, its stream, and how many lines it has.

    In whatever order: a stream without a first line has no others, and no more last lines than first ones; those of a
    group do not count for these.
    """
    kinds = list(seen)
    begun, open_ = Counter[str](), Counter[str]()
    for part, stream, lines in kinds:
        begun[stream] += lines if part in {Part.FIRST, Part.MEMBER} else 0
        open_[stream] += lines if part is Part.FIRST else 0
    found = []
    for part, stream, lines in kinds:
        lost = 0
        if part is Part.WITHIN:
            lost = 0 if begun[stream] else lines
        elif part is Part.LAST:
            lost = max(0, lines - open_[stream])
            open_[stream] -= lines - lost
        found.append(lost)
    return found
