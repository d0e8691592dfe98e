"""A report as PDF, with its picture as vectors.

The fonts are those that every reader of PDF has; they know Western European letters. Any other character is written as
its number, `[U+4F60]`, and the report says so: nothing is left out unseen.
"""

from collections.abc import Iterable
from datetime import datetime

from fpdf import FPDF

from reporting.content.blocks import Block, Figure, Heading, Items, Table
from reporting.formats.pdf_drawing import draw
from reporting.formats.pdf_table import table
from reporting.formats.pdf_text import FONT, LINE, encodable, is_encodable, wrapped
from reporting.picture.drawing import Label

_MARGIN = 14
_FOOT = 15
_SIZES = {1: 18, 2: 13, 3: 10.5}
_UNKNOWN = (
    "Characters that this document's fonts do not have are written as their numbers in Unicode, such as [U+4F60]."
)
_KEEP = {1: 60, 2: 48, 3: 34}
"""Millimetres that a heading of each level needs with what follows, so that none ends a page."""


class _Pages(FPDF):
    def __init__(self, title: str, made_at: datetime) -> None:
        super().__init__(orientation="landscape", unit="mm", format="A4")
        self.core_fonts_encoding = "cp1252"
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(auto=False, margin=_FOOT)
        self.set_title(encodable(title))
        self.set_lang("en")
        self.set_creator("incident report")
        self.set_creation_date(made_at)
        self.name = encodable(title)
        self.add_page()

    def footer(self) -> None:
        self.set_font(FONT, size=7.5)
        self.set_text_color(90, 103, 117)
        self.text(_MARGIN, self.h - 7, self.name[:150])
        number = str(self.page_no())
        self.text(self.w - _MARGIN - self.get_string_width(number), self.h - 7, number)
        self.set_text_color(28, 39, 51)


def pdf(blocks: Iterable[Block], title: str, made_at: datetime) -> bytes:
    """Write the document; the same blocks, title and instant give the same bytes. `made_at` is UTC."""
    content = list(blocks)
    pages = _Pages(title, made_at)
    for block in content:
        _block(pages, block)
    if not all(is_encodable(text) for block in content for text in _texts(block)):
        _paragraph(pages, _UNKNOWN)
    return bytes(pages.output())


def _texts(block: Block) -> list[str]:
    if isinstance(block, Heading):
        return [block.text]
    if isinstance(block, Items):
        return block.items
    if isinstance(block, Table):
        return [cell for row in [block.columns, *block.rows] for cell in row]
    if isinstance(block, Figure):
        return [shape.text for shape in block.drawing.shapes if isinstance(shape, Label)]
    return [block]


def _block(pages: FPDF, block: Block) -> None:
    if isinstance(block, Heading):
        _heading(pages, block)
    elif isinstance(block, Items):
        for item in block.items:
            _paragraph(pages, f"-  {item}", indent=3)
    elif isinstance(block, Table):
        table(pages, block)
    elif isinstance(block, Figure):
        _figure(pages, block)
    else:
        _paragraph(pages, block)


def _heading(pages: FPDF, heading: Heading) -> None:
    size = _SIZES[heading.level]
    if pages.y + _KEEP[heading.level] > pages.h - pages.b_margin:
        pages.add_page()
    if heading.level < 3:
        pages.start_section(encodable(heading.text)[:120], level=heading.level - 1)
    pages.y += 0 if pages.y <= _MARGIN else {1: 0.0, 2: 5.0, 3: 2.0}[heading.level]
    _lines(pages, heading.text, size, pages.epw, style="B")
    pages.y += 1


def _paragraph(pages: FPDF, text: str, indent: float = 0) -> None:
    _lines(pages, text, 9.5, min(pages.epw, 200), indent=indent)
    pages.y += 1.2


def _lines(pages: FPDF, text: str, size: float, width: float, *, style: str = "", indent: float = 0) -> None:
    pages.set_font(FONT, style, size)
    for line in wrapped(pages, text, width - indent):
        if pages.y + size * LINE > pages.h - pages.b_margin:
            pages.add_page()
            pages.set_font(FONT, style, size)
        pages.text(pages.l_margin + indent, pages.y + size * LINE * 0.75, line)
        pages.y += size * LINE


def _figure(pages: FPDF, figure: Figure) -> None:
    drawing = figure.drawing
    room = pages.h - _MARGIN - _FOOT - 9.5 * LINE - 2
    scale = min(pages.epw / drawing.width, room / drawing.height)
    if pages.y + drawing.height * scale + 9.5 * LINE > pages.h - pages.b_margin:
        pages.add_page()
    draw(pages, drawing, pages.l_margin, pages.y, scale)
    pages.y += drawing.height * scale
    _paragraph(pages, figure.caption)
