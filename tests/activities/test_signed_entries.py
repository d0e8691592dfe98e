"""The record takes what counts with the proof of whoever did it, once, and of nobody else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from activities.action import RuleError
from activities.ledger.appending import Appender
from activities.strange_requests import Strange, StrangeRequestError
from authority.claims import Act
from domain.config.delegation import Delegation
from domain.model.activity_io import AppendCall, FollowCall
from domain.model.event_kinds import event_of
from domain.model.timeline import Entry, Timeline
from tests.activities.ledger_worlds import ledger_and_vault, place, table
from tests.activities.world import WorldClients
from tests.builders import declaration, minutes, runbook
from tests.house import FixedHouse, house_of
from tests.people import PEOPLE, People
from tests.proven import Proving
from tests.records import INCIDENT

STAGING = place(kind="staging")
STRANGER = People("cto")
LOWER: dict[str, Any] = {"severity": "P2", "reason": "no patient waits"}


class Kept:
    """An incident and its record, written entry by entry."""

    def __init__(self, clients: WorldClients, delegations: tuple[Delegation, ...] = ()) -> None:
        self.clients = clients
        self.played = Proving(declaration(environment=STAGING, runbook=runbook(), delegations=delegations))
        self.house: FixedHouse = house_of(self.played.incident.state.declaration)
        self.house.keys = PEOPLE.keys()
        self.played.say("acknowledge", "devops-lead", minutes(1))
        self.written = 0
        self.epoch = 1
        self.write()

    def append(self, entries: list[Entry], epoch: int | None = None) -> int:
        call = AppendCall(incident=INCIDENT, environment=STAGING.name, epoch=epoch or self.epoch, entries=entries)
        return Appender(self.clients, self.house).append(call).epoch

    def write(self) -> None:
        """Write what is new."""
        new = self.played.entries[self.written :]
        self.epoch = self.append(new)
        self.written += len(new)

    def say(self, name: str, by: str, after: timedelta = timedelta(seconds=30), **payload: Any) -> None:
        assert self.played.say(name, by, after, **payload) is None

    def refused(self) -> str:
        """Why nothing of what is new is taken."""
        before = table(self.clients)
        with pytest.raises(StrangeRequestError) as refused:
            self.write()
        assert refused.value.kind is Strange.UNPROVEN
        assert table(self.clients) == before
        return str(refused.value)

    def forged(self, forge: Callable[[Entry], Entry]) -> str:
        """Why the last entry is refused, once it is forged."""
        last = self.played.entries[-1]
        other = forge(last)
        event = event_of(other)
        assert event is not None
        other = other.model_copy(update={"text": event.sentence(other.actor)})
        self.played.entries[-1] = other.model_copy(update={"hash": other.computed_hash()})
        return self.refused()


@pytest.fixture
def kept() -> Iterator[Kept]:
    with ledger_and_vault() as clients:
        yield Kept(clients)


def test_what_is_signed_is_taken_once(kept: Kept) -> None:
    """A repeat writes nothing new."""
    kept.say("reclassify", "cto", **LOWER)
    kept.write()
    before = table(kept.clients)
    kept.append(kept.played.entries)
    kept.append(kept.played.entries[-1:])
    assert table(kept.clients) == before
    assert sum("nonce#" in str(row) for row in before) == 2


def _unsigned(entry: Entry) -> Entry:
    return entry.model_copy(update={"cause": {key: entry.cause[key] for key in ("command", "given")}})


def _by_itself(entry: Entry) -> Entry:
    return entry.model_copy(update={"actor": "orchestrator", "cause": {"deadline": "x"}})


def _by_another(entry: Entry) -> Entry:
    return entry.model_copy(update={"actor": "ceo"})


def _of_other_words(entry: Entry) -> Entry:
    return entry.model_copy(update={"data": {**entry.data, "reason": "no patient ever waits"}})


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (_unsigned, "it is not signed"),
        (_by_itself, "orchestrator lowers no P0"),
        (_by_another, "it is signed for somebody else"),
        (_of_other_words, "is not what cto said"),
    ],
    ids=["unsigned", "by-itself", "by-another", "of-other-words"],
)
def test_what_is_not_signed_so_is_refused(kept: Kept, forge: Callable[[Entry], Entry], why: str) -> None:
    kept.say("reclassify", "cto", **LOWER)
    assert why in kept.forged(forge)


def test_another_key_proves_nothing(kept: Kept) -> None:
    kept.say("reclassify", "cto", proof=STRANGER.signed(kept.played.claim("reclassify", "cto", **LOWER)), **LOWER)
    assert "is not proven" in kept.refused()


@pytest.mark.parametrize(
    "other",
    [
        {"organisation": "another"},
        {"environment": "elsewhere"},
        {"incident": "inc-20261123-0000"},
        {"act": Act.CLOSE},
        {"subject": "0" * 64},
        {"step": "assess"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_a_claim_about_something_else_proves_nothing(kept: Kept, other: dict[str, Any]) -> None:
    claim = kept.played.claim("reclassify", "cto", **LOWER).model_copy(update=other)
    kept.say("reclassify", "cto", proof=PEOPLE.signed(claim), **LOWER)
    assert "it is signed for" in kept.refused()


def test_a_claim_is_used_up(kept: Kept) -> None:
    """Whoever holds the queue of workflows says what was said once again, and is not believed."""
    proof = kept.played.proof("reclassify", "cto", **LOWER)
    kept.say("reclassify", "cto", proof=proof, **LOWER)
    kept.say("reclassify", "cto", severity="P0", reason="they do")
    kept.write()
    kept.played.incident.state.nonces.clear()
    kept.say("reclassify", "cto", proof=proof, **LOWER)
    assert "was used for another" in kept.refused()


def test_a_reset_run_says_again_what_was_signed(kept: Kept) -> None:
    """It begins an epoch of its own, in which the claim counts once more."""
    proof = kept.played.proof("reclassify", "cto", **LOWER)
    kept.say("reclassify", "cto", proof=proof, **LOWER)
    kept.write()
    again = Proving(kept.played.incident.state.declaration)
    first = next(entry for entry in kept.played.entries if entry.kind == "acknowledged")
    assert again.say("acknowledge", "devops-lead", minutes(1), proof=first.cause["proof"]) is None
    assert again.say("reclassify", "cto", minutes(3), proof=proof, **LOWER) is None
    assert kept.append(again.entries, epoch=1) == 2


def test_a_key_that_was_revoked_proves_what_was_before(kept: Kept) -> None:
    """Dated after what stands before it, and while the key was good."""
    kept.say("reclassify", "cto", **LOWER)
    kept.house.keys = PEOPLE.keys(cto=kept.played.now + minutes(1))
    kept.write()
    kept.say("reclassify", "cto", minutes(12), severity="P1", reason="one does")
    assert "is not proven" in kept.refused()


@pytest.mark.parametrize("ahead", [minutes(4), minutes(8)], ids=["arrived", "arrived-later-than-dated"])
def test_a_clock_that_is_ahead_holds_nothing_up(kept: Kept, ahead: timedelta) -> None:
    """What was proven when it came goes on record, though its entry is dated a little before that."""
    claim = kept.played.claim("reclassify", "cto", **LOWER)
    later = claim.model_copy(update={"at": claim.at + ahead, "expires": claim.expires + ahead})
    kept.say("reclassify", "cto", proof=PEOPLE.signed(later), **LOWER)
    kept.write()


def test_who_has_left_has_said_it(kept: Kept) -> None:
    """A record that is written late takes what was said by somebody who is no contact any more."""
    kept.say("reclassify", "cto", **LOWER)
    people = kept.house.people
    stay = tuple(one for one in people.contacts if one.id != "cto")
    kept.house.people = people.model_copy(update={"contacts": stay})
    kept.write()


def test_nobody_declares_a_sandbox_here(kept: Kept) -> None:
    """By whose kind nothing would be asked for."""
    other = declaration(environment=place(kind="sandbox"), runbook=runbook(), incident_id="inc-20261123-0ther")
    entries = Proving(other).entries
    call = AppendCall(incident="inc-20261123-0ther", environment=STAGING.name, epoch=1, entries=entries)
    with pytest.raises(StrangeRequestError, match="declared in a sandbox; this is staging"):
        Appender(kept.clients, kept.house).append(call)


def test_a_revoked_key_does_not_date_back(kept: Kept) -> None:
    """Whoever found it dates as they like, but by no more than clocks differ before what is on record."""
    kept.say("note", "devops-lead", minutes(10), text="quiet")
    kept.write()
    kept.house.keys = PEOPLE.keys(cto=kept.played.now - minutes(6))
    kept.played.now -= minutes(8)
    kept.say("reclassify", "cto", timedelta(0), **LOWER)
    assert kept.played.entries[-1].at < kept.played.entries[-2].at
    assert "is not proven" in kept.refused()


def test_the_work_that_is_left_is_signed(kept: Kept) -> None:
    """Behind the chain a required task is done by who proves it; a repeat writes nothing new."""
    kept.say("mitigated", "devops-lead", summary="m")
    kept.say("resolve", "devops-lead", summary="r")
    kept.write()
    kept.say("complete_task", "devops-lead", step="review", note="done")
    entry = kept.played.entries.pop()
    fields: dict[str, Any] = {**entry.said(), "incident": INCIDENT, "environment": STAGING.name, "at": entry.at}
    call = FollowCall(**fields, number=1, term=1)
    appender = Appender(kept.clients, kept.house)
    with pytest.raises(RuleError, match="is not over"):
        appender.follow(call)
    kept.say("false_alarm", "devops-lead", reason="a test")
    kept.write()
    with pytest.raises(RuleError, match="is not signed"):
        appender.follow(call.model_copy(update={"cause": {"command": "complete_task", "given": entry.cause["given"]}}))
    appender.follow(call)
    before = table(kept.clients)
    appender.follow(call)
    assert table(kept.clients) == before
    with pytest.raises(RuleError, match="was said before"):
        appender.follow(call.model_copy(update={"number": 2}))


def test_nothing_is_asked_for_in_a_sandbox() -> None:
    with ledger_and_vault() as clients:
        declared = declaration(environment=place(kind="sandbox"), runbook=runbook())
        made = Proving(declared)
        made.say("acknowledge", "devops-lead")
        bare = Timeline()
        for entry in made.entries:
            cause = {name: value for name, value in entry.cause.items() if name != "proof"}
            bare.append(entry.at, entry.actor, entry.kind, entry.text, entry.data, v=entry.v, cause=cause)
        call = AppendCall(incident=INCIDENT, environment=declared.environment.name, epoch=1, entries=bare.entries)
        assert Appender(clients, house_of(declared)).append(call).written == len(bare.entries)
