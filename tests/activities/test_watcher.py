"""The watcher pages about what nobody carries on, once in each round, and about nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from activities.ledger.store_time import ClockError
from activities.ledger.table import keys, text
from domain.audit.storage_format import chain_key
from domain.model.event_kinds import event_of
from domain.model.timeline import Entry
from domain.rules import clock, evolve, tasks
from tests.activities.store_clock import StoreClock
from tests.activities.watched import Watched, all_at_once, watched
from tests.builders import T0, declaration, minutes
from tests.domain.record_ledgers import Recorded
from tests.domain.test_recorded_ledgers import RECORDED, entries
from tests.domain.test_unattended import GRACE, Well
from tests.records import INCIDENT

ABOUT = f"[P0] System outage {INCIDENT}: nobody carries it on: incident restore {INCIDENT}"
UNREADABLE = f"[P0] An incident {INCIDENT}: nobody carries it on: incident audit verify {INCIDENT}"
LEADS = ["development-lead", "devops-lead", "security-lead", "technical-manager"]
EVERYBODY = [(who, ABOUT) for who in LEADS]


@pytest.fixture
def here() -> Iterator[Watched]:
    with watched() as here:
        yield here


@pytest.fixture
def silent(here: Watched) -> Watched:
    """A P0 that has paged at once, and then nothing: its round at five minutes does not come."""
    played = Recorded(declaration())
    here.write(INCIDENT, *played.entries)
    here.pages()
    return here


def test_what_is_due_and_does_not_happen_is_paged(silent: Watched) -> None:
    """Two minutes after it was due; whom that round would have paged, by the worker's own file, and nobody else."""
    assert silent.looks(minutes(7) - timedelta(seconds=1)) == []
    assert silent.pages() == []
    (found,) = silent.looks(minutes(7))
    assert (found.incident, found.what, found.due_at) == (INCIDENT, "page again", T0 + minutes(5))
    assert sorted(found.paged) == LEADS
    said = silent.aws.sent("SendTextMessage")[0]["MessageBody"]
    assert f"incident restore {INCIDENT}" in said
    assert silent.pages() == EVERYBODY


def test_it_is_paged_again_with_growing_pauses(silent: Watched) -> None:
    """However often it is looked at; and what was done stands on record beside the chain."""
    for at, pages in ((7, 4), (7.5, 0), (11, 0), (12, 4), (21, 0), (22, 5), (41, 0), (42, 6), (81, 0), (82, 6)):
        (found,) = silent.looks(minutes(at))
        assert len(silent.pages()) == len(found.paged) == pages, at
    (silence,) = silent.silences(INCIDENT)
    assert (silence.what, silence.due_at, silence.noticed_at) == ("page again", T0 + minutes(5), T0 + minutes(7))
    assert (silence.rounds, len(silence.told), silence.claim) == (5, 25, None)


def test_what_was_begun_to_restore_it_stands_on_record(silent: Watched) -> None:
    """So that another watcher begins it no second time."""
    (found,) = silent.looks(minutes(7))
    assert silent.watcher.restoring(found) is None
    silent.watcher.note_restore(found, "restore/x")
    assert silent.another().restoring(found) == "restore/x"
    assert silent.another().restoring(found._replace(due_at=T0)) is None


def test_once_it_goes_on_nobody_is_paged(silent: Watched) -> None:
    """Restored, it has what was due on record."""
    assert silent.looks(minutes(7))
    silent.pages()
    played = Recorded(declaration())
    before = len(played.entries)
    played.wait(minutes(20))
    silent.write(INCIDENT, *played.entries[before:])
    assert silent.looks(minutes(21)) == []
    assert silent.pages() == []


def test_what_the_hands_have_sent_has_happened(silent: Watched) -> None:
    """Its record is not written, and its pages go out: it is carried on. Ten minutes after the last it is silent."""
    silent.send(f"{INCIDENT}/page/5", T0 + minutes(5))
    assert silent.looks(minutes(8)) == []
    assert silent.looks(minutes(15) - timedelta(seconds=1)) == []
    assert silent.pages() == []
    assert silent.looks(minutes(15))


