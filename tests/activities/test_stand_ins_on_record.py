"""Honest records that are refused for good for what has become of stand-ins."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from activities.stand_ins import refuse_delegations
from activities.strange_requests import StrangeRequestError
from domain.model.records import Link
from tests.activities.ledger_worlds import ledger_and_vault
from tests.activities.test_honest_entries import DONE
from tests.activities.test_honest_entries import Kept as Duties
from tests.activities.test_signed_entries import LOWER, Kept
from tests.activities.test_stand_ins import at_home, kept
from tests.activities.world import WorldClients
from tests.builders import T0, minutes
from tests.people import PEOPLE


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with ledger_and_vault() as made:
        yield made


def child(record: Kept) -> Any:
    """What it opens beside itself, with who stands in here."""
    state = record.played.incident.state
    state.declaration = state.declaration.model_copy(update={"related": {"other": state.declaration.runbook}})
    link = Link(type="other", because="probe", title="A breach")
    return state.opening(link, "inc-20261123-ch1d", T0 + minutes(30))


def told(clients: WorldClients) -> Kept:
    record = kept(clients)
    one = at_home()
    record.say("delegate", "cto", delegation=one.model_dump(mode="json", exclude_none=True))
    record.write()
    return record


def test_it_opens_as_things_stand(clients: WorldClients) -> None:
    """This one holds: it shows that the two below are about what has changed."""
    record = told(clients)
    refuse_delegations(record.house, child(record))


def test_an_incident_opens_another_though_who_delegated_has_another_role_by_now(clients: WorldClients) -> None:
    record = told(clients)
    people = record.house.people
    contacts = tuple(
        one.model_copy(update={"roles": ("adviser",)}) if one.id == "cto" else one for one in people.contacts
    )
    successor = next(one for one in contacts if one.id == "security-lead")
    contacts = tuple(
        one.model_copy(update={"roles": (*one.roles, "cto")}) if one.id == successor.id else one for one in contacts
    )
    record.house.people = people.model_copy(update={"contacts": contacts})
    refuse_delegations(record.house, child(record))


def test_an_incident_opens_another_though_a_delegator_has_a_new_key(clients: WorldClients) -> None:
    """The old key was given up in good order after it signed; the worker's folder has not the delegation yet."""
    record = told(clients)
    record.house.keys = PEOPLE.keys(cto=T0 + minutes(20))
    refuse_delegations(record.house, child(record))


def test_an_incident_opens_another_though_the_key_is_revoked_as_of_before(clients: WorldClients) -> None:
    """Which makes the delegation none, and is no reason to refuse the record of a breach for good."""
    record = told(clients)
    record.house.delegated = (at_home(),)
    record.house.keys = PEOPLE.keys(cto=T0 - timedelta(days=2))
    refuse_delegations(record.house, child(record))


def test_what_a_stand_in_said_in_the_instant_in_which_it_was_ended_is_taken(clients: WorldClients) -> None:
    """Both in one task of the workflow, so at one time."""
    record = told(clients)
    record.say("reclassify", "privacy-officer", timedelta(seconds=30), **LOWER)
    record.say("end_delegation", "privacy-officer", timedelta(0), delegation=at_home().id, reason="back")
    record.write()


def test_a_declared_stand_in_whose_time_was_ended_on_record_lowers_nothing(clients: WorldClients) -> None:
    """Whoever took over the workflow writes it all the same: the end went on record with an earlier call."""
    record = kept(clients, at_home())
    record.say("end_delegation", "privacy-officer", delegation=at_home().id, reason="back")
    record.write()
    record.say("reclassify", "cto", **LOWER)
    last = record.played.entries[-1]
    proof = record.played.proof("reclassify", "privacy-officer", **LOWER)
    forged = record.forged(
        lambda entry: entry.model_copy(update={"actor": "privacy-officer", "cause": {**entry.cause, "proof": proof}})
    )
    assert f"privacy-officer lowers no {last.data['from']}" in forged


def test_a_declared_stand_in_whose_time_was_ended_on_record_signs_no_duty(clients: WorldClients) -> None:
    record = Duties(clients, delegations=(at_home(),))
    record.say("end_delegation", "privacy-officer", delegation=at_home().id, reason="back")
    record.write()
    state = record.played.incident.state
    state.stand_ins[0].over = False  # the workflow was taken over
    record.say("discharge_obligation", "privacy-officer", **DONE)
    assert [one.role for one in state.obligation("assessment").signatures] == ["cto"]
    with pytest.raises(StrangeRequestError):
        record.write()


def test_a_duty_that_a_stand_in_signed_in_the_instant_of_their_end_is_signed_by_the_next(clients: WorldClients) -> None:
    record = Duties(clients, delegations=(at_home(),))
    record.say("discharge_obligation", "privacy-officer", **DONE)
    record.say("end_delegation", "privacy-officer", timedelta(0), delegation=at_home().id, reason="back")
    record.write()
    record.say("discharge_obligation", "technical-manager", step="assessment", proposal=record.proposal)
    record.write()


def test_a_duty_that_a_stand_in_signed_is_signed_by_the_next_when_their_time_is_over(clients: WorldClients) -> None:
    record = Duties(clients, delegations=(at_home(until=T0 + minutes(10)),))
    record.say("discharge_obligation", "privacy-officer", **DONE)
    record.write()
    record.say("discharge_obligation", "technical-manager", minutes(30), step="assessment", proposal=record.proposal)
    record.write()


def test_what_a_life_that_was_left_behind_has_ended_does_not_bind_the_next(clients: WorldClients) -> None:
    """The workflow was reset to before the end: what stands in the epoch that was left counts no more."""
    record = told(clients)
    before, length = list(record.played.entries), record.written
    record.say("end_delegation", "privacy-officer", delegation=at_home().id, reason="back")
    record.say("note", "cto", text="more")
    record.write()
    again = told_again(clients, record, before, length)
    again.say("note", "cto", timedelta(seconds=7), text="another life")
    again.say("note", "cto", timedelta(seconds=7), text="another life")
    again.say("reclassify", "privacy-officer", timedelta(minutes=2), **LOWER)
    again.write()


def told_again(clients: WorldClients, record: Kept, before: Any, length: int) -> Kept:
    """The incident as it was then, played once more."""
    again = Kept.__new__(Kept)
    again.clients, again.house, again.epoch = clients, record.house, record.epoch
    again.played = type(record.played)(record.played.incident.state.declaration)
    again.played.say("acknowledge", "devops-lead", minutes(1))
    one = at_home()
    again.played.say("delegate", "cto", delegation=one.model_dump(mode="json", exclude_none=True))
    assert len(again.played.entries) == length
    again.played.entries[:] = before[:length]
    again.written = length
    return again


def test_without_that_life_it_is_taken(clients: WorldClients) -> None:
    """This one holds: it shows that the one above is about the end in the life that was left behind."""
    record = told(clients)
    before, length = list(record.played.entries), record.written
    record.say("note", "cto", text="instead")
    record.say("note", "cto", text="more")
    record.write()
    again = told_again(clients, record, before, length)
    again.say("note", "cto", timedelta(seconds=7), text="another life")
    again.say("note", "cto", timedelta(seconds=7), text="another life")
    again.say("reclassify", "privacy-officer", timedelta(minutes=2), **LOWER)
    again.write()
    assert again.epoch == record.epoch + 1
