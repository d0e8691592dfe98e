"""What honest people say goes on record: an entry that is refused holds up all that comes behind it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from activities.ledger.appending import Appender
from activities.proofs import check
from authority.register import Register
from domain.config.runbook import Runbook
from domain.model import acts
from domain.model.activity_io import AppendCall
from domain.model.proofs import ClaimAsked
from domain.rules.ledger_progress import LedgerProgress
from tests.activities.ledger_worlds import ledger_and_vault, place
from tests.activities.world import WorldClients
from tests.builders import declaration, minutes, owed, runbook
from tests.house import FixedHouse, house_of
from tests.people import PEOPLE
from tests.proven import Proving
from tests.records import INCIDENT

STAGING = place(kind="staging")
DONE: dict[str, Any] = {"step": "assessment", "reference": "minutes 7", "outcome": "remediated"}


class Kept:
    def __init__(self, clients: WorldClients, book: Runbook | None = None, **declared: Any) -> None:
        fields: dict[str, Any] = {
            "environment": STAGING,
            "runbook": book or runbook(),
            "obligations": owed(),
            "phi": True,
        }
        self.clients = clients
        self.played = Proving(declaration(**{**fields, **declared}))
        self.house: FixedHouse = house_of(self.played.incident.state.declaration)
        self.house.keys = PEOPLE.keys()
        self.written, self.epoch = 0, 1
        self.say("acknowledge", "devops-lead", minutes(1))
        self.write()

    def say(self, name: str, by: str, after: timedelta = timedelta(seconds=30), **payload: Any) -> None:
        assert self.played.say(name, by, after, **payload) is None

    def write(self) -> None:
        new = self.played.entries[self.written :]
        call = AppendCall(incident=INCIDENT, environment=STAGING.name, epoch=self.epoch, entries=new)
        self.epoch = Appender(self.clients, self.house).append(call).epoch
        self.written += len(new)

    @property
    def proposal(self) -> str:
        ending = self.played.incident.state.obligation("assessment").ending
        assert ending is not None
        return ending.digest()


@pytest.fixture
def kept() -> Iterator[Kept]:
    with ledger_and_vault() as clients:
        yield Kept(clients)


def test_an_acknowledgement_that_ends_a_duty_goes_on_record(kept: Kept) -> None:
    """One command, two entries that count, one claim."""
    kept.say("acknowledge", "privacy-officer")
    kept.write()


def test_a_fact_that_ends_a_duty_goes_on_record(kept: Kept) -> None:
    kept.say("record_fact", "cto", fact="belief_at", at="2026-11-23T03:00:20Z", reason="logs")
    kept.write()


def test_a_duty_is_signed_on_two_days(kept: Kept) -> None:
    kept.say("discharge_obligation", "cto", **DONE)
    kept.write()
    kept.say(
        "discharge_obligation", "technical-manager", timedelta(hours=25), step="assessment", proposal=kept.proposal
    )
    kept.write()


def test_an_owner_who_is_no_signer_proposes(kept: Kept) -> None:
    kept.say("discharge_obligation", "privacy-officer", **DONE)
    kept.write()
    kept.say("discharge_obligation", "cto", step="assessment", proposal=kept.proposal)
    kept.write()


def test_a_duty_that_begins_behind_the_fact_that_ends_it() -> None:
    """The belief was recorded first; the suspicion begins the assessment, which is over at once."""
    with ledger_and_vault() as clients:
        kept = Kept(clients, phi=False)
        kept.say("record_fact", "cto", fact="belief_at")
        kept.write()
        kept.say("record_fact", "cto", fact="suspicion_at")
        kept.write()


def test_what_gathered_in_an_outage_is_written(kept: Kept) -> None:
    """The batches are those of the workflow."""
    for number in range(30):
        kept.say("reclassify", "cto", severity=("P1", "P0")[number % 2], reason=f"r{number}")
        for nth in range(3):
            kept.say("note", "cto", text=f"n{number} {nth}")
    progress, state = LedgerProgress(written=kept.written), kept.played.incident.state
    while progress.is_behind(state, kept.played.incident.timeline):
        batch = progress.next_batch(state, kept.played.incident.timeline, kept.played.now)
        call = AppendCall(incident=INCIDENT, environment=STAGING.name, epoch=1, entries=batch)
        done = Appender(kept.clients, kept.house).append(call)
        list(progress.wrote(done.written, done.epoch))


def test_a_contact_who_leaves_while_the_ledger_is_away(kept: Kept) -> None:
    kept.say("reclassify", "cto", severity="P1", reason="r")
    people = kept.house.people
    kept.house.people = people.model_copy(update={"contacts": tuple(c for c in people.contacts if c.id != "cto")})
    kept.write()


def test_a_key_that_is_replaced_between_two_signatures(kept: Kept) -> None:
    kept.say("discharge_obligation", "cto", **DONE)
    kept.write()
    kept.house.keys = PEOPLE.keys(cto=kept.played.now + minutes(1))
    kept.say("discharge_obligation", "technical-manager", minutes(5), step="assessment", proposal=kept.proposal)
    kept.write()


def test_what_was_believed_on_arrival_goes_on_record(kept: Kept) -> None:
    """The caller's clock is 4 minutes ahead of the worker's, that of Temporal's server 2 minutes behind it."""
    said: dict[str, Any] = {"severity": "P1", "reason": "r"}
    by_the_worker = kept.played.now + minutes(2) + timedelta(seconds=30)
    claim = kept.played.claim("reclassify", "cto", **said)
    at = (by_the_worker + minutes(4)).replace(microsecond=0)
    proof = PEOPLE.signed(claim.model_copy(update={"at": at, "expires": at + timedelta(hours=24)}))
    command = acts.read("reclassify", {"by": "cto", **said})
    asked = ClaimAsked(
        environment=STAGING.name,
        incident=INCIDENT,
        act="severity",
        subject=acts.subject("reclassify", acts.given(command)),
        by="cto",
        proof=proof,
    )
    assert check(kept.house, asked, by_the_worker).proven is not None
    kept.say("reclassify", "cto", **said, proof=proof)
    kept.write()


