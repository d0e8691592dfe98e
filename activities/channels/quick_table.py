"""The ledger's table as pages ask it: for a moment, and then without an answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

import structlog

from activities.action import Clients
from activities.ledger.table import Table

PATIENCE_SECONDS = 1.5
"""How long a page waits for the table, once: then the table is left alone for a while."""
_SILENT_SECONDS = 10.0
_THREADS = 8
_log = structlog.get_logger(__name__)
T = TypeVar("T")


class QuickTable:
    """Asks that no page waits for. Safe to share between threads."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._silent_until = 0.0
        self._threads = ThreadPoolExecutor(_THREADS, "page-record")

    def ask(self, name: str, do: Callable[[Table], T]) -> T | None:
        """Ask the table of this name, in one attempt; None where it does not answer, whatever it fails of."""
        if monotonic() < self._silent_until:
            return None
        try:
            return self._threads.submit(lambda: do(Table(self._clients, name, once=True))).result(PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001 - a page goes out, whatever keeps the table from answering
            self._silent_until = monotonic() + _SILENT_SECONDS
            _log.warning("pages go out without the ledger's table", error=type(error).__name__)
            return None
