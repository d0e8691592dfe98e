"""How severe an incident is stands beside its record, by the entries that the keeper has taken and no others."""

from collections.abc import Iterator

import pytest

from activities.declared import Declared
from activities.ledger.appending import Appender
from activities.ledger.table import Table
from domain.model.activity_io import AppendCall
from domain.model.timeline import Entry
from domain.values.severity import Severity
from tests.activities.ledger_worlds import ledger_and_vault, place
from tests.activities.report_worlds import Played
from tests.activities.world import WorldClients
from tests.builders import declaration
from tests.house import house_of
from tests.records import INCIDENT

FREE = place(kind="sandbox")


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as clients:
        yield clients


def append(clients: WorldClients, entries: list[Entry], epoch: int = 1) -> None:
    call = AppendCall(incident=INCIDENT, environment=FREE.name, epoch=epoch, entries=entries)
    Appender(clients, house_of(declaration(environment=FREE))).append(call)


def known(clients: WorldClients) -> Severity | None:
    declared = Declared(house_of(declaration(environment=FREE)), Table(clients, FREE.ledger_table))
    return declared.severity(INCIDENT, declared.open_one(INCIDENT))


def played(*severities: str, declared: Severity = Severity.P1) -> Played:
    made = Played(declaration(environment=FREE, severity=declared))
    for one in severities:
        assert made.say("reclassify", "cto", severity=one, reason="so it is") is None
    return made


def test_it_is_that_of_the_declaration_until_it_is_changed(clients: WorldClients) -> None:
    append(clients, played().entries)
    assert known(clients) is Severity.P1


def test_it_is_the_last_that_stands_on_record(clients: WorldClients) -> None:
    """Whether entries come together or one by one, and whatever comes a second time."""
    entries = played("P0", "P1", "P0").entries
    append(clients, entries[:1])
    places = [number for number, entry in enumerate(entries) if entry.kind == "severity"]
    for number, severity in zip(places, (Severity.P0, Severity.P1, Severity.P0), strict=True):
        before = 1 if number == places[0] else places[places.index(number) - 1] + 1
        append(clients, entries[before : number + 1])
        assert known(clients) is severity
    append(clients, entries[1 : places[1] + 1])
    assert known(clients) is Severity.P0


def test_several_at_once(clients: WorldClients) -> None:
    append(clients, played("P0", "P1").entries)
    assert known(clients) is Severity.P1


def test_a_history_that_was_reset_goes_on(clients: WorldClients) -> None:
    """What its new epoch says holds, though its entries have smaller numbers."""
    append(clients, played("P0", "P1").entries)
    again = played()
    assert again.say("note", "cto", text="otherwise") is None
    assert again.say("reclassify", "cto", severity="P0", reason="so it is") is None
    append(clients, again.entries)
    assert known(clients) is Severity.P0