def test_a_claim_that_ends_between_the_look_and_the_entry(kept: Kept) -> None:
    """It waited a day for a worker; the look was in its last second, the entry is a second later."""
    said: dict[str, Any] = {"severity": "P1", "reason": "r"}
    looked_at = kept.played.now + timedelta(seconds=29)
    claim = kept.played.claim("reclassify", "cto", **said)
    expires = looked_at + timedelta(seconds=1)
    proof = PEOPLE.signed(claim.model_copy(update={"at": expires - timedelta(hours=24), "expires": expires}))
    assert check(kept.house, _asked(said, proof), looked_at).proven is not None
    kept.say("reclassify", "cto", **said, proof=proof)
    kept.write()


def test_a_key_that_is_enrolled_just_now(kept: Kept) -> None:
    """Temporal's clock is two seconds behind that of the machine on which the key was enrolled and used."""
    said: dict[str, Any] = {"severity": "P1", "reason": "r"}
    since = (kept.played.now + timedelta(seconds=32)).replace(microsecond=0)
    kept.house.keys = Register(
        key.model_copy(update={"since": since}) if key.contact == "cto" else key
        for key in PEOPLE.keys()  # noqa: SIM118 - a register, and no mapping
    )
    claim = kept.played.claim("reclassify", "cto", **said).model_copy(
        update={"at": since, "expires": since + timedelta(hours=24)}
    )
    proof = PEOPLE.signed(claim)
    assert check(kept.house, _asked(said, proof), since).proven is not None
    kept.say("reclassify", "cto", **said, proof=proof)
    kept.write()


def _asked(said: dict[str, Any], proof: Any) -> ClaimAsked:
    subject = acts.subject("reclassify", acts.given(acts.read("reclassify", {"by": "cto", **said})))
    return ClaimAsked(
        environment=STAGING.name, incident=INCIDENT, act="severity", subject=subject, by="cto", proof=proof
    )


def test_who_has_proposed_says_more_and_leaves_the_time_out(kept: Kept) -> None:
    """Every part but when: `done_at` stands as it was proposed, by a signature that the new proposal voids."""
    kept.say("discharge_obligation", "cto", at="2026-11-23T03:00:10Z", **DONE)
    kept.write()
    kept.say("discharge_obligation", "cto", reason="nobody was harmed", **DONE)
    kept.write()


def test_an_owner_who_is_no_signer_says_the_same_again(kept: Kept) -> None:
    kept.say("supersede_obligation", "privacy-officer", step="assessment", reason="another")
    kept.write()
    kept.say("supersede_obligation", "privacy-officer", minutes(3), step="assessment", reason="another")
    kept.write()


def test_all_facts_that_a_declaration_says_go_on_record() -> None:
    """The first names the declaration, the others the first, and so do the duties that begin by them."""
    with ledger_and_vault() as clients:
        kept = Kept(clients, book=runbook(facts={"belief_at": "declared"}))
    facts = [one.fact for one in kept.played.incident.state.facts]
    assert facts == ["suspicion_at", "belief_at"]
