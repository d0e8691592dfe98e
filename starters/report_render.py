"""The blocks of a report as markdown and as one HTML page that needs nothing else."""

import html as escape
import re
from collections.abc import Iterable

from starters.report_content import Block, Heading, Items, Table

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}"
    "th,td{border:1px solid #bbb;padding:.3rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "th{background:#f0f0f0}"
)
_MARKUP = re.compile(r"([\\`*_\[\]<>|#])")


def markdown(blocks: Iterable[Block]) -> str:
    """Write markdown; what people wrote stays text."""
    return "\n\n".join(_markdown(block) for block in blocks)


def html(blocks: Iterable[Block], title: str) -> str:
    """Write one HTML page; what people wrote stays text."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape.escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>"
    )


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_plain(block.text)}"
    if isinstance(block, Items):
        return "\n".join(f"- {_plain(item)}" for item in block.items)
    if isinstance(block, Table):
        rows = [block.columns, ["---"] * len(block.columns)]
        cells = [[_plain(cell) for cell in row] for row in block.rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in [*rows, *cells])
    return _plain(block)


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape.escape(block.text)}</h{block.level}>"
    if isinstance(block, Items):
        return "<ul>" + "".join(f"<li>{escape.escape(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Table):
        head = "".join(f"<th>{escape.escape(column)}</th>" for column in block.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape.escape(cell)}</td>" for cell in row) + "</tr>" for row in block.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<p>{escape.escape(block)}</p>"


def _plain(text: str) -> str:
    """One line of markdown in which no character is markup."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
