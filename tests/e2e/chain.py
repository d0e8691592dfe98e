"""The chain of a timeline, recomputed from what is printed alone, without the code that made it."""

import hashlib
from typing import Any

import rfc8785


def assert_whole(entries: list[dict[str, Any]]) -> None:
    """Fail unless the entries are numbered from 1 without a gap, and each hash follows from the one before it.

    By RFC 8785, which says how numbers with fractions are written too.
    """
    previous = "0" * 64
    for number, entry in enumerate(entries, start=1):
        content = {name: value for name, value in entry.items() if name != "hash"}
        text = rfc8785.dumps(content)
        assert (entry["seq"], entry["prev"]) == (number, previous)
        assert entry["hash"] == hashlib.sha256(text).hexdigest()
        previous = entry["hash"]
