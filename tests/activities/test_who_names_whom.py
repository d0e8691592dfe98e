"""What the hands take, or refuse, that they should not."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from activities.action import RuleError
from domain.config.approval import ApprovalClass, ApprovalRule
from domain.config.runbook import ChangeStep
from domain.model.activity_io import ApplyRequest, Ballot
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.preauthorised_changes import Begun, store
from tests.activities.scopes import NOW
from tests.activities.test_broken_glass import alone
from tests.activities.test_proven_votes import STEP, Asked
from tests.activities.test_stand_ins import DAY, HALF, lent, vote
from tests.delegating import HOUR
from tests.house import on_record, runbook_of
from tests.people import PEOPLE

__all__ = ["store"]


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield world_of("ecs.rollback_service")


@pytest.fixture
def asked(world: ChangeWorld) -> Asked:
    return Asked(world)


def test_a_vote_that_counts_no_more_does_not_spoil_who_decides_alone(asked: Asked) -> None:
    """One of a stand-in whose time was ended in the worker's folder stands beside it, and is nothing."""
    spoilt = vote(asked)  # nobody lent it, by the worker's files
    assert asked.apply(spoilt, alone(asked)).outcome == "applied"


def test_a_vote_by_a_key_that_was_revoked_since_does_not_spoil_who_decides_alone(asked: Asked) -> None:
    spoilt = asked.vote()
    made = alone(asked)
    asked.house.keys = PEOPLE.keys(cto=NOW - HALF)
    assert asked.apply(spoilt, made).outcome == "applied"


def test_no_vote_that_nobody_has_given_goes_on_record_with_what_begins_by_itself() -> None:
    with mock_aws():
        world = world_of("ecs.rollback_service")
        begun = Begun(world)
        call = begun.request()
        forged = ApplyRequest(**{**call.model_dump(), "votes": (Ballot(by="cto", role="cto"),)})
        begun.hands.apply(forged, NOW)
        intent = begun.intent()
        assert intent is not None
        assert intent.votes == ()


def test_whoever_asks_for_a2_or_a3_does_not_decide_it_themselves_by_a_rule_of_nobody(world: ChangeWorld) -> None:
    made = ruled(world, ApprovalRule(quorum=0))
    assert made.plan.approval_class is ApprovalClass.A2
    made.refused(PEOPLE.vote("devops-lead", "requester", made.plan, made.where, STEP, 1))


def test_a_level_that_no_chain_has_is_not_added_to_who_decides(asked: Asked) -> None:
    """What is added at expiry are the levels of the chain; a workflow that was taken over names any role."""
    window = min(policy.approve for policy in asked.house.organisation().severities.values())
    assert "security-lead" not in asked.house.organisation().chain
    late = NOW + window * 2
    by = PEOPLE.vote("security-lead", "security-lead", asked.plan, asked.where, STEP, 1, at=NOW)
    call = ApplyRequest(**{**asked.call(by).model_dump(), "added": ("security-lead",)})
    with pytest.raises(RuleError):
        asked.hands.apply(call, late)


def test_whoever_asks_for_it_does_not_name_who_approves_it(world: ChangeWorld) -> None:
    """The devops lead asks, and lends their own role to a friend for an hour, who says yes."""
    made = ruled(world, ApprovalRule(roles=("cto", "devops-lead"), quorum=1))
    at, span = NOW, {"at": NOW - HALF, "since": NOW - HALF, "until": NOW + HOUR}
    made.house.delegated = (lent(role="devops-lead", by="devops-lead", **span),)
    yes = PEOPLE.vote("privacy-officer", "devops-lead", made.plan, made.where, STEP, 1, at=at, expires=at + DAY)
    made.refused(yes)


def ruled(world: ChangeWorld, rule: ApprovalRule, incident: str = "inc-20261123-q0q0") -> Asked:
    """A change that the devops lead asks for, whose runbook has this rule."""
    from activities.changes.hands import Hands
    from activities.changes.runner import ChangeRunner
    from domain.model.activity_io import PlanRequest
    from tests.house import FixedHouse, about

    made = Asked(world)
    given = {"id": STEP, "change": world.change.name, "title": "Do it", "with": world.params, "approval": rule}
    book = runbook_of(ChangeStep.model_validate(given))
    scope = world.scope.model_copy(update={"incident": incident})
    made.house = FixedHouse(world.scope.environment.model_copy(update={"kind": "staging"}), None, book)
    made.house.keys = PEOPLE.keys()
    on_record(world.clients, scope, book)
    made.hands = Hands(world.clients, made.house, world.change, ChangeRunner(world.clients))
    made.where = about(scope)
    made.requested = PEOPLE.request("devops-lead", made.where, STEP)
    made.plan = made.hands.plan(PlanRequest(**made._asked(1)), NOW).plan
    return made


def test_one_of_two_who_must_agree_does_not_choose_the_other(world: ChangeWorld) -> None:
    """The CTO lends a role below their own to a friend: together they are the two that the rule asks for."""
    made = ruled(world, ApprovalRule(roles=("cto", "technical-manager"), quorum=2))
    span = {"at": NOW - HALF, "since": NOW - HALF, "until": NOW + HOUR}
    made.house.delegated = (lent(role="technical-manager", by="cto", **span),)
    votes = [
        PEOPLE.vote(by, role, made.plan, made.where, STEP, 1, at=NOW, expires=NOW + DAY)
        for by, role in (("cto", "cto"), ("privacy-officer", "technical-manager"))
    ]
    made.refused(*votes)
