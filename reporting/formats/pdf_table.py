"""Tables on the pages of a PDF: columns as wide as they need, rows that may go on on the next page."""

from fpdf import FPDF

from reporting.content.blocks import Table
from reporting.formats.pdf_text import FONT, LINE, encodable, width_of, wrapped

_SIZE = 8
_HEIGHT = _SIZE * LINE
_PAD = 1.2
_MARKS = {"good": (31, 122, 77), "bad": (179, 32, 58)}
_WIDEST = 120


def table(pages: FPDF, content: Table) -> None:
    """Write a table below what is there; its columns' names stand again on each page."""
    widths = _widths(pages, content)
    _head(pages, content.columns, widths)
    for number, row in enumerate(content.rows):
        _row(pages, content, widths, row, content.marks.get(number))
    pages.y += 2.5


def _widths(pages: FPDF, content: Table) -> list[float]:
    """As wide as the longest cell; where that is too much, the wide columns give."""
    pages.set_font(FONT, "B", _SIZE)
    least = [width_of(pages, encodable(column)) + 2 * _PAD for column in content.columns]
    pages.set_font(FONT, size=_SIZE)
    wanted = [
        max([narrow, *(min(width_of(pages, encodable(row[n])), _WIDEST) + 2 * _PAD for row in content.rows)])
        for n, narrow in enumerate(least)
    ]
    if sum(wanted) <= pages.epw:
        return wanted
    least = [min(max(narrow, 16), wide) for narrow, wide in zip(least, wanted, strict=True)]
    room, asked = pages.epw - sum(least), sum(wanted) - sum(least)
    if room <= 0:
        return [pages.epw / len(least)] * len(least)
    fair = room / len(least)
    small = [n for n in range(len(least)) if wanted[n] - least[n] <= fair]
    for n in small:  # what asks for little gets it
        room, asked = room - (wanted[n] - least[n]), asked - (wanted[n] - least[n])
        least[n] = wanted[n]
    return [narrow if n in small else narrow + room * (wanted[n] - narrow) / asked for n, narrow in enumerate(least)]


def _head(pages: FPDF, columns: list[str], widths: list[float]) -> None:
    if pages.y + 4 * _HEIGHT > pages.h - pages.b_margin:
        pages.add_page()
    pages.set_font(FONT, "B", _SIZE)
    pages.set_text_color(90, 103, 117)
    x = pages.l_margin
    for column, width in zip(columns, widths, strict=True):
        pages.text(x + _PAD, pages.y + _HEIGHT, encodable(column))
        x += width
    pages.set_text_color(28, 39, 51)
    pages.y += _HEIGHT + 1.6
    _rule(pages, widths, 90)


def _row(pages: FPDF, content: Table, widths: list[float], row: list[str], mark: str | None) -> None:
    pages.set_font(FONT, size=_SIZE)
    cells = [wrapped(pages, cell, width - 2 * _PAD) for cell, width in zip(row, widths, strict=True)]
    count = max(len(lines) for lines in cells)
    if count < 8 and pages.y + count * _HEIGHT + 2 > pages.h - pages.b_margin:
        _next_page(pages, content, widths)
    pages.y += 0.7
    for number in range(count):
        if pages.y + _HEIGHT > pages.h - pages.b_margin:
            _next_page(pages, content, widths)
        x = pages.l_margin
        if mark in _MARKS:
            pages.set_fill_color(*_MARKS[mark])
            pages.rect(x - 1, pages.y, 0.8, _HEIGHT, style="F")
        for lines, width in zip(cells, widths, strict=True):
            if number < len(lines) and lines[number]:
                pages.text(x + _PAD, pages.y + _HEIGHT * 0.78, lines[number])
            x += width
        pages.y += _HEIGHT
    pages.y += 0.5
    _rule(pages, widths, 217)


def _next_page(pages: FPDF, content: Table, widths: list[float]) -> None:
    pages.add_page()
    _head(pages, content.columns, widths)
    pages.set_font(FONT, size=_SIZE)


def _rule(pages: FPDF, widths: list[float], grey: int) -> None:
    pages.set_draw_color(grey)
    pages.set_line_width(0.15)
    pages.line(pages.l_margin, pages.y, pages.l_margin + sum(widths), pages.y)
