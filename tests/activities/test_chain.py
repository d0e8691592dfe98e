"""The ledger of a timeline: every entry once, signed, and never rewritten, whatever dies or is done twice."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.action import RuleError
from activities.ledger.reader import LedgerReader
from activities.ledger.store import LedgerStore
from activities.ledger.table import keys
from domain.audit.storage_format import Seal, chain_key, seal_place
from domain.config.organisation import Channel, Contact
from domain.model.activity_io import AppendCall
from domain.model.commands import Custody
from domain.model.timeline import Entry, Unchained
from domain.rules.custody import behind_the_end
from domain.rules.ledger_progress import BATCH
from tests.activities.ledger_worlds import (
    BUCKET,
    CutError,
    Cutting,
    append,
    forks,
    ledger_and_vault,
    objects,
    place,
    stored,
    table,
    verdict,
)
from tests.activities.scopes import environment
from tests.activities.world import LEDGER, WIRE, WorldClients
from tests.records import INCIDENT, timeline

WRITE = "transact_write_items"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
WHO = Contact(id="security-lead", roles=("security-lead",), channels=(Channel(kind="sms", address="+61491570006"),))


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as clients:
        yield clients


def entries(first: int, last: int, word: str = "seen", common: int = 0) -> list[Entry]:
    """Entries `first` to `last` of a chain whose first `common` are those of the usual one."""
    return timeline(last, word, timeline(common)).entries[first - 1 :]


def handed(reason: str = "for the insurer") -> Unchained:
    command = Custody(by="security-lead", evidence="e-1", event="transferred", to="a laboratory", reason=reason)
    return behind_the_end(command, WHO, None)


def test_a_batch_is_written_and_signed(clients: WorldClients) -> None:
    """Entries stand under their numbers as canonical JSON, and the head is signed and locked."""
    assert append(clients, entries(1, 3)).model_dump() == {"written": 3, "epoch": 1}
    assert append(clients, entries(4, 4)).written == 4
    rows = table(clients)
    assert list(rows) == [(chain_key(INCIDENT, 1), f"{number:06d}") for number in (1, 2, 3, 4)]
    assert [row["content"] for row in rows.values()] == [entry.canonical() for entry in entries(1, 4)]
    assert [key for key, _ in objects(clients)] == [seal_place(INCIDENT, 1, 3), seal_place(INCIDENT, 1, 4)]
    found = clients.inner.client("s3").get_object(Bucket=BUCKET, Key=seal_place(INCIDENT, 1, 4))
    assert found["ObjectLockMode"] == "COMPLIANCE"
    assert (found["ObjectLockRetainUntilDate"] - datetime.now(UTC)).days in {2922, 2923}
    seal = Seal.model_validate_json(found["Body"].read())
    assert (seal.body.seq, seal.body.head) == (4, entries(4, 4)[0].hash)
    assert verdict(clients).flaws == []


def test_a_batch_goes_in_one_transaction(clients: WorldClients) -> None:
    """As many new entries as fit are one request beside the check of the term; the one-by-one path is left alone."""
    append(clients, entries(1, 1))
    clients.calls.clear()
    append(clients, entries(2, BATCH + 1))
    assert [call for call in clients.calls if call.startswith("dynamodb")] == ["dynamodb.transact_write_items"]


def test_a_whole_record_of_one_batch_goes_in_one_transaction(clients: WorldClients) -> None:
    """Also with all that is said beside it: the term, the list, that it is declared, and that it has ended."""
    call = AppendCall(incident=INCIDENT, environment=place().name, epoch=1, entries=entries(1, BATCH))
    beside = [keys(f"declared#{INCIDENT}", name) for name in ("declared", "ended")]
    LedgerStore(clients, place()).append(call, beside)
    assert [call for call in clients.calls if call.startswith("dynamodb")] == ["dynamodb.transact_write_items"]


@pytest.mark.parametrize("done", [False, True], ids=["unsent", "unanswered"])
def test_every_incident_is_listed_once(clients: WorldClients, done: bool) -> None:
    """The list has an incident from its first entry on and not before, whatever died on the way, and has it once."""
    ledger = LedgerReader(clients, place())
    with pytest.raises(CutError):
        append(Cutting(clients, WRITE, 1, done=done), entries(1, 3))
    assert ledger.incidents() == ([INCIDENT] if done else [])
    append(clients, entries(1, 3))
    append(clients, entries(4, 5))
    append(clients, entries(1, 3, "anew"), epoch=1)
    assert ledger.incidents() == [INCIDENT]


def test_the_same_batch_again_writes_nothing(clients: WorldClients) -> None:
    """A repeat answers the same; neither entry nor signed head stands there twice."""
    first = append(clients, entries(1, 5))
    before = table(clients), objects(clients)
    assert append(clients, entries(1, 5)) == first
    assert (table(clients), objects(clients)) == before


def test_overlapping_batches_leave_every_entry_once(clients: WorldClients) -> None:
    """A batch of which a part is there already is filled up."""
    append(clients, entries(1, 5))
    assert append(clients, entries(3, 9)).written == 9
    assert len(table(clients)) == 9
    assert verdict(clients).flaws == []


@pytest.mark.parametrize("done", [False, True], ids=["unsent", "unanswered"])
@pytest.mark.parametrize("operation", [WRITE, "sign", "put_object"])
def test_a_killed_append_repeated(clients: WorldClients, operation: str, done: bool) -> None:
    """Killed anywhere between the write and the answer, a repeat leaves every entry and signed head once."""
    append(clients, entries(1, 3))
    with pytest.raises(CutError):
        append(Cutting(clients, operation, 1, done=done), entries(4, 8))
    append(clients, entries(4, 8))
    append(clients, entries(9, 9))
    assert len(table(clients)) == 9
    assert len(objects(clients)) == 3
    assert verdict(clients).flaws == []


@pytest.mark.parametrize("done", [False, True], ids=["unsent", "unanswered"])
@pytest.mark.parametrize("count", range(1, 7))
def test_a_killed_append_one_by_one_repeated(clients: WorldClients, count: int, done: bool) -> None:
    """Killed at any single put, a repeat fills up what is missing."""
    append(clients, entries(1, 2))
    with pytest.raises(CutError):
        append(Cutting(clients, WRITE, count, done=done), entries(2, 6))
    append(clients, entries(2, 6))
    assert len(table(clients)) == 6
    assert verdict(clients).flaws == []


def test_a_reset_workflow_begins_an_epoch(clients: WorldClients) -> None:
    """Another entry at a number that is taken begins an epoch; what stood there stays, and both are whole."""
    append(clients, entries(1, 8))
    answer = append(clients, entries(5, 9, "anew", common=5))
    assert answer.model_dump() == {"written": 9, "epoch": 2}
    mark = table(clients)[f"chain#{INCIDENT}", "epoch#0002"]
    common, first = entries(1, 5)[-1], entries(6, 6, "anew", common=5)[0]
    assert mark == {"leaves": "1", "after": "5", "prev": common.hash, "first": first.hash}
    assert append(clients, entries(10, 12, "anew", common=5), epoch=2).epoch == 2
    assert forks(clients) == [2]
    found = verdict(clients)
    assert [(e.epoch, e.leaves, e.after, e.last) for e in found.epochs] == [(1, None, 0, 8), (2, 1, 5, 12)]


def test_a_reset_that_writes_the_same_begins_none(clients: WorldClients) -> None:
    """A reset workflow whose entries are the same, or follow where the old one had written none, stays in its epoch."""
    append(clients, entries(1, 8))
    assert append(clients, entries(4, 8)).epoch == 1
    assert append(clients, entries(9, 10, "anew", common=8)).epoch == 1
    assert verdict(clients).flaws == []


@pytest.mark.parametrize("done", [False, True], ids=["unsent", "unanswered"])
@pytest.mark.parametrize(("operation", "count"), [("put_item", 1), *((WRITE, count) for count in range(1, 6))])
def test_a_killed_fork_repeated(clients: WorldClients, operation: str, count: int, done: bool) -> None:
    """Killed at any put of a fork, a repeat finds the epoch that it began, not a third."""
    append(clients, entries(1, 8))
    with pytest.raises(CutError):
        append(Cutting(clients, operation, count, done=done), entries(6, 8, "anew", common=5))
    assert append(clients, entries(6, 8, "anew", common=5)).epoch == 2
    assert forks(clients) == [2]
    assert len(stored(clients).marks) == 1


def test_every_reset_gets_an_epoch_of_its_own(clients: WorldClients) -> None:
    """A second reset, from the old history or the new one, begins the next epoch and says which it leaves."""
    append(clients, entries(1, 8))
    assert append(clients, entries(6, 9, "second", common=5)).epoch == 2
    assert append(clients, entries(4, 9, "third", common=3)).epoch == 3
    fourth = timeline(9, "fourth", timeline(7, "second", timeline(5))).entries[7:]
    assert append(clients, fourth, epoch=2).epoch == 4
    assert append(clients, entries(6, 9, "second", common=5)).epoch == 2
    assert {epoch: mark["leaves"] for epoch, mark in stored(clients).marks.items()} == {2: "1", 3: "1", 4: "2"}
    assert forks(clients) == [2, 3, 4]


def test_without_a_vault_nothing_is_signed(clients: WorldClients) -> None:
    """Where no evidence bucket is named the chain is kept all the same."""
    append(clients, entries(1, 3), where=environment())
    assert (len(table(clients)), objects(clients)) == (3, [])


def test_a_head_that_somebody_else_signed_is_not_left_as_ours(clients: WorldClients) -> None:
    """Where another head stands, or what is none at all, in the place of ours, the append says so and is not done."""
    forged = entries(2, 2, "forged")
    append(clients, forged)
    (theirs, _) = objects(clients)[0]
    body = clients.inner.client("s3").get_object(Bucket=BUCKET, Key=theirs)["Body"].read()
    for number, content in ((3, body), (4, b"{}")):
        clients.inner.client("s3").put_object(Bucket=BUCKET, Key=seal_place(INCIDENT, 1, number), Body=content)
        with pytest.raises(RuleError, match="another signed head"):
            append(clients, entries(number, number))


def test_a_head_is_not_taken_to_stand_because_s3_says_so(clients: WorldClients) -> None:
    """Where nothing stands in its place it is put there by the next attempt."""
    with (
        WIRE.listening(lambda sent: "PreconditionFailed" if sent.operation == "PutObject" else None),
        pytest.raises(ClientError, match="PreconditionFailed"),
    ):
        append(clients, entries(1, 3))
    append(clients, entries(1, 3))
    assert verdict(clients).flaws == []
    assert len(objects(clients)) == 1


def test_a_failing_table_is_told(clients: WorldClients) -> None:
    """An error of AWS other than a taken number comes through, to be retried."""
    clients.inner.client("dynamodb").delete_table(TableName=LEDGER)
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        append(clients, entries(1, 3))


def test_what_follows_the_end_is_chained_and_signed(clients: WorldClients) -> None:
    """An entry after the workflow's end stands behind the newest one of the newest epoch, and is signed."""
    append(clients, entries(1, 8))
    append(clients, entries(6, 7, "anew", common=5))
    entry = LedgerStore(clients, place()).follow(INCIDENT, handed(), NOW)
    assert (entry.seq, entry.kind, entry.at) == (8, "custody", NOW)
    assert entry.data["to"] == "a laboratory"
    again = LedgerStore(clients, place()).follow(INCIDENT, handed(), NOW)
    assert again.seq == 9
    assert (forks(clients), verdict(clients).entries) == ([2], 9)


