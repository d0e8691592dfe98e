"""Hands and record take a stand-in for who they stand in for while the worker's own files or the record say so."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.stand_ins import people_at
from activities.strange_requests import StrangeRequestError
from authority.delegations import Withdrawal
from domain.config.delegation import Delegation
from domain.model.activity_io import Ballot
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.ledger_worlds import ledger_and_vault
from tests.activities.scopes import NOW
from tests.activities.test_proven_votes import Asked
from tests.activities.test_signed_entries import LOWER, Kept
from tests.activities.world import WorldClients
from tests.builders import T0, declaration
from tests.delegating import HOUR, delegation, signed
from tests.people import HOME, PEOPLE

HALF = timedelta(minutes=30)
DAY = timedelta(days=1)


def lent(**other: Any) -> Delegation:
    """The CTO has the privacy officer stand in from an hour ago until in an hour, and signs it."""
    span = {"at": NOW - DAY, "since": NOW - HOUR, "until": NOW + HOUR}
    one = delegation(**{"role": "cto", "by": "cto", **span, **other})
    made: Delegation = signed(one, HOME, PEOPLE.tokens[one.by])
    return made


def ended(one: Delegation, by: str, at: datetime = NOW - HALF) -> Withdrawal:
    made: Withdrawal = signed(Withdrawal(ends=one.id, reason="back", by=by, at=at), HOME, PEOPLE.tokens[by])
    return made


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield world_of("ecs.scale_service")


@pytest.fixture
def asked(world: ChangeWorld) -> Asked:
    return Asked(world)


def vote(asked: Asked, by: str = "privacy-officer", at: datetime = NOW) -> Ballot:
    """A vote of somebody for the CTO."""
    return PEOPLE.vote(by, "cto", asked.plan, asked.where, "scale-up", 1, at=at, expires=at + DAY)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (lent(), NOW),
        (lent(since=NOW), NOW),
        (lent(until=NOW - HALF), NOW - HALF - timedelta(seconds=1)),
        (lent(by="ceo"), NOW),
    ],
    ids=["in force", "just begun", "voted in time, half an hour ago", "by who is above"],
)
def test_a_stand_in_approves(asked: Asked, one: Delegation, said: datetime) -> None:
    asked.house.delegated = (one,)
    assert asked.apply(vote(asked, at=said)).outcome == "applied"


WRONG: dict[str, tuple[tuple[Delegation | Withdrawal, ...], datetime]] = {
    "nobody lent it": ((), NOW),
    "another role": ((lent(role="technical-manager", by="technical-manager"),), NOW),
    "another person": ((lent(to="security-lead"),), NOW),
    "to come": ((lent(since=NOW + timedelta(seconds=1)),), NOW),
    "over": ((lent(until=NOW),), NOW),
    "signed before it began": ((lent(since=NOW - HALF),), NOW - HOUR),
    "over for an hour": ((lent(since=NOW - 3 * HOUR, until=NOW - HOUR),), NOW - 2 * HOUR),
    "ended": ((lent(), ended(lent(), "cto")), NOW),
    "ended since": ((lent(), ended(lent(), "cto")), NOW - HALF - timedelta(seconds=1)),
    "unsigned": ((lent().bare(),), NOW),
    "signed for another": ((lent().model_copy(update={"to": "privacy-officer", "until": NOW + 2 * HOUR}),), NOW),
    "by who may not": ((lent(by="technical-manager"),), NOW),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_anybody_else_does_not(asked: Asked, wrong: str) -> None:
    """Nothing is done, whatever the workflow made of the vote."""
    asked.house.delegated, said = WRONG[wrong]
    assert "privacy-officer may not decide this as cto" in asked.refused(vote(asked, at=said))


def test_an_end_by_who_may_not_ends_nothing(asked: Asked) -> None:
    one = lent()
    asked.house.delegated = (one, ended(one, "security-lead"))
    assert asked.apply(vote(asked)).outcome == "applied"


def test_a_delegation_by_a_key_that_was_revoked_before_is_none(asked: Asked) -> None:
    asked.house.delegated = (lent(),)
    made = vote(asked)
    asked.house.keys = PEOPLE.keys(cto=NOW - DAY)
    assert "may not decide this as cto" in asked.refused(made)
    asked.house.keys = PEOPLE.keys(cto=NOW - HALF)
    assert asked.apply(made).outcome == "applied"


def test_a_change_that_was_asked_for_in_time_goes_on(asked: Asked) -> None:
    """AWS was away for two hours: what counts is when it was first asked for."""
    asked.house.delegated = (lent(),)
    made = vote(asked)
    assert "may not decide" in asked.refused(made, after=3 * HOUR)
    assert asked.hands.apply(asked.call(made), NOW + 3 * HOUR, NOW).outcome == "applied"


def test_whoever_asks_for_it_does_not_approve_it_as_a_stand_in(asked: Asked) -> None:
    asked.house.delegated = (lent(to="devops-lead"),)
    assert "devops-lead requested this change" in asked.refused(vote(asked, "devops-lead"))


def test_whom_a_worker_pages_by_itself_are_stand_ins_too(asked: Asked) -> None:
    asked.house.delegated = (lent(),)
    held = [who.id for who in people_at(asked.house, NOW).holders("cto")]
    assert held == ["cto", "privacy-officer"]
    assert [who.id for who in people_at(asked.house, NOW + HOUR).holders("cto")] == ["cto"]


# the record


def kept(clients: WorldClients, *delegations: Delegation) -> Kept:
    """An incident of staging that was declared with these, and its record."""
    return Kept(clients, delegations)


def at_home(**other: Any) -> Delegation:
    """The CTO of the record's organisation has the privacy officer stand in for two hours."""
    one = delegation(**{"role": "cto", "by": "cto", "at": T0 - HOUR, "until": T0 + 2 * HOUR, **other})
    made: Delegation = signed(one, declaration().organisation.id, PEOPLE.tokens[one.by])
    return made


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as made:
        yield made


