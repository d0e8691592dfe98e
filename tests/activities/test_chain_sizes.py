"""The biggest entries that rules let through, against a table with AWS's limits: written, signed, read back whole."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from domain.rules.ledger_progress import LedgerProgress
from domain.rules.live import LiveIncident
from domain.values import limits
from tests.activities.ledger_worlds import Cutting, append, ledger_and_vault, stored, verdict
from tests.activities.world import WorldClients
from tests.builders import T0, declaration, minutes

TRANSACTION = 4_000_000


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as clients:
        yield clients


class Bounded(Cutting):
    """Clients that refuse a transaction of more than 4 MB, as DynamoDB does; moto knows the limit of an item alone."""

    def __init__(self, clients: Any) -> None:
        super().__init__(clients, "", 0, done=True)
        self.sizes: list[int] = []

    def call(self, name: str, found: Callable[..., Any], asked: dict[str, Any]) -> Any:
        if name == "transact_write_items":
            items = [one["Put"]["Item"] for one in asked["TransactItems"] if "Put" in one]
            self.sizes.append(sum(len(key) + len(value["S"].encode()) for item in items for key, value in item.items()))
            if self.sizes[-1] > TRANSACTION or len(asked["TransactItems"]) > 100:
                raise ClientError(
                    {"Error": {"Code": "ValidationException", "Message": "too much"}}, "TransactWriteItems"
                )
        return found(**asked)


def behind(count: int, size: int) -> LiveIncident:
    """An incident with so many big plans on its timeline, and nothing written."""
    incident = LiveIncident.declared(declaration())
    for number in range(count):
        data = {"rules": "x" * size, "more": ""}
        incident.timeline.append(T0 + minutes(number), "orchestrator", "plan", f"Plan {number}", data)
    return incident


def test_many_big_entries_are_written_and_proven(clients: WorldClients) -> None:
    """A hundred entries as big as the biggest plan: several transactions, none too big, and the audit is intact."""
    incident, bounded, progress = behind(100, limits.PLAN), Bounded(clients), LedgerProgress()
    while progress.is_behind(incident.state, incident.timeline):
        done = append(bounded, progress.next_batch(incident.state, incident.timeline, T0))
        assert list(progress.wrote(done.written, done.epoch)) == []
    assert len(bounded.sizes) == 34
    assert max(bounded.sizes) < TRANSACTION / 3
    found = verdict(clients)
    assert (found.intact, found.entries, found.signed) == (True, 101, 101)
    kept = stored(clients).items[1]
    assert [item.content for item in kept] == [entry.canonical() for entry in incident.timeline.entries]


def test_the_limits_are_there() -> None:
    """Without bounds it would not be written at all: the table refuses the entry, and the transaction."""
    with ledger_and_vault() as clients:
        with pytest.raises(ClientError, match="ValidationException"):
            append(Bounded(clients), behind(1, limits.ITEM + 10_000).timeline.entries)
        with pytest.raises(ClientError, match="too much"):
            append(Bounded(clients), behind(20, limits.PLAN).timeline.entries)
