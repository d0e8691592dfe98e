"""Text for the fonts of a PDF: what they lack is written as a number, and lines are broken where words or room end."""

import unicodedata
from collections.abc import Iterator

from fpdf import FPDF

from activities.report.text import legible, pieces

FONT = "helvetica"
LINE = 0.46
"""A line's height in millimetres for each point of its size."""

_CODEC = "cp1252"
_ROUNDING = 1e-6
"""Millimetres: a column that was made as wide as its text must hold it."""
_LIKE = {
    "\n": " ",
    "\t": " ",
    "\r": " ",
    "→": "->",
    "←": "<-",
    "≤": "<=",
    "≥": ">=",
    "\u00a0": " ",
    "\u2028": " ",
    "\u2029": " ",
    "\u2212": "-",
}


def encodable(text: str) -> str:
    """The text in letters that the fonts have: a character that they lack as `[U+4F60]`."""
    return "".join(_character(c) for c in unicodedata.normalize("NFC", legible(text)))


def is_encodable(text: str) -> bool:
    """Whether every character is there, or has a likeness."""
    return "[U+" not in encodable(text)


def _character(character: str) -> str:
    if character in _LIKE:
        return _LIKE[character]
    try:
        character.encode(_CODEC)
    except UnicodeEncodeError:
        return f"[U+{ord(character):04X}]"
    return character


def wrapped(pages: FPDF, text: str, width: float) -> list[str]:
    """The lines of a text in the font that is set, none wider than `width`; a word that is too long is broken."""
    lines: list[str] = []
    line = ""
    width += _ROUNDING
    for gap, piece in _pieces(pages, encodable(text), width):
        longer = f"{line}{gap}{piece}" if line else piece
        if line and pages.get_string_width(longer) > width:
            lines.append(line)
            line = piece
        else:
            line = longer
    return [*lines, line]


def _pieces(pages: FPDF, text: str, width: float) -> Iterator[tuple[str, str]]:
    """What stays whole, each with the gap before it: words, and of those that are too long their pieces or letters."""
    for word in text.split():
        gap = " "
        for piece in [word] if pages.get_string_width(word) <= width else pieces(word):
            for part in [piece] if pages.get_string_width(piece) <= width else piece:
                yield gap, part
                gap = ""
