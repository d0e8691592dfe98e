"""In production the hands change nothing, and tell nobody outside, under a runbook that is still to be signed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.catalogue import NOTICES
from activities.changes.hands import Hands
from activities.changes.intents import Intents
from activities.changes.runner import ChangeRunner
from activities.declared import Declared
from activities.ledger.appending import Appender
from activities.ledger.table import Table
from authority.approvals import Approval
from authority.register import Register
from domain.config.approval import ApprovalRule
from domain.config.runbook import ChangeStep, Runbook
from domain.model.activity_io import AppendCall, Applied, ApplyRequest, Ballot, PlanRequest
from domain.model.declaration import Declaration
from domain.model.events import ORCHESTRATOR
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.notice_worlds import NOTICE_WORLDS, notice_world
from tests.activities.report_worlds import Played
from tests.activities.scopes import NOW
from tests.activities.world import LEDGER, WorldClients
from tests.builders import runbook
from tests.house import FixedHouse, about, house_of, on_record, runbook_of
from tests.signatures import PEOPLE, axis, carried, own, signed

STEP = "the-step"
WHY = "version 1 of test is not approved: cto and compliance-officer must sign it first"


class Asked:
    """A change that the devops lead requests and the CTO approves, under a runbook that somebody has signed or not."""

    def __init__(self, world: ChangeWorld, kind: str = "production", *, evidence: bool | None = None) -> None:
        self.world = world
        rule = ApprovalRule(roles=("cto",), quorum=1)
        given = {"id": STEP, "change": world.change.name, "title": "Do it", "with": world.params, "approval": rule}
        self.evidence = world.change.evidence if evidence is None else evidence
        self.by = ORCHESTRATOR if self.evidence else "devops-lead"
        self.book = runbook_of(ChangeStep.model_validate({**given, "evidence": self.evidence}))
        where = world.scope.environment.model_copy(update={"kind": kind})
        self.house = FixedHouse(where, axis(), self.book)
        self.house.keys = PEOPLE.keys()
        on_record(world.clients, world.scope, self.book)
        self.hands = Hands(world.clients, self.house, world.change, ChangeRunner(world.clients))
        self.where = about(world.scope)

    def _asked(self) -> dict[str, Any]:
        requested = None if self.by == ORCHESTRATOR else PEOPLE.request(self.by, self.where, STEP)
        who = {"requested_by": self.by, "requested": requested}
        return {"about": self.where, "step": STEP, "generation": 1, "params": self.world.params, **who}

    def sign(self, *by: str, book: Runbook | None = None) -> None:
        self.house.signatures = signed(book or self.book, *by)

    def plan(self) -> None:
        self.planned = self.hands.plan(PlanRequest(**self._asked()), NOW).plan

    def apply(self, votes: tuple[Ballot, ...] | None = None) -> Applied:
        if votes is None:
            votes = (PEOPLE.vote("cto", "cto", self.planned, self.where, STEP, 1),)
        return self.hands.apply(ApplyRequest(**self._asked(), digest=self.planned.digest, votes=votes), NOW)

    def refused(self, votes: tuple[Ballot, ...] | None = None) -> str:
        """Why it is not carried out; nothing is begun."""
        before = self.world.snapshot()
        with pytest.raises(RuleError) as refused:
            self.apply(votes)
        assert Intents(Table(self.world.clients, LEDGER)).get(self.where.incident, STEP, 1) is None
        assert self.world.snapshot() == before
        return str(refused.value)


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield world_of("ecs.scale_service")


@pytest.fixture
def asked(world: ChangeWorld) -> Asked:
    """Signed by both when it is planned."""
    made = Asked(world)
    made.sign("cto", "compliance-officer")
    made.plan()
    return made


def test_what_is_signed_by_both_is_done(asked: Asked) -> None:
    assert asked.apply().outcome == "applied"


def test_what_is_not_signed_is_not_even_planned(world: ChangeWorld) -> None:
    """So nobody votes in vain; once it is signed, while the incident is open, it goes on."""
    asked = Asked(world)
    for by in ((), ("cto",), ("cto", "technical-manager")):
        asked.sign(*by)
        with pytest.raises(RuleError, match=r"is not approved: .*compliance-officer must sign it first"):
            asked.plan()
    asked.sign("cto", "compliance-officer")
    asked.plan()
    assert asked.apply().outcome == "applied"


def test_signatures_that_went_since_the_plan_refuse_it(asked: Asked) -> None:
    """None, one, of another version, or by a key that was not good any more when it signed."""
    asked.sign()
    assert WHY in asked.refused()
    asked.sign("cto")
    assert "compliance-officer must sign it first" in asked.refused()
    asked.sign("cto", "compliance-officer", book=asked.book.model_copy(update={"version": "2"}))
    assert WHY in asked.refused()
    asked.sign("cto", "compliance-officer")
    asked.house.keys = PEOPLE.keys(compliance_officer=NOW - timedelta(days=31))
    assert "compliance-officer must sign it first" in asked.refused()


def test_a_key_that_is_revoked_later_leaves_it_approved(asked: Asked) -> None:
    asked.house.keys = PEOPLE.keys(compliance_officer=NOW - timedelta(days=1))
    assert asked.apply().outcome == "applied"


def test_what_was_begun_goes_on(asked: Asked) -> None:
    assert asked.apply().outcome == "applied"
    asked.sign()
    assert asked.apply().outcome == "applied"


@pytest.mark.parametrize("kind", ["staging", "sandbox"])
def test_elsewhere_nobody_has_to_sign(world: ChangeWorld, kind: str) -> None:
    asked = Asked(world, kind)
    asked.plan()
    assert asked.apply().outcome == "applied"


@pytest.mark.parametrize("kind", ["production", "staging"])
@pytest.mark.parametrize("name", ["s3.preserve_logs", "rds.snapshot"])
def test_evidence_waits_for_no_signature(kind: str, name: str) -> None:
    """Nor for a vote, where everybody has a key and nothing is pre-authorised: so a breach's evidence is kept."""
    with mock_aws():
        asked = Asked(world_of(name), kind)
        asked.plan()
        assert asked.apply(votes=()).outcome == "applied"


