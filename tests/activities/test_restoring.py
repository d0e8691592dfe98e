"""What is read back to go on with: the incident as its signed record has it, and no more than that says."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from activities.action import RuleError
from activities.ledger.restoring import Restorer
from activities.ledger.store import LedgerStore
from activities.ledger.terms import TERM
from domain.audit.storage_format import chain_key, seal_place
from domain.model.activity_io import AppendCall, FollowCall
from domain.model.event_kinds import Happening
from domain.model.restoring import RestorableCall, RestoreCall, RestoredIncident
from domain.model.timeline import Entry, Timeline
from domain.model.work_events import ReportStored
from domain.rules.evolve import fold
from domain.values import ids
from tests.activities.ledger_worlds import BUCKET, append, ledger_and_vault, objects, place, stored, table
from tests.activities.report_worlds import Played
from tests.activities.scopes import environment
from tests.activities.world import LEDGER, WorldClients
from tests.builders import T0, declaration, minutes
from tests.drills import exercise
from tests.house import FixedHouse
from tests.proven import Proving
from tests.records import INCIDENT

TRAINED = {"step": "training", "title": "Train", "status": "done", "note": ""}
HOUSE = FixedHouse(place())
CALL = RestoreCall(incident=INCIDENT, holder="run-1")


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as clients:
        yield clients


def outage() -> Played:
    """An acknowledged outage whose rollback waits for a vote."""
    played = Proving(declaration(environment=place()))
    played.say("acknowledge", "devops-lead", minutes(3))
    played.say("request_change", "devops-lead", step="rollback")
    played.plan("rollback")
    return played


def closed(**given: Any) -> Played:
    """An outage that is closed: training of staff, which nobody had to do before, is left."""
    played = Played(declaration(environment=place(), **given))
    played.say("acknowledge", "devops-lead", minutes(3))
    played.say("mitigated", "devops-lead", summary="rolled back")
    played.say("resolve", "devops-lead", summary="steady")
    played.say("waive_task", "devops-lead", step="assess", reason="a drill")
    played.say("waive_task", "devops-lead", step="review", reason="a drill")
    assert played.say("close", "devops-lead") is None
    played.incident.take([Happening(ReportStored(places=("reports/1.md",)))], played.now)
    return played


def restored(clients: WorldClients) -> RestoredIncident:
    return Restorer(clients, HOUSE).restore(CALL, INCIDENT)


def written(clients: WorldClients, played: Played) -> list[Entry]:
    append(clients, played.entries)
    return list(played.entries)


def everything(clients: WorldClients) -> tuple[Any, Any]:
    return table(clients), objects(clients)


def rewrite(clients: WorldClients, number: int, old: str, new: str) -> None:
    """Change what an entry says, as somebody may who can write to the table."""
    key = {"pk": {"S": chain_key(INCIDENT, 1)}, "sk": {"S": f"{number:06d}"}}
    database = clients.inner.client("dynamodb")
    item = database.get_item(TableName=LEDGER, Key=key)["Item"]
    assert old in item["content"]["S"]
    item["content"]["S"] = item["content"]["S"].replace(old, new)
    database.put_item(TableName=LEDGER, Item=item)


def test_an_intact_record_is_its_incident(clients: WorldClients) -> None:
    """The state is the fold of the entries; the chain goes on behind the last one, under the next term."""
    entries = written(clients, outage())
    before = everything(clients)
    found = restored(clients)
    assert found.state == fold(entries) == outage().incident.state
    assert (found.length, found.head, found.until) == (len(entries), entries[-1].hash, entries[-1].at)
    assert (found.epoch, found.term, found.intended, found.followed) == (1, 2, {}, 0)
    assert restored(clients) == found
    assert Restorer(clients, HOUSE).restore(CALL.model_copy(update={"holder": "run-2"}), INCIDENT).term == 3
    rows, heads = everything(clients)
    assert rows.pop((f"chain#{INCIDENT}", TERM)) == {"number": "3", "holder": "run-2"}
    assert (rows, heads) == before


def test_what_was_written_until_the_term_was_taken_counts(clients: WorldClients) -> None:
    """A life whose server is not dead after all may write between the first look and the term: it counts."""
    played = outage()
    entries = written(clients, played)
    played.say("note", "cto", text="at the last moment")

    class Writing:
        def __init__(self) -> None:
            self.begun = False

        def client(self, service: str) -> Any:
            found = clients.client(service)
            return _Before(found, self.write) if service == "dynamodb" else found

        def once(self, service: str) -> Any:
            return clients.once(service)

        def write(self) -> None:
            if not self.begun:
                self.begun = True
                append(clients, played.entries[len(entries) :])

    found = Restorer(Writing(), HOUSE).restore(CALL, INCIDENT)
    assert found.length == len(entries) + 1
    assert found.head == played.entries[-1].hash


class _Before:
    """A client whose first `put_item` comes after somebody else's work."""

    def __init__(self, inner: Any, work: Callable[[], None]) -> None:
        self._inner = inner
        self._work = work

    def __getattr__(self, name: str) -> Any:
        if name == "put_item":
            self._work()
        return getattr(self._inner, name)


