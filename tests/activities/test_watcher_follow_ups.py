"""What a closed incident has left is watched too: whoever is to be reminded of it, and is not, is told by mail."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from activities.ledger.table import keys, text
from domain.audit.storage_format import chain_key
from domain.model.commands import CompleteTask
from domain.model.timeline import Entry
from domain.rules import decide, tasks
from tests.activities.left_behind import closed
from tests.activities.report_worlds import Played
from tests.activities.watched import Watched, watched
from tests.builders import T0, minutes
from tests.drills import exercise
from tests.records import INCIDENT

DUE = timedelta(days=10)
NOTICED = DUE + minutes(2)
DAY = timedelta(days=1)
SAID = f"[P0] System outage {INCIDENT}: nobody carries it on: incident restore {INCIDENT}"
OWNER_AND_CHAIN = [("devops-lead", SAID), ("technical-manager", SAID)]


@pytest.fixture
def here() -> Iterator[Watched]:
    with watched() as here:
        yield here


def reminded(played: Played, at: timedelta) -> list[Entry]:
    """What is written behind the chain when its owners are reminded."""
    before = len(played.entries)
    played.now = T0 + at
    played.incident.take(tasks.remind(played.incident.state, played.now), played.now)
    return played.entries[before:]


def done(played: Played, at: timedelta) -> list[Entry]:
    """What is written behind the chain when the training is done."""
    before, command = len(played.entries), CompleteTask(by="devops-lead", step="training")
    assert played.incident.hear("complete_task", command, T0 + at, decide.rule_refusal) is None
    return played.entries[before:]


@pytest.fixture
def left(here: Watched) -> Played:
    """A closed incident with work that is left, on record."""
    played = closed()
    here.write(INCIDENT, *played.entries)
    here.pages()
    return played


def reads(here: Watched) -> int:
    """How often anything of the incident's chain was asked for."""
    asked = [one["ExpressionAttributeValues"][":pk"]["S"] for one in here.aws.sent("Query")]
    here.aws.calls.clear()
    return sum(one.startswith(f"chain#{INCIDENT}") for one in asked)


def test_a_reminder_that_does_not_come_is_told_by_mail(here: Watched, left: Played) -> None:
    """Two minutes after it was due, to its owner and the first of the chain; again each day, and no page at night."""
    assert here.looks(NOTICED - timedelta(seconds=1)) == []
    (found,) = here.looks(NOTICED)
    assert (found.incident, found.what, found.due_at) == (INCIDENT, "training overdue", T0 + DUE)
    assert (sorted(found.paged), found.can_go_on) == (["devops-lead", "technical-manager"], True)
    assert here.pages() == OWNER_AND_CHAIN
    for at, mails in ((minutes(30), []), (DAY - minutes(1), []), (DAY, OWNER_AND_CHAIN), (DAY + minutes(75), [])):
        assert here.looks(NOTICED + at)
        assert here.pages() == mails
    (silence,) = here.silences(INCIDENT)
    assert (silence.what, silence.rounds, len(silence.told)) == ("training overdue", 2, 4)


def test_it_is_told_by_mail_and_says_what_is_left(here: Watched, left: Played) -> None:
    here.give_mail()
    assert here.looks(NOTICED)
    assert here.aws.sent("SendTextMessage") == []
    bodies = here.mailed()
    assert len(bodies) == 2
    assert all("Train (devops-lead)" in one and f"incident restore {INCIDENT}" in one for one in bodies)


def test_while_owners_are_reminded_nothing_is_missed(here: Watched, left: Played) -> None:
    """Restored, it is carried on; after its last task nobody is told any more."""
    assert here.looks(NOTICED)
    here.pages()
    here.write(INCIDENT, *reminded(left, NOTICED + minutes(1)))
    assert here.looks(NOTICED + minutes(2)) == []
    (found,) = here.looks(NOTICED + DAY)
    assert found.due_at == T0 + DUE + DAY
    here.pages()
    here.write(INCIDENT, *done(left, NOTICED + DAY + minutes(1)))
    assert here.looks(NOTICED + DAY + minutes(2)) == []
    assert here.looks(NOTICED + 400 * DAY) == []
    assert here.pages() == []


def test_its_record_is_read_again_once_that_has_changed_alone(here: Watched, left: Played) -> None:
    """Else its newest entry is looked up, which is two queries."""
    here.looks(DAY)
    reads(here)
    here.looks(2 * DAY)
    assert reads(here) == 2


def test_what_is_over_for_good_is_not_read_again(here: Watched) -> None:
    """By no other worker either: it stands in the ledger an hour after the end, by when all of it is written."""
    played = closed()
    done(played, timedelta(0))
    here.write(INCIDENT, *played.entries)
    here.looks(minutes(59))
    assert reads(here) > 0
    here.looks(minutes(61))
    assert reads(here) > 0
    here.looks(minutes(62))
    assert reads(here) == 0
    here.looks(minutes(63), here.another())
    assert reads(here) == 0


@pytest.mark.parametrize("given", [{"mode": "drill", "drill": exercise()}], ids=["drill"])
def test_what_leaves_nothing_is_over(here: Watched, given: dict[str, Any]) -> None:
    played = closed(**given)
    assert played.incident.state.open_tasks()
    here.write(INCIDENT, *played.entries)
    here.pages()
    assert here.looks(NOTICED) == []
    assert here.pages() == []


def test_an_ended_record_that_cannot_be_read_is_left_to_the_audit(here: Watched, left: Played) -> None:
    """Nobody is paged at night for what is over; it is looked at again once it has changed."""
    item = here.table.get(keys(chain_key(INCIDENT, 1), "000002"))
    assert item is not None
    here.table.put({**item, "content": text("{")}, "attribute_exists(pk)")
    assert here.looks(NOTICED) == []
    assert here.pages() == []


def test_a_page_from_before_the_end_is_not_missed_afterwards(here: Watched) -> None:
    """Whatever became of it, and though the incident has left work."""
    played = closed(Played)
    assert not any(page.settled for page in played.incident.state.pages)
    here.write(INCIDENT, *played.entries)
    assert here.looks(minutes(4)) == []
