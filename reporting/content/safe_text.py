"""Text from people and systems, made safe to look at: nothing in it can hide, or turn around what stands beside it."""

import re

_PIECES = re.compile(r"[^-/:_.,=]{1,16}[-/:_.,=]{0,16}|[-/:_.,=]{1,16}")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def legible(text: str) -> str:
    """The text with each control character, also those that turn the direction of writing, as its number: `[U+202E]`.

    What is left is legal in XML 1.0 and in UTF-8.
    """
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def pieces(word: str) -> list[str]:
    """A word that is too long for its line, cut where it may break: behind punctuation, else every 16 characters."""
    return _PIECES.findall(word)
