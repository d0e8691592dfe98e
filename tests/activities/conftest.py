from collections.abc import Iterator

import pytest

from activities.changes.intents import Intents
from activities.ledger.table import Table
from tests.activities.world import LEDGER, WorldClients, ledger_clients


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    """Those of an account with nothing in it but the ledger's table; a module that needs more makes its own."""
    with ledger_clients() as clients:
        yield clients


@pytest.fixture
def intents(clients: WorldClients) -> Intents:
    return Intents(Table(clients, LEDGER))
