"""The chain of a timeline, recomputed from what is printed alone, without the code that made it."""

import hashlib
import json
from typing import Any


def assert_whole(entries: list[dict[str, Any]]) -> None:
    """Fail unless the entries are numbered from 1 without a gap, and each hash follows from the one before it.

    Of texts and whole numbers, all that an entry holds, sorted JSON without spaces is the canonical JSON of RFC 8785.
    """
    previous = "0" * 64
    for number, entry in enumerate(entries, start=1):
        content = {name: value for name, value in entry.items() if name != "hash"}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert (entry["seq"], entry["prev"]) == (number, previous)
        assert entry["hash"] == hashlib.sha256(text.encode()).hexdigest()
        previous = entry["hash"]
