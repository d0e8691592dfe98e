"""The clock of the store, as its answers tell it: moto's Date header, moved by tests."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.ledger.table import Table, keys

NO_ITEM = keys("nothing", "nothing")


class StoreClock:
    """How far the store's clock is from this machine's, `ahead`; every answer tells it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, table: Table) -> None:
        self.ahead = timedelta()
        self._table = table
        monkeypatch.setattr("moto.core.responses.utcnow", self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, by: timedelta) -> None:
        """Move it, and let an answer tell."""
        self.ahead += by
        self._table.get(NO_ITEM)
