"""Of all the lives of an incident only the latest writes its record and acts for it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.action import RuleError
from activities.changes.intents import Intent, Intents
from activities.changes.runner import ChangeRunner
from activities.ledger.store import LedgerStore
from activities.ledger.table import Table
from activities.ledger.terms import SupersededError, Terms
from domain.model.activity_io import AppendCall, Appended, FollowCall
from domain.model.timeline import Entry
from tests.activities.dial import Dial, planned
from tests.activities.ledger_worlds import Cutting, ledger_and_vault, objects, place, table, verdict
from tests.activities.scopes import NOW
from tests.activities.world import LEDGER, WorldClients
from tests.records import INCIDENT, timeline

WRITE = "transact_write_items"


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as clients:
        yield clients


@pytest.fixture
def terms(clients: WorldClients) -> Terms:
    return Terms(Table(clients, LEDGER))


def append(clients: Any, entries: list[Entry], term: int) -> Appended:
    call = AppendCall(incident=INCIDENT, environment=place().name, epoch=1, term=term, entries=entries)
    return LedgerStore(clients, place()).append(call)


def follow(clients: Any, term: int) -> Entry:
    said = {"actor": "cto", "kind": "task", "text": "done", "data": {"step": "review"}}
    call = FollowCall(incident=INCIDENT, environment=place().name, number=1, at=NOW, term=term, **said)
    return LedgerStore(clients, place()).follow_once(call)


def test_the_first_term_is_taken_by_nobody(clients: WorldClients, terms: Terms) -> None:
    """A declared incident is in term 1 without an item that says so, and writes under it."""
    append(clients, timeline(3).entries, 1)
    assert terms.current(INCIDENT) == 1
    terms.check(INCIDENT, 1)
    assert len(table(clients)) == 3


def test_each_run_takes_one_term(terms: Terms) -> None:
    """The next run takes the next term; the same run again, as after a lost answer, keeps what it took."""
    assert [terms.take(INCIDENT, run) for run in ("a", "a", "b", "b", "a")] == [2, 2, 3, 3, 4]
    assert terms.current(INCIDENT) == 4
    assert terms.current("inc-20261123-0000") == 1


def test_of_two_that_take_at_once_one_does(clients: WorldClients, terms: Terms) -> None:
    """Who comes second between the look and the put is refused, and no term is given twice."""

    class Overtaken(Cutting):
        def call(self, name: str, found: Callable[..., Any], asked: dict[str, Any]) -> Any:
            if name == "put_item":
                terms.take(INCIDENT, f"quicker {terms.current(INCIDENT)}")
            return found(**asked)

    slower = Terms(Table(Overtaken(clients, "", 0, done=False), LEDGER))
    for taken in (2, 3):
        with pytest.raises(RuleError, match="just being restored"):
            slower.take(INCIDENT, "slower")
        assert terms.current(INCIDENT) == taken


def test_an_older_life_writes_nothing_any_more(clients: WorldClients, terms: Terms) -> None:
    """New entries, entries that another epoch would take, and such as stand there already are all refused."""
    append(clients, timeline(3).entries, 1)
    terms.take(INCIDENT, "second life")
    before = table(clients), objects(clients)
    forked = timeline(6, "forked", timeline(2))
    for entries in (timeline(6).entries[3:], forked.entries[2:], timeline(3).entries):
        with pytest.raises(SupersededError, match=r"goes on under .*; this is term 1"):
            append(clients, entries, 1)
    assert (table(clients), objects(clients)) == before
    assert append(clients, timeline(6).entries[3:], 2).written == 6


def test_what_follows_the_end_is_refused_to_an_older_life(clients: WorldClients, terms: Terms) -> None:
    """Its follow-up work has nothing more to say; a person, who is of no life, still has."""
    append(clients, timeline(3).entries, 1)
    terms.take(INCIDENT, "second life")
    with pytest.raises(SupersededError):
        follow(clients, 1)
    assert follow(clients, 2).seq == 4
    assert verdict(clients).flaws == []


def test_an_older_life_changes_nothing_any_more(clients: WorldClients, terms: Terms) -> None:
    """Neither a change that has no intent on record, nor one whose answer was lost: nothing is read, locked or done."""
    dial, runner = Dial(clients), ChangeRunner(clients)
    call = planned(runner, dial)
    terms.take(call.scope.incident, "second life")
    before = table(clients)
    with pytest.raises(SupersededError):
        runner.apply(dial, call, NOW)
    assert (dial.written, table(clients)) == ([], before)
    assert runner.apply(dial, call.model_copy(update={"term": 2}), NOW).outcome == "applied"
    terms.take(call.scope.incident, "third life")
    before = table(clients)
    with pytest.raises(SupersededError):
        runner.apply(dial, call.model_copy(update={"term": 2}), NOW)
    assert (dial.written, table(clients)) == (["left", "right"], before)


def test_a_term_taken_during_an_attempt_stops_it_before_it_acts(clients: WorldClients, terms: Terms) -> None:
    """The intent is put under the term, and put again by an attempt that finds it: either is refused in between."""

    class Taking(Cutting):
        def call(self, name: str, found: Callable[..., Any], asked: dict[str, Any]) -> Any:
            if name == WRITE:
                terms.take(INCIDENT, f"life {terms.current(INCIDENT) + 1}")
            return found(**asked)

    dial, runner = Dial(clients), ChangeRunner(Taking(clients, "", 0, done=False))
    call = planned(runner, dial)
    with pytest.raises(SupersededError):
        runner.apply(dial, call, NOW)
    assert Intents(Table(clients, LEDGER)).get(INCIDENT, call.step, 1) is None
    intent = Intent.of(call.plan, (INCIDENT, call.step, 1), call.action_id, call.approvers, NOW)
    Intents(Table(clients, LEDGER)).put(intent, terms.current(INCIDENT))
    with pytest.raises(SupersededError):
        runner.apply(dial, call.model_copy(update={"term": 2}), NOW)
    assert dial.written == []


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError"])
def test_a_cancelled_transaction_is_no_answer(clients: WorldClients, code: str) -> None:
    """One that collides with another at the same item wrote nothing: that is an error, and a repeat writes it."""

    class Colliding(Cutting):
        def call(self, name: str, found: Callable[..., Any], asked: dict[str, Any]) -> Any:
            if name != WRITE:
                return found(**asked)
            reasons = [{"Code": code}, *({"Code": "None"} for _ in asked["TransactItems"][1:])]
            kind = clients.inner.client("dynamodb").exceptions.TransactionCanceledException
            raise kind(
                {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons},
                "TransactWriteItems",
            )

    colliding = Colliding(clients, "", 0, done=False)
    dial, runner = Dial(clients), ChangeRunner(colliding)
    with pytest.raises(ClientError, match="TransactionCanceled"):
        append(colliding, timeline(3).entries, 1)
    with pytest.raises(ClientError, match="TransactionCanceled"):
        runner.apply(dial, planned(runner, dial), NOW)
    assert dial.written == []
    assert append(clients, timeline(3).entries, 1).written == 3
    assert verdict(clients).flaws == []
