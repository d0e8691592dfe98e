"""How big things may be before they go on record, in bytes of JSON.

The ledger's table takes 400 KB an item and 4 MB a transaction (Amazon DynamoDB, "Quotas"), Temporal 2 MB a payload. An
entry that no table takes would hold up every later one for ever. So whatever an entry is made of is bounded where it
comes in, before anything has happened: an entry holds at most one of these, and a few kilobytes of our own.
"""

import json
from typing import Any

COMMAND = 64_000
"""What somebody says: a note, an approval, the parameters of a change."""

MESSAGE = 6 * COMMAND
"""What is read of a command at all: JSON may write each byte of a text as six."""

NEWS = 1_000_000
"""What one workflow of ours says to another at once."""

FINDING = 64_000
"""What a probe saw."""

PLAN = 256_000
"""A plan: what stands, what shall stand, what it means. Its intent is an item of the table, too."""

DECLARATION = 42_000
"""A declaration with its runbook, organisation, environment and obligations, without signatures of people."""

APPROVALS = 16_000
"""The signatures under the runbooks that a declaration may open; those under its own come on top."""

PREAUTHORISATIONS = 24_000
"""What may begin by itself, with its signatures, as a declaration holds it."""
DELEGATIONS = 16_000
"""What a declaration says of who stands in for whom, on top too; the file takes no more than this at once."""

ITEM = 400_000
"""What the table takes as one item (400 KB), with its keys and names."""

ENTRY = ITEM - 10_000
"""One entry: the rest is its place in the chain."""

BATCH = 1_000_000
"""Entries that are written at once, or carried into a new run: well below both limits."""


def size(value: Any) -> int:
    """How many bytes a value has as compact JSON in UTF-8; what is no JSON counts as its text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return len(text.encode(errors="surrogatepass"))
