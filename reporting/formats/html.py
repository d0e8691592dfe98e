"""A report as one HTML page that needs nothing else: light and dark, on paper, on a telephone."""

import re
from collections.abc import Iterable
from html import escape

from reporting.content.blocks import Block, Figure, Heading, Items, Table
from reporting.content.safe_text import legible, pieces
from reporting.formats.svg import svg
from reporting.picture.drawing import TONES

_LIGHT = "".join(f"--{name}:{TONES[name].light};" for name in ("ink", "soft", "grid", "band", "good", "bad"))
_DARK = "".join(f"--{name}:{TONES[name].dark};" for name in ("ink", "soft", "grid", "band", "good", "bad"))
_STYLE = (
    f":root{{color-scheme:light dark;{_LIGHT}--ground:#fff}}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}--ground:#0f1720}}}}"
    "*{box-sizing:border-box}"
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;max-width:72rem;margin:0 auto;"
    "padding:1.5rem 1rem 4rem;color:var(--ink);background:var(--ground)}"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0 1rem}"
    "h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;border-bottom:2px solid var(--grid)}"
    "h3{font-size:1rem;margin:1.4rem 0 .4rem}"
    "p{max-width:46rem;margin:.5rem 0}ul{margin:.4rem 0;padding-left:1.3rem}"
    ".scroll{overflow-x:auto;margin:.8rem 0}"
    "table{border-collapse:collapse;width:100%;font-size:.86rem}"
    "th,td{border-bottom:1px solid var(--grid);padding:.32rem .6rem .32rem .3rem;text-align:left;vertical-align:top}"
    "td{max-width:34rem}"
    "th{color:var(--soft);font-weight:600;white-space:nowrap}"
    "tr.bad td:first-child{box-shadow:inset 3px 0 var(--bad)}tr.good td:first-child{box-shadow:inset 3px 0 var(--good)}"
    "tr.bad td,tr.good td{padding-left:.6rem}"
    "figure{margin:1.2rem 0}figure svg{display:block;width:100%;min-width:46rem;height:auto}"
    "figcaption{color:var(--soft);font-size:.82rem;margin-top:.3rem}"
    "nav{font-size:.86rem;margin:0 0 1rem;display:flex;flex-wrap:wrap;gap:.2rem .9rem}nav a{color:inherit}"
    "@media print{body{font-size:10pt;max-width:none;padding:0}nav{display:none}h2,h3{break-after:avoid}"
    "tr,figure{break-inside:avoid}figure svg{min-width:0}.scroll{overflow:visible}@page{size:A4;margin:14mm}}"
)
_WORD = 20
_PARTS = re.compile(r"\s+|\S+")


def html(blocks: Iterable[Block], title: str) -> str:
    """Write one page; what people wrote stays text."""
    content = list(blocks)
    named = {number: f"part-{number}" for number, block in enumerate(content) if _is_part(block)}
    links = "".join(f'<a href="#{name}">{_text(_heading(content[number]))}</a>' for number, name in named.items())
    body = "\n".join(_block(block, named.get(number)) for number, block in enumerate(content))
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(legible(title))}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body>\n<nav>{links}</nav>\n<main>\n{body}\n</main>\n</body>\n</html>"
    )


def _text(text: str) -> str:
    """Text as HTML in which words stay whole; only what is longer than any word may break."""
    return "".join(map(_part, _PARTS.findall(legible(text))))


def _part(part: str) -> str:
    return escape(part) if len(part) <= _WORD else "<wbr>".join(map(escape, pieces(part)))


def _is_part(block: Block) -> bool:
    return isinstance(block, Heading) and block.level == 2


def _heading(block: Block) -> str:
    return block.text if isinstance(block, Heading) else ""


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
    rows = "".join(_row(row, table.marks.get(number)) for number, row in enumerate(table.rows))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(row: list[str], mark: str | None) -> str:
    opening = f'<tr class="{mark}">' if mark else "<tr>"
    return opening + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>"