@pytest.mark.parametrize("name", ["ecs.scale_service", "rds.snapshot"])
def test_nothing_else_is_done_without_a_vote(name: str) -> None:
    """Whoever asks, and though the action itself preserves evidence: the runbook says which step does."""
    with mock_aws():
        asked = Asked(world_of(name), "staging", evidence=False)
        for by in (ORCHESTRATOR, "devops-lead"):
            asked.by = by
            asked.plan()
            assert "is not approved: " in asked.refused(votes=())


@pytest.mark.parametrize("name", sorted(NOTICE_WORLDS))
def test_nobody_outside_is_told_in_words_that_are_not_signed(name: str) -> None:
    """The organisation's own people are: a contact gets the code that shows whether they can be reached."""
    with notice_world(name) as made:
        house, before = made.house, made.received()
        house.place = house.place.model_copy(update={"kind": "production"})
        house.keys = PEOPLE.keys()
        house.people = house.people.model_copy(update={"runbook_approvers": axis().runbook_approvers})
        if NOTICES[name].inside:
            assert made.send().reference
            return
        with pytest.raises(
            ApplicationError, match="is not approved: cto and compliance-officer must sign it"
        ) as refused:
            made.send()
        assert refused.value.non_retryable
        assert made.received() == before
        house.signatures = signed(made.runbook, "cto", "compliance-officer")
        made.send()
        assert made.received() != before


def declare(clients: WorldClients, one: Declaration, *signatures: Approval, keys: Register | None = None) -> None:
    """Put it on record as its first entry does, by a worker with these signatures in its folder."""
    house, table = house_of(one), Table(clients, LEDGER)
    house.keys, house.signatures = keys or PEOPLE.keys(), signatures
    table.put(Declared(house, table).first(one))


def test_production_takes_no_declaration_that_hides_what_is_lacking(clients: WorldClients) -> None:
    """One that says so begins, as does what an incident opens: people are paged, and evidence is kept."""
    why = "version 1.0 of system-outage is not approved: cto and compliance-officer must sign it first"
    with pytest.raises(RuleError, match=why):
        declare(clients, own())
    both = signed(runbook(), "cto", "compliance-officer")
    with pytest.raises(RuleError, match="compliance-officer must sign it first"):
        declare(clients, own(), both[0])
    with pytest.raises(RuleError, match=why):
        declare(clients, own(), *signed(runbook(version="0.9"), "cto", "compliance-officer"))
    declare(clients, own(lacking=("cto", "compliance-officer")))
    declare(clients, own(opened_by="inc-20261123-0001"))
    declare(clients, own(approvals=carried(*both)), *both)
    declare(clients, own("staging"))
    declare(clients, own("sandbox"))


@pytest.mark.parametrize("kind", ["production", "staging", "sandbox"])
def test_a_signature_that_proves_nothing_goes_on_no_record(clients: WorldClients, kind: str) -> None:
    """One that is whole does, though the worker's folder does not have it yet: responders may be ahead."""
    both = signed(runbook(), "cto", "compliance-officer")
    altered = both[1].model_copy(update={"signature": both[0].signature})
    elsewhere = signed(runbook(), "compliance-officer", home="another")
    for bad in (altered, *elsewhere, both[1].model_copy(update={"key": both[0].key})):
        with pytest.raises(RuleError, match="has a signature of compliance-officer that proves nothing"):
            declare(clients, own(kind, approvals=carried(both[0], bad), lacking=("cto",)), *both)
    declare(clients, own(kind, approvals=carried(*both)))


def test_a_revoked_key_has_signed_what_stands_in_the_file_alone(clients: WorldClients) -> None:
    """Whoever found it could date a signature as they like."""
    both, keys = signed(runbook(), "cto", "compliance-officer"), PEOPLE.keys(cto=NOW - timedelta(days=1))
    with pytest.raises(RuleError, match="has a signature of cto that proves nothing: its key is revoked"):
        declare(clients, own(approvals=carried(*both)), keys=keys)
    declare(clients, own(approvals=carried(*both)), *both, keys=keys)


def test_what_began_while_it_was_approved_is_found_again(clients: WorldClients) -> None:
    """A run that was reset begins with the same entry, whatever has become of the signatures; another does not."""
    both = signed(runbook(), "cto", "compliance-officer")
    begun, other = (own(incident_id=f"inc-20261123-000{n}", approvals=carried(*both)) for n in (1, 2))
    house = house_of(begun)
    house.keys, house.signatures = PEOPLE.keys(), both

    def append(one: Declaration) -> None:
        entries = Played(one).entries
        call = AppendCall(incident=one.incident_id, environment=one.environment.name, epoch=1, entries=entries)
        Appender(clients, house).append(call)

    append(begun)
    house.keys = PEOPLE.keys(cto=NOW - timedelta(days=31))
    append(begun)
    with pytest.raises(RuleError, match="cto must sign it first"):
        append(other)
