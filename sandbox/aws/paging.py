"""Paged lists, as AWS returns them."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def page(items: Sequence[T], token: str | None, size: int | None, most: int = 100) -> tuple[list[T], str | None]:
    """Return the page that `token` names, of at most `size` (1 to `most`) items, and the token of the next."""
    start = int(token) if token else 0
    end = start + min(size or most, most)
    return list(items[start:end]), str(end) if end < len(items) else None
