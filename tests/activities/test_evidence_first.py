"""Containment waits for evidence by what is on record, whatever a message says; and never longer than its time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.changes.hands import Hands
from activities.changes.intents import Intent, Intents
from activities.changes.runner import ChangeRunner
from activities.ledger.table import Table
from domain.config.approval import ApprovalRule
from domain.config.runbook import ChangeStep
from domain.model.activity_io import Applied, ApplyRequest, GivenUp, PlanRequest
from domain.rules.change_messages import EVIDENCE_BOX
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import NOW
from tests.house import FixedHouse, about, on_record, runbook_of
from tests.people import PEOPLE

STOP, SNAPSHOT, LOGS = "stop-services", "snapshot-database", "preserve-logs"
EVIDENCE = {SNAPSHOT: "rds.snapshot", LOGS: "s3.preserve_logs"}
SECOND = timedelta(seconds=1)


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield world_of("ecs.stop_service")


@pytest.fixture
def intents(world: ChangeWorld) -> Intents:
    return Intents(Table(world.clients, world.scope.environment.ledger_table))


class Containment:
    """A change that comes after two steps of evidence, planned and approved, in an incident declared at `NOW`."""

    def __init__(self, world: ChangeWorld, *, speed: float = 1) -> None:
        self.world = world
        evidence = [ChangeStep(id=name, change=action, title=name, evidence=True) for name, action in EVIDENCE.items()]
        given = {"id": STOP, "change": "ecs.stop_service", "title": "Stop", "with": world.params}
        rule = {"approval": ApprovalRule(roles=("cto",), quorum=1), "evidence_first": list(EVIDENCE)}
        runbook = runbook_of(*evidence, ChangeStep.model_validate(given | rule))
        on_record(world.clients, world.scope, runbook, NOW, speed)
        house = FixedHouse(world.scope.environment, None, runbook)
        house.keys = PEOPLE.keys()
        self.hands = Hands(world.clients, house, world.change, ChangeRunner(world.clients))
        self.asked: dict[str, Any] = {"about": about(world.scope), "step": STOP, "generation": 1}
        self.asked |= {"params": world.params, "requested_by": "devops-lead"}
        self.asked["requested"] = PEOPLE.request("devops-lead", about(world.scope), STOP)
        plan = self.hands.plan(PlanRequest(**self.asked), NOW).plan
        self.digest, self.vote = plan.digest, PEOPLE.vote("cto", "cto", plan, about(world.scope), STOP, 1)

    def apply(self, at: datetime) -> Applied:
        return self.hands.apply(ApplyRequest(**self.asked, digest=self.digest, votes=(self.vote,)), at)

    def waits(self, at: datetime) -> tuple[str, timedelta | None]:
        """For what it waits, and how long until it is tried again; nothing is done or begun."""
        before = self.world.snapshot()
        with pytest.raises(ApplicationError) as waiting:
            self.apply(at)
        assert (waiting.value.type, waiting.value.non_retryable) == ("NotYet", False)
        assert self.world.snapshot() == before
        return waiting.value.message.split(" of ")[0], waiting.value.next_retry_delay


def begin(intents: Intents, world: ChangeWorld, step: str, generation: int = 1) -> None:
    plan = world.change.plan(world.scope, world.change.params.model_validate(world.params)).sealed()
    intents.put(Intent.of(plan, (world.scope.incident, step, generation), f"id-{step}", (), NOW), 1)


def test_it_waits_for_all_of_it(world: ChangeWorld, intents: Intents) -> None:
    """Whichever attempt at it has begun; then it is carried out."""
    change = Containment(world)
    assert change.waits(NOW) == (f"{SNAPSHOT}, {LOGS}", SECOND)
    begin(intents, world, SNAPSHOT, generation=2)
    assert change.waits(NOW + SECOND) == (LOGS, SECOND)
    begin(intents, world, LOGS)
    assert change.apply(NOW + SECOND).outcome == "applied"


def test_what_was_given_up_has_not_begun(world: ChangeWorld, intents: Intents) -> None:
    change = Containment(world)
    begin(intents, world, SNAPSHOT)
    intents.give_up(world.scope.incident, LOGS, 1, NOW)
    assert change.waits(NOW)[0] == LOGS


def test_what_was_given_up_is_planned_for_nobody(world: ChangeWorld, intents: Intents) -> None:
    """So nobody is asked to vote on what would never be done; a new generation of it is planned."""
    change = Containment(world)
    intents.give_up(world.scope.incident, STOP, 1, NOW, GivenUp(status="rejected", reason="look first", by="cto"))
    with pytest.raises(RuleError, match=r"was given up: ask for a new change \(this one was rejected\)"):
        change.hands.plan(PlanRequest(**change.asked), NOW)
    assert change.hands.plan(PlanRequest(**{**change.asked, "generation": 2}), NOW).plan.digest == change.digest


def test_it_waits_no_longer_than_its_time(world: ChangeWorld) -> None:
    """Five minutes from the declaration: a breach is contained, whatever became of the evidence."""
    change = Containment(world)
    assert change.waits(NOW + EVIDENCE_BOX - SECOND / 2)[1] == SECOND / 2
    assert change.apply(NOW + EVIDENCE_BOX).outcome == "applied"


def test_its_time_is_the_incident_s(world: ChangeWorld) -> None:
    """In a sandbox whose clocks run faster it is shorter."""
    change = Containment(world, speed=60)
    assert change.waits(NOW)[1] == SECOND
    assert change.apply(NOW + EVIDENCE_BOX / 60).outcome == "applied"
