from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.action import RuleError
from activities.changes.intents import Intent, Intents
from domain.config.approval import ApprovalClass
from domain.model.plan import Plan
from tests.activities.world import LEDGER, WorldClients

INCIDENT, STEP = "inc-20261123-7f3k", "scale-up"
HOUR = timedelta(hours=1)
A, B = (f"arn:aws:ecs:ap-southeast-2:123456789012:service/axis/{name}" for name in "ab")


def intent(generation: int = 1, after: int = 6, step: str = STEP) -> Intent:
    plan = Plan(
        action="ecs.scale_service",
        target=A,
        summary="Scale",
        before={"desired_count": 3},
        after={"desired_count": after},
        impact="More tasks.",
        approval_class=ApprovalClass.A1,
        locks=(A,),
    ).sealed()
    return Intent.of(plan, (INCIDENT, step, generation), "id-1", ("cto",), datetime(2026, 11, 23, 3, 30, tzinfo=UTC))


def items(clients: WorldClients) -> list[dict[str, Any]]:
    """What stands under the incident's step."""
    found = clients.inner.client("dynamodb").scan(TableName=LEDGER)["Items"]
    return [one for one in found if one["pk"]["S"] == f"intent#{INCIDENT}/{STEP}"]


def test_an_intent_comes_back_as_it_was_put(intents: Intents) -> None:
    """Everything of an intent is on record; another generation has none."""
    intents.put(intent(), 1)
    assert intents.get(INCIDENT, STEP, 1) == intent()
    assert intents.get(INCIDENT, STEP, 2) is None


def test_the_same_intent_again_is_fine_and_another_plan_is_refused(intents: Intents, clients: WorldClients) -> None:
    """One generation stands for one plan for ever; the first one stays."""
    intents.put(intent(), 1)
    intents.put(intent(), 1)
    with pytest.raises(RuleError, match=intent().digest):
        intents.put(intent(after=7), 1)
    assert intents.get(INCIDENT, STEP, 1) == intent()
    assert len(items(clients)) == 1


def test_intended_looks_at_every_generation_of_the_step_alone(intents: Intents) -> None:
    """A state counts as ours when any generation of the step meant it, for that target."""
    intents.put(intent(generation=1, after=6), 1)
    intents.put(intent(generation=12, after=8), 1)
    intents.record_outcome(INCIDENT, STEP, 1, "verified", "6 of 6", intent().at)
    assert intents.meant(INCIDENT, STEP, A, {"desired_count": 6})
    assert intents.meant(INCIDENT, STEP, A, {"desired_count": 8})
    assert not intents.meant(INCIDENT, STEP, A, {"desired_count": 7})
    assert not intents.meant(INCIDENT, STEP, B, {"desired_count": 6})
    assert not intents.meant(INCIDENT, "scale-out", A, {"desired_count": 6})


def test_a_resource_has_the_intents_of_every_incident(intents: Intents) -> None:
    """Whoever comes later learns what was done to it before, oldest first, whichever incident it was in."""
    first, second = intent(), intent(after=7).model_copy(update={"incident": "inc-other", "at": intent().at + HOUR})
    for one in (second, first, first):
        intents.put(one, 1)
    assert intents.on(A) == [first, second]
    assert intents.on(B) == []


def test_an_intent_is_found_by_its_plan(intents: Intents) -> None:
    """What was observed when a plan was carried out is kept with it, for whoever undoes that plan."""
    carried_out = intent().model_copy(update={"observed": {"desired_count": 5}})
    intents.put(carried_out, 1)
    assert intents.of_plan(INCIDENT, STEP, 3, carried_out.digest) == carried_out
    assert intents.of_plan(INCIDENT, STEP, 3, "another") is None


def test_the_first_outcome_stands(intents: Intents, clients: WorldClients) -> None:
    """An outcome lies beside its intent and is never overwritten."""
    intents.put(intent(), 1)
    assert intents.outcome(INCIDENT, STEP, 1) is None
    intents.record_outcome(INCIDENT, STEP, 1, "verified", "6 of 6", intent().at)
    intents.record_outcome(INCIDENT, STEP, 1, "failed", "3 of 6", intent().at)
    assert intents.outcome(INCIDENT, STEP, 1) == "verified"
    assert sorted(item["sk"]["S"] for item in items(clients)) == ["000001", "000001#outcome"]
