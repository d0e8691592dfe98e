"""A record that begins is begun once, and one that has ended is not told otherwise."""

from collections.abc import Iterator

import pytest

from activities.ledger.appending import Appender
from activities.ledger.terms import SupersededError
from activities.strange_requests import Strange, StrangeRequestError
from domain.model.activity_io import AppendCall
from domain.model.timeline import Entry
from tests.activities.ledger_worlds import ledger_and_vault, place, table
from tests.activities.report_worlds import Played
from tests.activities.world import WorldClients
from tests.builders import declaration, minutes
from tests.house import house_of
from tests.records import INCIDENT

FREE = place(kind="sandbox")


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as clients:
        yield clients


def append(clients: WorldClients, entries: list[Entry], epoch: int = 1) -> int:
    """Write them as a worker does; returns the epoch in which they stand."""
    house = house_of(declaration(environment=FREE))
    call = AppendCall(incident=INCIDENT, environment=FREE.name, epoch=epoch, entries=entries)
    return Appender(clients, house).append(call).epoch


def played(*notes: str) -> Played:
    made = Played(declaration(environment=FREE))
    for number, text in enumerate(notes, start=1):
        made.say("note", "cto", minutes(number), text=text)
    return made


def test_it_is_begun_once(clients: WorldClients) -> None:
    """A run that was reset begins with the same entry; another declaration under its name is none of ours."""
    first = played("a")
    append(clients, first.entries)
    append(clients, first.entries)
    before = table(clients)
    other = Played(declaration(environment=FREE, title="Nothing of note"))
    with pytest.raises(StrangeRequestError, match="begins with another declaration") as refused:
        append(clients, other.entries)
    assert refused.value.kind is Strange.FORGED
    assert table(clients) == before


def test_an_open_one_that_was_reset_goes_on_beside(clients: WorldClients) -> None:
    """What it says otherwise begins an epoch, as before."""
    append(clients, played("a", "b").entries)
    assert append(clients, played("a", "c").entries) == 2


def test_one_that_has_ended_is_not_told_otherwise(clients: WorldClients) -> None:
    """The same entries again are found; others are of a life that is over."""
    over = played("a")
    over.say("false_alarm", "cto", minutes(5), reason="a test")
    append(clients, over.entries)
    append(clients, over.entries)
    before = table(clients)
    with pytest.raises(SupersededError, match="has ended"):
        append(clients, played("b").entries)
    assert table(clients) == before


def test_one_that_was_reset_and_ends_in_the_same_breath_is_found_again(clients: WorldClients) -> None:
    """Its answer was lost, and the epoch that it began stands: the same life is told of that, and not left behind."""
    append(clients, played("a", "b").entries)
    reset = played("a", "c")
    reset.say("false_alarm", "cto", minutes(5), reason="a test")
    assert append(clients, reset.entries) == 2
    before = table(clients)
    assert append(clients, reset.entries) == 2
    assert table(clients) == before
