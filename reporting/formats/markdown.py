"""A report as markdown."""

import re
from collections.abc import Iterable

from reporting.content.blocks import Block, Figure, Heading, Items, Table
from reporting.content.safe_text import legible

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~&])")
_START = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[-+=]))")


def markdown(blocks: Iterable[Block]) -> str:
    """Write markdown; what people wrote stays text. Pictures are left out: what they show stands in words too."""
    return "\n\n".join(_block(block) for block in blocks if not isinstance(block, Figure))


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_plain(block.text)}"
    if isinstance(block, Items):
        return "\n".join(f"- {_plain(item)}" for item in block.items)
    if isinstance(block, Table):
        rows = [block.columns, ["---"] * len(block.columns)]
        cells = [[_plain(cell) for cell in row] for row in block.rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in [*rows, *cells])
    return _plain(str(block))


def _plain(text: str) -> str:
    """One line of markdown in which no character is markup."""
    line = _MARKUP.sub(r"\\\1", " ".join(legible(text).split()))
    return _START.sub(r"\1\\", line)
