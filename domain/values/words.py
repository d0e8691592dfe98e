"""A digest in four words, which people compare where nobody compares 64 digits."""

from domain.values.word_list import WORDS

_BITS = 11
"""What one of 2,048 words says."""
_COUNT = 4


def in_words(sha256: str) -> str:
    """The first 44 bits of a SHA-256 in hex as four words, 11 bits each, the highest first: the same everywhere.

    Raises `ValueError` for anything else.
    """
    digest = bytes.fromhex(sha256)
    if len(digest) != 32:
        raise ValueError(f"a SHA-256 has 32 bytes, not {len(digest)}")
    bits = int.from_bytes(digest) >> (256 - _COUNT * _BITS)
    places = range((_COUNT - 1) * _BITS, -1, -_BITS)
    return " ".join(WORDS[bits >> place & (1 << _BITS) - 1] for place in places)
