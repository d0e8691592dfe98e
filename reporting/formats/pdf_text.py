"""Text for the fonts of a PDF: what they lack is written as a number, and lines are broken where words or room end."""

import unicodedata
from collections.abc import Iterator
from functools import cache

from fpdf import FPDF

from reporting.content.safe_text import legible, pieces

FONT = "helvetica"
LINE = 0.46
"""A line's height in millimetres for each point of its size."""

_CODEC = "cp1252"
_ROUNDING = 1e-6
"""Millimetres: a column that was made as wide as its text must hold it."""
_LIKE = dict.fromkeys("\n\t\r\u00a0\u2028\u2029", " ") | {"→": "->", "←": "<-", "≤": "<=", "≥": ">=", "\u2212": "-"}


def encodable(text: str) -> str:
    """The text in letters that the fonts have: a character that they lack as `[U+4F60]`."""
    return "".join(_character(c) for c in unicodedata.normalize("NFC", legible(text)))


def is_encodable(text: str) -> bool:
    """Whether every character is there, or has a likeness."""
    return "[U+" not in encodable(text)


@cache
def _character(character: str) -> str:
    if character in _LIKE:
        return _LIKE[character]
    try:
        character.encode(_CODEC)
    except UnicodeEncodeError:
        return f"[U+{ord(character):04X}]"
    return character


def width_of(pages: FPDF, text: str) -> float:
    """How wide an encodable text is in the font that is set, in millimetres: a report has a million letters."""
    return sum(_advance(pages.font_style, character) for character in text) * pages.font_size


@cache
def _advance(style: str, character: str) -> float:
    """The width of one letter for each unit of the font's size; these fonts have no kerning."""
    ruler = FPDF()
    ruler.core_fonts_encoding = _CODEC
    ruler.set_font(FONT, style, 1000)
    return float(ruler.get_string_width(character) / ruler.font_size)


def wrapped(pages: FPDF, text: str, width: float) -> list[str]:
    """The lines of a text in the font that is set, none wider than `width`; a word that is too long is broken."""
    lines: list[str] = []
    line = ""
    width += _ROUNDING
    for gap, piece in _pieces(pages, encodable(text), width):
        longer = f"{line}{gap}{piece}" if line else piece
        if line and width_of(pages, longer) > width:
            lines.append(line)
            line = piece
        else:
            line = longer
    return [*lines, line]


def _pieces(pages: FPDF, text: str, width: float) -> Iterator[tuple[str, str]]:
    """What stays whole, each with the gap before it: words, and of those that are too long their pieces or letters."""
    for word in text.split():
        gap = " "
        for piece in [word] if width_of(pages, word) <= width else pieces(word):
            for part in [piece] if width_of(pages, piece) <= width else piece:
                yield gap, part
                gap = ""
