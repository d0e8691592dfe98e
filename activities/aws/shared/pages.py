"""Answers of AWS that come page by page."""

import time
from collections.abc import Callable, Iterator
from typing import Any


class Pages:
    """Asks for page after page, at most `most` of them; once gone through, `truncated` says whether there are more.

    A page may be empty and still not be the last: its cursor alone says so. `cursor` is the name of that in the answer,
    `asked_as` that in the next question, where it is another. `first` is asked with the first page only. Between two
    pages it waits `pause_seconds`, for services that allow so many requests a second.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        *,
        cursor: str = "NextToken",
        asked_as: str | None = None,
        first: dict[str, Any] | None = None,
        most: int | None = None,
        pause_seconds: float = 0,
        **asked: Any,
    ) -> None:
        self._call = call
        self._cursor = cursor
        self._asked_as = asked_as or cursor
        self._first = first or {}
        self._most = most
        self._pause_seconds = pause_seconds
        self._asked = asked
        self.truncated = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        page = self._call(**self._asked, **self._first)
        number = 1
        while True:
            more = page.get(self._cursor)
            self.truncated = bool(more) and number == self._most
            yield page
            if not more or self.truncated:
                return
            time.sleep(self._pause_seconds)
            page, number = self._call(**self._asked, **{self._asked_as: more}), number + 1

    def items(self, key: str) -> Iterator[Any]:
        """What every page has under `key`, one after the other."""
        for page in self:
            yield from page.get(key, [])
