"""A report as one HTML page that needs nothing else: light and dark, on paper, on a telephone."""

import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files

from reporting.content.blocks import Block, Figure, Heading, Items, Table
from reporting.content.safe_text import legible, pieces
from reporting.formats.svg import svg
from reporting.picture.drawing import TONES

_TONES = ("ink", "soft", "grid", "band", "good", "bad")
_LIGHT = "".join(f"--{name}:{TONES[name].light};" for name in _TONES)
_DARK = "".join(f"--{name}:{TONES[name].dark};" for name in _TONES)
_COLOURS = (
    f":root{{color-scheme:light dark;{_LIGHT}--ground:#fff}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}--ground:#0f1720}}}}"
)
_STYLE = _COLOURS + files("reporting.formats").joinpath("page.css").read_text(encoding="utf-8")
_WORD = 20
_PARTS = re.compile(r"\s+|\S+")


def html(blocks: Iterable[Block], title: str) -> str:
    """Write one page; what people wrote stays text."""
    content = list(blocks)
    parts = {number: block for number, block in enumerate(content) if isinstance(block, Heading) and block.level == 2}
    links = "".join(f'<a href="#part-{number}">{_text(block.text)}</a>' for number, block in parts.items())
    body = "\n".join(_block(block, f"part-{n}" if n in parts else None) for n, block in enumerate(content))
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(legible(title))}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body>\n<nav>{links}</nav>\n<main>\n{body}\n</main>\n</body>\n</html>"
    )


def _text(text: str) -> str:
    """Text as HTML in which words stay whole; only what is longer than any word may break."""
    parts = _PARTS.findall(legible(text))
    return "".join(escape(one) if len(one) <= _WORD else "<wbr>".join(map(escape, pieces(one))) for one in parts)


def _block(block: Block, name: str | None) -> str:
    if isinstance(block, Heading):
        anchor = f' id="{name}"' if name else ""
        return f"<h{block.level}{anchor}>{_text(block.text)}</h{block.level}>"
    if isinstance(block, Items):
        return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Figure):
        caption = f"<figcaption>{_text(block.caption)}</figcaption>"
        return f'<figure><div class="scroll">{svg(block.drawing)}</div>{caption}</figure>'
    if isinstance(block, Table):
        return _table(block)
    return f"<p>{_text(block)}</p>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(column)}</th>' for column in table.columns)
    rows = ""
    for number, row in enumerate(table.rows):
        mark = f' class="{table.marks[number]}"' if number in table.marks else ""
        rows += f"<tr{mark}>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>"
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
