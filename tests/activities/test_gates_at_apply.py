"""What a plan's gates refuse by now is not applied: every change of the catalogue is judged again."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.catalogue import CHANGES
from activities.changes.hands import Hands
from activities.changes.intents import Intents
from activities.changes.runner import ChangeRunner
from activities.ledger.table import Table
from activities.logical_names import logical_marks
from activities.strange_requests import kind_of
from domain.config.approval import ApprovalClass, ApprovalRule
from domain.config.environment import Environment
from domain.config.runbook import ChangeStep
from domain.model.activity_io import Applied, ApplyRequest, PlanRequest, Undone
from domain.model.plan import Plan
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW
from tests.house import FixedHouse, about, on_record, runbook_of
from tests.people import PEOPLE

STEP = "the-step"


class Asked:
    """A change of the catalogue that is declared, planned and approved, in its world; its files may change now."""

    def __init__(self, world: ChangeWorld) -> None:
        self.world = world
        rule = ApprovalRule(roles=("cto",), quorum=1)
        given = {"id": STEP, "change": world.change.name, "title": "Do it", "with": world.params, "approval": rule}
        runbook = runbook_of(ChangeStep.model_validate(given))
        self.house = FixedHouse(world.scope.environment, None, runbook)
        self.house.keys = PEOPLE.keys()
        on_record(world.clients, world.scope, runbook)
        self.hands = Hands(world.clients, self.house, world.change, ChangeRunner(world.clients))
        self.request: dict[str, Any] = {
            "about": about(world.scope),
            "step": STEP,
            "generation": 1,
            "params": world.params,
            "requested_by": "devops-lead",
            "requested": PEOPLE.request("devops-lead", about(world.scope), STEP),
        }
        self.plan = self.hands.plan(PlanRequest(**self.request), NOW).plan
        self.votes = (PEOPLE.vote("cto", "cto", self.plan, about(world.scope), STEP, 1),)
        self.before = world.snapshot()

    def apply(self) -> Applied:
        return self.hands.apply(ApplyRequest(**self.request, digest=self.plan.digest, votes=self.votes), NOW)

    def plan_anew(self) -> Plan:
        """What would be planned by now."""
        return self.hands.plan(PlanRequest(**{**self.request, "generation": 2}), NOW).plan

    def plan_undo(self) -> Plan:
        """What would take it back by now."""
        asked = {"generation": 2, "undo": Undone(generation=1)}
        return self.hands.plan(PlanRequest(**{**self.request, **asked}), NOW).plan

    def is_refused(self, *why: str) -> bool:
        """Whether nothing was done, nothing begun, and the reason says why, in one of these words."""
        with pytest.raises(RuleError) as refused:
            self.apply()
        intents = Intents(Table(self.world.clients, self.world.scope.environment.ledger_table))
        assert intents.get(self.world.scope.incident, STEP, 1) is None
        assert self.world.snapshot() == self.before
        return any(one in str(refused.value) for one in why)

    def planned_as(self, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
        """Let what is planned from now on be otherwise."""
        plan = self.world.change.plan

        def other(*asked: Any) -> Plan:
            return plan(*asked).model_copy(update=fields)

        monkeypatch.setattr(self.world.change, "plan", other)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every change; only now, when the files that have the worlds are all imported."""
    if "asked" in metafunc.fixturenames and "protected" not in metafunc.fixturenames:
        metafunc.parametrize("asked", sorted(CHANGES), indirect=True)


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Iterator[Asked]:
    with mock_aws():
        yield Asked(world_of(request.param))


def without_places(environment: Environment) -> Environment:
    """A file that names nothing any more that a change could be about."""
    named: dict[str, Any] = {name: {} for name, value in environment if isinstance(value, dict)}
    return environment.model_copy(update={**named, "evidence": None, "recovery": None, "maintenance": None})


def test_what_nobody_has_forbidden_is_applied(asked: Asked) -> None:
    assert asked.apply().outcome == "applied"


def test_what_has_become_protected_is_refused(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever gate its plan has now: it is asked, after the votes and before an intent."""

    def gate(*_: object) -> Plan:
        raise RuleError("203.0.113.0/24 is protected: the environment names it as ours")

    monkeypatch.setattr(asked.world.change, "plan", gate)
    assert asked.is_refused("is protected")


def test_what_the_file_does_not_name_any_more_is_refused(asked: Asked) -> None:
    """By its name; what is about nothing of the file is applied."""
    asked.house.place = without_places(asked.house.place)
    fields = type(asked.world.change).params.model_fields.values()
    if asked.world.change.needs or any(logical_marks(field) for field in fields):
        assert asked.is_refused(f"environment {asked.house.place.name} ")
    else:
        assert asked.apply().outcome == "applied"


def test_what_is_another_target_by_now_is_refused(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    asked.planned_as(monkeypatch, target="arn:aws:ecs:eu-north-1:123456789012:service/other/other")
    assert asked.is_refused("by now; the plan is about")


def test_what_has_come_into_a_higher_class_is_refused(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was approved by those who may approve less. The highest class is the end."""
    monkeypatch.setattr(type(asked.world.change), "classes", tuple(ApprovalClass))
    asked.planned_as(monkeypatch, approval_class=ApprovalClass.A3)
    if asked.plan.approval_class is ApprovalClass.A3:
        assert asked.apply().outcome == "applied"
    else:
        assert asked.is_refused("is of class A3 by now")


@pytest.mark.parametrize(
    ("asked", "protected", "why"),
    [
        ("wafv2.block_addresses", {"addresses": ("0.0.0.0/0",)}, "protected: the environment names it as ours"),
        ("ecs.stop_service", {"resources": ("axis-cluster",)}, "is protected"),
    ],
    indirect=["asked"],
)
def test_an_address_or_a_service_that_has_become_protected(asked: Asked, protected: dict[str, Any], why: str) -> None:
    """By the file as it stands when it is to be carried out, whatever it said when it was planned."""
    place = asked.house.place
    asked.house.place = place.model_copy(update={"protected": place.protected.model_copy(update=protected)})
    assert asked.is_refused(why)


def test_votes_that_do_not_suffice_any_more_are_nobodys_attack() -> None:
    """Whoever voted has left the file since: the change is refused by name, and security is not paged for it."""
    with mock_aws():
        asked = Asked(world_of("ecs.stop_service"))
        people = asked.house.people
        left = tuple(one for one in people.contacts if one.id != "cto")
        asked.house.people = people.model_copy(update={"contacts": left})
        with pytest.raises(RuleError, match="'cto' is no contact") as refused:
            asked.apply()
        assert kind_of(refused.value) is None