def test_the_newest_epoch_is_gone_on_with(clients: WorldClients) -> None:
    """After a reset the incident is what the newest epoch comes to, and its chain goes on there."""
    played = outage()
    entries = written(clients, played)
    again = Played(declaration(environment=place()))
    again.say("acknowledge", "cto", minutes(4))
    append(clients, again.entries)
    found = restored(clients)
    assert (found.state.commander, found.epoch, found.length) == ("cto", 2, len(again.entries))
    assert len(again.entries) < len(entries)


def test_entries_that_are_not_signed_yet_count(clients: WorldClients) -> None:
    """The server may die between an entry and its signed head: what is signed proves all but the newest entries."""
    played = outage()
    append(clients, played.entries[:-2])
    append(clients, played.entries[-2:], where=environment())
    assert len(objects(clients)) == 1
    assert restored(clients).length == len(played.entries)


@pytest.mark.parametrize("tampering", ["an entry", "a deletion", "a signed head"])
def test_a_record_that_is_not_intact_is_refused(clients: WorldClients, tampering: str) -> None:
    """Who changed or removed what is signed gets no incident made of it; nothing is written, no term taken."""
    entries = written(clients, outage())
    if tampering == "an entry":
        rewrite(clients, 2, "orchestrator", "somebody-else")
    elif tampering == "a deletion":
        key = {"pk": {"S": chain_key(INCIDENT, 1)}, "sk": {"S": f"{len(entries):06d}"}}
        clients.inner.client("dynamodb").delete_item(TableName=LEDGER, Key=key)
    else:
        forged = seal_place(INCIDENT, 1, 2)
        clients.inner.client("s3").put_object(Bucket=BUCKET, Key=forged, Body=b"{}")
    before = everything(clients)
    with pytest.raises(RuleError, match=f"the record of {INCIDENT} is not intact"):
        restored(clients)
    (found,) = Restorer(clients, HOUSE).open_ones(RestorableCall())
    assert found.problem is not None
    assert "not intact" in found.problem
    assert everything(clients) == before


def test_a_record_that_makes_no_incident_is_refused(clients: WorldClients) -> None:
    """A whole chain of entries that does not begin with a declaration, or is not there, is said to be none."""
    undeclared = Timeline()
    undeclared.append(T0, "devops-lead", "note", "seen", {"text": "seen"})
    append(clients, undeclared.entries)
    with pytest.raises(RuleError, match="does not begin with a declaration"):
        restored(clients)
    with pytest.raises(RuleError, match="no record of inc-20261123-0000"):
        Restorer(clients, HOUSE).restore(RestoreCall(incident="inc-20261123-0000", holder="run-1"), "inc-20261123-0000")


def test_a_record_of_another_environment_is_refused(clients: WorldClients) -> None:
    """A worker restores what was declared where it serves, whatever else stands in the table that it reads."""
    written(clients, outage())
    other = FixedHouse(place().model_copy(update={"name": "staging"}))
    with pytest.raises(RuleError, match="this worker serves staging alone"):
        Restorer(clients, other).restore(CALL, INCIDENT)


