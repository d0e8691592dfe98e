"""Canonical JSON (RFC 8785): the same value has the same text and the same digest, whoever wrote it and however.

`5.0` and `5` are one number in JSON, so they are one here. Numbers that RFC 8785 has no form for, integers beyond
2**53 - 1 and what is not finite, stand as their text.
"""

import hashlib
from typing import Any

import rfc8785

_INTEGER_MAX = 2**53 - 1


def canonical_value(value: Any) -> Any:
    """A value as canonical JSON can hold it: numbers that it knows no form for become text."""
    if isinstance(value, dict):
        return {key: canonical_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [canonical_value(inner) for inner in value]
    # a great float has no fraction: read again, its canonical form would be too great an integer
    unfit = isinstance(value, int | float) and not abs(value) <= _INTEGER_MAX
    return str(value) if unfit else value


def canonical_json(value: Any) -> str:
    """Write a JSON value in its one canonical form."""
    return rfc8785.dumps(canonical_value(value)).decode()


def digest(value: Any) -> str:
    """SHA-256 of a JSON value's canonical form, in hex."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