def test_what_a_declared_stand_in_does_is_taken_in_its_time(clients: WorldClients) -> None:
    """Dated beyond it, it is refused."""
    record = kept(clients, at_home())
    record.say("reclassify", "privacy-officer", **LOWER)
    late = record.forged(lambda entry: entry.model_copy(update={"at": T0 + 2 * HOUR}))
    assert "privacy-officer lowers no P0" in late
    record = kept(clients, at_home())
    record.say("reclassify", "privacy-officer", **LOWER)
    record.write()


@pytest.mark.parametrize("written_before", [True, False])
def test_what_an_incident_was_told_of_counts_by_the_record(clients: WorldClients, written_before: bool) -> None:
    """Whether it went on record long ago or comes together with what they do; ended, it does not count any more."""
    record = kept(clients)
    one = at_home()
    record.say("delegate", "cto", delegation=one.model_dump(mode="json", exclude_none=True))
    if written_before:
        record.write()
    record.say("reclassify", "privacy-officer", **LOWER)
    record.write()
    record.say("end_delegation", "privacy-officer", delegation=one.id, reason="back")
    record.say("reclassify", "cto", severity="P1", reason="worse")
    record.write()
    record.say("reclassify", "cto", **LOWER)
    assert "privacy-officer lowers no P1" in record.forged(
        lambda entry: entry.model_copy(update={"actor": "privacy-officer"})
    )


def test_nobody_else_goes_on_record_as_naming_a_stand_in(clients: WorldClients) -> None:
    """By whose key it may be: neither whoever holds another role, nor the stand-in onwards."""
    record = kept(clients)
    record.say("delegate", "cto", delegation=at_home().model_dump(mode="json", exclude_none=True))
    for by in ("security-lead", "privacy-officer"):
        other = at_home(by=by, to="devops-lead").model_dump(mode="json", exclude_none=True)

        def forged(entry: Any, by: str = by, other: dict[str, Any] = other) -> Any:
            cause = {**entry.cause, "given": {"delegation": other}}
            return entry.model_copy(update={"actor": by, "data": {"delegation": other}, "cause": cause})

        while record.played.entries[-1].kind != "delegated":
            record.played.entries.pop()
        assert f"{by} names no such stand-in" in record.forged(forged)


def test_a_delegation_that_proves_nothing_declares_nothing(clients: WorldClients) -> None:
    with pytest.raises((RuleError, StrangeRequestError), match="is not proven"):
        kept(clients, at_home().bare())