def test_what_has_ended_is_not_begun_again(clients: WorldClients) -> None:
    """A false alarm whose report is stored is over: no term is taken for it, and it is not listed."""
    played = outage()
    played.say("false_alarm", "devops-lead", reason="a drill")
    played.incident.take([Happening(ReportStored(places=("reports/1.md",)))], played.now)
    written(clients, played)
    before = everything(clients)
    with pytest.raises(RuleError, match="is false-alarm: there is nothing to restore"):
        restored(clients)
    assert Restorer(clients, HOUSE).open_ones(RestorableCall()) == []
    assert everything(clients) == before


def test_an_end_that_was_cut_is_gone_on_with(clients: WorldClients) -> None:
    """One that had ended without its report on record still has that to do."""
    played = outage()
    played.say("false_alarm", "devops-lead", reason="a drill")
    written(clients, played)
    (found,) = Restorer(clients, HOUSE).open_ones(RestorableCall(incident=INCIDENT))
    assert (found.status, found.over) == ("false-alarm", False)
    assert restored(clients).state.ended


def test_the_work_that_a_closed_one_left_is_gone_on_with(clients: WorldClients) -> None:
    """A closed incident with open tasks is listed as over; its work goes on behind what it has written already."""
    played = closed()
    entries = written(clients, played)
    said = {"actor": "devops-lead", "kind": "note", "text": "booked", "data": {"text": "booked"}}
    for number in (1, 2):
        call = FollowCall(incident=INCIDENT, environment=place().name, number=number, at=played.now, term=1, **said)
        LedgerStore(clients, place()).follow_once(call)
    (found,) = Restorer(clients, HOUSE).open_ones(RestorableCall())
    assert (found.status, found.over, found.entries) == ("closed", True, len(entries) + 2)
    back = Restorer(clients, HOUSE).restore(CALL, f"{INCIDENT}/follow-up")
    assert (back.length, back.followed) == (len(entries) + 2, 2)
    assert [task.step for task in back.state.open_tasks()] == ["training"]


def test_a_closed_one_without_work_is_not(clients: WorldClients) -> None:
    """Once the last task is done nothing is left to go on with."""
    played = closed()
    written(clients, played)
    done = {"actor": "devops-lead", "kind": "task", "text": "done", "data": TRAINED}
    call = FollowCall(incident=INCIDENT, environment=place().name, number=1, at=played.now, term=1, **done)
    LedgerStore(clients, place()).follow_once(call)
    assert Restorer(clients, HOUSE).open_ones(RestorableCall()) == []


def test_a_closed_drill_leaves_no_work(clients: WorldClients) -> None:
    """Whatever tasks nobody has done in it."""
    played = closed(mode="drill", drill=exercise())
    assert played.incident.state.open_tasks()
    written(clients, played)
    assert Restorer(clients, HOUSE).open_ones(RestorableCall()) == []


def test_looking_changes_nothing(clients: WorldClients) -> None:
    """A dry run lists each open incident with where it stands, and leaves every item and object as it was."""
    played = outage()
    entries = written(clients, played)
    other = Played(declaration(environment=place(), incident_id="inc-20261124-0001", title="Another", key="alarm"))
    call = AppendCall(incident="inc-20261124-0001", environment=place().name, epoch=1, entries=other.entries)
    LedgerStore(clients, place()).append(call)
    before = everything(clients)
    one, two = Restorer(clients, HOUSE).open_ones(RestorableCall())
    said = (one.incident, one.title, one.type, one.severity, one.status)
    assert said == (INCIDENT, "Portal down", "system-outage", "P0", "acknowledged")
    assert (one.entries, one.until, one.over, one.problem) == (len(entries), entries[-1].at, False, None)
    assert (two.incident, two.key) == ("inc-20261124-0001", ids.key_workflow_id(place().name, "alarm"))
    (alone,) = Restorer(clients, HOUSE).open_ones(RestorableCall(incident="inc-20261124-0001"))
    assert alone == two
    assert everything(clients) == before


def test_a_record_that_nobody_signs_is_restored(clients: WorldClients) -> None:
    """Where the environment names no evidence bucket the chain alone is checked."""
    played = Played(declaration(environment=environment()))
    played.wait(minutes(1))
    append(clients, played.entries, where=environment())
    assert restored(clients).length == len(played.entries)
    rewrite(clients, 2, "orchestrator", "somebody-else")
    with pytest.raises(RuleError, match="not intact"):
        restored(clients)
    assert stored(clients).seals == []
