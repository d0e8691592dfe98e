"""Text for the fonts of a PDF: what they lack is written as a number, and lines are broken where words or room end."""

import unicodedata
from collections.abc import Iterator

from fpdf import FPDF

FONT = "helvetica"
LINE = 0.46
"""A line's height in millimetres for each point of its size."""

_CODEC = "cp1252"
_LIKE = {"→": "->", "←": "<-", "≤": "<=", "≥": ">=", "\u00a0": " ", "\u2028": " ", "\u2029": " ", "\u2212": "-"}


def encodable(text: str) -> str:
    """The text in letters that the fonts have: a character that they lack as `[U+4F60]`."""
    return "".join(_character(c) for c in unicodedata.normalize("NFC", text))


def is_encodable(text: str) -> bool:
    """Whether every character is there, or has a likeness."""
    return "[U+" not in encodable(text)


def _character(character: str) -> str:
    if character in _LIKE:
        return _LIKE[character]
    if character < " ":
        return " " if character in "\n\t\r" else f"[U+{ord(character):04X}]"
    try:
        character.encode(_CODEC)
    except UnicodeEncodeError:
        return f"[U+{ord(character):04X}]"
    return character


def wrapped(pages: FPDF, text: str, width: float) -> list[str]:
    """The lines of a text in the font that is set, none wider than `width`; a word that is too long is broken."""
    lines: list[str] = []
    line = ""
    for word in _words(pages, encodable(text), width):
        longer = f"{line} {word}" if line else word
        if line and pages.get_string_width(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _words(pages: FPDF, text: str, width: float) -> Iterator[str]:
    for word in text.split():
        rest = word
        while pages.get_string_width(rest) > width and len(rest) > 1:
            count = len(rest)
            while count > 1 and pages.get_string_width(rest[:count]) > width:
                count = count * 3 // 4 if pages.get_string_width(rest[:count]) > 1.5 * width else count - 1
            yield rest[:count]
            rest = rest[count:]
        yield rest
