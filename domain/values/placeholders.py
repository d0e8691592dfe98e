"""Values that nobody has filled in yet, as runbooks are full of them."""

import re
from collections.abc import Iterator
from typing import Any

_MARK = re.compile(r"XXX|YOUR_|\[Current Date\]|CHANGE_ME|<[A-Z_ ]+>")
_ENCODED = re.compile(r"\bAAAA[A-Za-z0-9+/]{20}|-----BEGIN SSH SIGNATURE-----")
"""A public key (RFC 4253, 6.6) or a signature: one in some thousands has a mark in it by chance."""


def placeholders(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find every text that is still a placeholder, with the keys that lead to it."""
    if isinstance(value, str):
        if _MARK.search(value) and not _ENCODED.search(value):
            yield at, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from placeholders(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from placeholders(inner, (*at, index))