@pytest.mark.parametrize(("operation", "done", "kept"), [(WRITE, False, 9), (WRITE, True, 9), ("sign", True, 9)])
def test_a_killed_entry_after_the_end_repeated(clients: WorldClients, operation: str, done: bool, kept: int) -> None:
    """Killed before its signed head stands there, a repeat signs the entry and writes no second one."""
    append(clients, entries(1, 8))
    with pytest.raises(CutError):
        LedgerStore(Cutting(clients, operation, 1, done=done), place()).follow(INCIDENT, handed(), NOW)
    assert LedgerStore(clients, place()).follow(INCIDENT, handed(), NOW).seq == kept
    assert len(table(clients)) == kept
    assert verdict(clients).flaws == []


def test_two_that_follow_at_once_both_get_a_place(clients: WorldClients) -> None:
    """Somebody else's entry that comes first takes the number; ours takes the next, in the same epoch."""
    append(clients, entries(1, 8))

    class Overtaken(Cutting):
        def call(self, name: str, found: Callable[..., Any], asked: dict[str, Any]) -> Any:
            if name == WRITE and not self._done:
                self._done = True
                LedgerStore(clients, place()).follow(INCIDENT, handed("quicker"), NOW)
            return found(**asked)

    entry = LedgerStore(Overtaken(clients, WRITE, 0, done=False), place()).follow(INCIDENT, handed("slower"), NOW)
    assert entry.seq == 10
    assert stored(clients).marks == {}
    assert verdict(clients).flaws == []


def test_nothing_follows_what_is_not_there(clients: WorldClients) -> None:
    """An incident that the ledger does not have gets no first entry this way."""
    with pytest.raises(RuleError, match=INCIDENT):
        LedgerStore(clients, place()).follow(INCIDENT, handed(), NOW)
    assert table(clients) == {}