def test_pages_that_never_reach_the_hands_are_missed(here: Watched) -> None:
    """On record as asked for, and swallowed on their way; one that the hands are at is not."""
    played = Recorded(declaration())
    asked = next(number for number, entry in enumerate(played.entries, start=1) if entry.kind == "delivery")
    here.write(INCIDENT, *played.entries[: asked - 1])
    for number in (1, 3, 4):
        here.send(f"{INCIDENT}/page/{number}", T0)
    here.pages()
    assert here.looks(minutes(1.9)) == []
    (found,) = here.looks(minutes(2))
    assert found.what == "page development-lead"
    assert here.pages() == EVERYBODY


def test_of_two_watchers_one_pages(silent: Watched) -> None:
    """At the same moment, and one after the other."""
    watchers = [silent.another() for _ in range(3)]
    silent.at = T0 + minutes(7)
    found = all_at_once(*(watcher.look for watcher in watchers))
    assert sorted(len(one[0].paged) for one in found) == [0, 0, 4]
    assert [silent.looks(minutes(8), one)[0].paged for one in watchers] == [()] * 3
    assert silent.pages() == EVERYBODY


class KilledError(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("number", [1, 3])
def test_a_watcher_that_is_killed_amid_it_pages_nobody_twice(silent: Watched, number: int) -> None:
    """The next takes it up after a minute: each person has one page."""
    killed: list[Any] = []

    def dies(asked: dict[str, Any]) -> None:
        killed.append(asked)
        if len(killed) == number:
            raise KilledError

    silent.aws.answer("SendTextMessage", dies)
    with pytest.raises(KilledError):
        silent.looks(minutes(7))
    reached = len(silent.pages()) - 1  # the last one was not handed over
    assert reached == number - 1
    silent.aws.answer("SendTextMessage", lambda _asked: None)
    assert silent.looks(minutes(7.5), silent.another())[0].paged == ()
    silent.looks(minutes(8), silent.another())
    # whether the page that it died of had gone out is not known: that person's only channel waits for five minutes
    assert len(silent.pages()) == len(LEADS) - number
    silent.looks(minutes(11.9), silent.another())
    assert silent.pages() == []
    silent.looks(minutes(12), silent.another())  # the next round
    assert silent.pages() == EVERYBODY


def test_who_cannot_be_reached_is_tried_again(silent: Watched) -> None:
    """By the next look; the others are not paged again."""

    def away(asked: dict[str, Any]) -> None:
        if asked["DestinationPhoneNumber"] == "+61491570001":
            raise EndpointConnectionError(endpoint_url="https://sms-voice")

    silent.aws.answer("SendTextMessage", away)
    assert sorted(silent.looks(minutes(7))[0].paged) == ["devops-lead", "security-lead", "technical-manager"]
    silent.aws.answer("SendTextMessage", lambda _asked: None)
    silent.pages()
    assert silent.looks(minutes(7.5))[0].paged == (*LEADS[1:2], "development-lead", *LEADS[2:])
    assert silent.pages() == [("development-lead", ABOUT)]


def test_where_the_ledger_cannot_be_asked_it_says_so(silent: Watched) -> None:
    """And so it does where this machine's clock is off: nobody takes silence for a good sign."""
    silent.aws.fail("Query", "ProvisionedThroughputExceededException")
    with pytest.raises(Exception, match="ProvisionedThroughput"):
        silent.looks(minutes(7))


def test_a_machine_whose_clock_is_off_watches_nothing(silent: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another does; nobody is paged by it, and it says why."""
    store = StoreClock(monkeypatch, silent.table)
    store.move(minutes(6))
    with pytest.raises(ClockError, match="behind the store's"):
        silent.looks(minutes(7))
    assert silent.pages() == []
    store.move(-minutes(6))
    assert silent.looks(minutes(7))


def test_one_watches_by_its_lease(here: Watched) -> None:
    """Another takes over once it is over, or given back."""
    first, second = here.another(), here.another()
    assert first.is_the_one()
    assert not second.is_the_one()
    here.at = T0 + timedelta(seconds=80)
    assert first.is_the_one()
    assert not second.is_the_one()
    here.at = T0 + timedelta(seconds=80 + 90)
    assert second.is_the_one()
    assert not first.is_the_one()
    first.leave()
    assert not first.is_the_one()
    second.leave()
    assert first.is_the_one()


def test_a_record_that_cannot_be_read_is_a_silence_too(silent: Watched) -> None:
    """Nobody can tell whether it is carried on: those on call are told to look, and that it cannot be restored."""
    item = silent.table.get(keys(chain_key(INCIDENT, 1), "000002"))
    assert item is not None
    silent.table.put(
        {**item, "content": text(item["content"]["S"].replace("devops", "nobody"))}, "attribute_exists(pk)"
    )
    (found,) = silent.looks(minutes(1))
    assert found.what == "its record cannot be read: the chain is broken at entry 2"
    assert (found.paged, found.can_go_on) == (("technical-manager",), False)
    assert silent.pages() == [("technical-manager", UNREADABLE)]


@pytest.mark.parametrize("odd", ["a row without a hash", "no time that there is"])
def test_one_that_cannot_be_looked_at_hides_no_other(silent: Watched, odd: str) -> None:
    """Whatever a stranger has made of it: it is told like a record that cannot be read, and hides no other."""
    other = "inc-20261123-7f3a"
    organisation = silent.house.people
    if odd == "no time that there is":
        severities = {
            name: policy.model_copy(update={"respond": datetime.max.replace(tzinfo=UTC) - T0 - minutes(1)})
            for name, policy in organisation.severities.items()
        }
        organisation = organisation.model_copy(update={"severities": severities})
    silent.write(other, *Recorded(declaration(incident_id=other, organisation=organisation)).entries)
    if odd == "a row without a hash":
        silent.table.put({**keys(chain_key(other, 1), "current-term"), "number": {"N": "2"}})
    for at in (7, 60):
        found = {one.incident: one for one in silent.looks(minutes(at))}
        assert found[INCIDENT].what == "page again"
    if odd == "a row without a hash":
        assert found[other].what == "its record cannot be read: it cannot be looked at (KeyError)"
        assert not found[other].can_go_on


def test_what_has_ended_is_not_looked_at(here: Watched) -> None:
    """Where it has left nothing to do; nor is what is another environment's, though it stands in the same table."""
    played = Recorded(declaration())
    played.say("false_alarm", "devops-lead", reason="a test")
    here.write(INCIDENT, *played.entries)
    here.pages()
    assert here.looks(minutes(500)) == []
    other = "inc-20261123-7f3z"
    place = here.house.environment()
    here.house.place = place.model_copy(update={"name": "another"})
    here.write(other, *Recorded(declaration(incident_id=other, environment=here.house.place)).entries)
    here.house.place = place
    assert here.looks(minutes(500)) == []
    assert here.pages() == []


@pytest.mark.parametrize("made", [*(file for file in RECORDED if file.stem != "outage-1"), *range(4)], ids=str)
def test_while_all_is_well_nobody_is_paged(made: Path | int) -> None:
    """At every moment at which something of an incident is due, and once its grace is over, as its record grows."""
    record = entries(made) if isinstance(made, Path) else Well(made).entries
    state = evolve.begun(record[0])
    with watched(state.declaration) as here:
        here.write(state.id, record[0])
        sent = 0
        for before, entry in pairwise(record):
            for number in range(sent + 1, len(state.pages) + 1):
                here.send(f"{state.id}/page/{number}", before.at)
            sent = len(state.pages)
            for look in looks_between(state, before, entry):
                assert here.looks(look) == [], entry
            here.write(state.id, entry)
            state = evolve.evolve(state, entry, event_of(entry))
        assert here.pages() == []


def looks_between(state: Any, before: Entry, entry: Entry) -> list[datetime]:
    dues = {due.at for due in (*clock.upcoming(state), *clock.voting_ends(state))}
    dues |= {at for at, _ in tasks.upcoming(state)}
    return sorted(look for look in {entry.at, *dues, *(due + GRACE for due in dues)} if before.at <= look < entry.at)
