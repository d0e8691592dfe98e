"""Reading every incident of a ledger: page by page, one at a time, and what cannot be told is told to be so."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from activities.ledger.reader import LedgerReader
from domain.audit.storage_format import INDEX_KEY, StoredCopy
from domain.audit.verdict import account as entries_of
from domain.model.timeline import Entry
from starters.client import recorded_incidents
from starters.options import Options
from tests.builders import T0
from tests.domain.histories import answered
from tests.domain.histories import incident as history
from tests.starters.conftest import Incident
from tests.starters.ledgered import alter, keep
from tests.starters.vaulted import Vaulted

DAY = timedelta(days=1)


@pytest.fixture
def many(aws: Vaulted) -> list[str]:
    """Two outages and a slow database, a day apart."""
    return keep(
        aws,
        history("system-outage", "P0", answered(4, 20, 60), T0),
        history("system-outage", "P0", answered(20), T0 + DAY),
        history("database", "P1", answered(30, 90, 600), T0 + 2 * DAY),
    )


def test_a_ledger_that_cannot_be_read_is_refused(incident: Incident, aws: Vaulted) -> None:
    """No table: exit 1 in one line, nothing on stdout; nobody is told that there were no incidents."""
    aws.clients.client("dynamodb").delete_table(TableName=aws.environment.ledger_table)
    for command in ("stats", "register"):
        said = incident(command, "--json")
        assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
        assert "ResourceNotFound" in said.err


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("cut out", "the chain is broken at entry 2"),
        ("rewritten", "the chain is broken at entry 2"),
        ("garbled", "an entry cannot be read"),
        ("gone", "the ledger lists it and has no entry of it"),
        ("headless", "is broken at entry 1"),
        ("another's", "its entries are those of"),
    ],
)
def test_what_cannot_be_told_is_listed(incident: Incident, aws: Vaulted, many: list[str], how: str, why: str) -> None:
    """The others are counted, it is named with why on stdout and on stderr, and the exit status is 1."""
    alter(aws, many[0], how, many[2])
    said = incident("stats", "--json")
    assert said.status == 1
    assert said.err.count("\n") == 1
    assert f"{many[0]} cannot be read" in said.err
    assert "incident audit verify" in said.err
    assert said.json["total"]["incidents"] == 2
    [lost] = said.json["unreadable"]
    assert lost["id"] == many[0]
    assert why in lost["reason"]
    shown = incident("stats")
    assert shown.status == 1
    assert why in shown.out


def test_nothing_but_unreadable_ones_says_so(incident: Incident, aws: Vaulted) -> None:
    [lost] = keep(aws, history())
    alter(aws, lost, "gone")
    said = incident("stats")
    assert said.status == 1
    assert lost in said.out


def test_one_incident_at_a_time_is_in_memory(aws: Vaulted, many: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads the next incident before the one before it is taken."""
    read: list[str] = []

    def account(copy: StoredCopy) -> list[Entry]:
        read.append(copy.incident)
        return entries_of(copy)

    monkeypatch.setattr("activities.ledger.incidents.account", account)
    for number, _ in enumerate(recorded_incidents.incidents(Options(environment="sandbox"), []), start=1):
        assert len(read) == number
    assert read == many


class Short:
    """Clients whose queries give two items a page."""

    def __init__(self, clients: Any) -> None:
        self._db = clients.client("dynamodb")
        self.pages = 0

    def client(self, service: str) -> Any:
        assert service == "dynamodb"
        return self

    def get_paginator(self, operation: str) -> Any:
        assert operation == "query"
        return self

    def paginate(self, **asked: Any) -> Iterator[Any]:
        for page in self._db.get_paginator("query").paginate(**asked, PaginationConfig={"PageSize": 2}):
            self.pages += 1
            yield page


def test_a_long_index_is_read_to_its_end(aws: Vaulted) -> None:
    """The list of incidents comes in pages; the last page counts as the first does."""
    ids = keep(aws, *(history("database", "P1", [], T0 + number * DAY) for number in range(5)))
    short: Any = Short(aws.clients)
    assert LedgerReader(short, aws.environment).incidents() == ids
    assert short.pages == 3
    assert LedgerReader(short, aws.environment).incidents(T0 + 2 * DAY) == ids[2:]


def test_incidents_of_a_day_are_in_order_of_time(aws: Vaulted) -> None:
    """Whatever their names, which are drawn; those that an earlier program listed have no times, and come first."""
    ids = keep(aws, *(history("database", "P1", [], T0 + timedelta(minutes=number)) for number in range(6)))
    assert ids != sorted(ids)
    assert LedgerReader(aws.clients, aws.environment).incidents() == ids
    old = aws.clients.client("dynamodb")
    for incident in ids[4:]:
        item = {"pk": {"S": INDEX_KEY}, "sk": {"S": incident}}
        old.put_item(TableName=aws.environment.ledger_table, Item=item)
    assert LedgerReader(aws.clients, aws.environment).incidents() == [*sorted(ids[4:]), *ids[:4]]
