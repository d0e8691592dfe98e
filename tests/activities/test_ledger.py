from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.changes.intents import Intent, Ledger, ResourceBusyError
from domain.config.approval import ApprovalClass
from domain.model.plan import Plan
from domain.values.ids import lock_id
from tests.activities.world import LEDGER, WorldClients, create_ledger

INCIDENT, STEP = "inc-20261123-7f3k", "scale-up"
A, B, C = (f"arn:aws:ecs:ap-southeast-2:123456789012:service/axis/{name}" for name in "abc")
LEASE = timedelta(minutes=5)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clients() -> Iterator[WorldClients]:
    with mock_aws():
        clients = WorldClients()
        create_ledger(clients)
        yield clients


@pytest.fixture
def ledger(clients: WorldClients, clock: Clock) -> Ledger:
    return Ledger(clients, LEDGER, clock)


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
    return list(clients.inner.client("dynamodb").scan(TableName=LEDGER)["Items"])


def test_an_intent_comes_back_as_it_was_put(ledger: Ledger) -> None:
    """Everything of an intent is on record; another generation has none."""
    ledger.put_intent(intent())
    assert ledger.intent(INCIDENT, STEP, 1) == intent()
    assert ledger.intent(INCIDENT, STEP, 2) is None


def test_the_same_intent_again_is_fine_and_another_plan_is_refused(ledger: Ledger, clients: WorldClients) -> None:
    """One generation stands for one plan for ever; the first one stays."""
    ledger.put_intent(intent())
    ledger.put_intent(intent())
    with pytest.raises(RuleError, match=intent().digest):
        ledger.put_intent(intent(after=7))
    assert ledger.intent(INCIDENT, STEP, 1) == intent()
    assert len(items(clients)) == 1


def test_intended_looks_at_every_generation_of_the_step_alone(ledger: Ledger) -> None:
    """A state counts as ours when any generation of the step meant it, for that target."""
    ledger.put_intent(intent(generation=1, after=6))
    ledger.put_intent(intent(generation=12, after=8))
    ledger.record_outcome(INCIDENT, STEP, 1, "verified", "6 of 6")
    assert ledger.intended(INCIDENT, STEP, A, {"desired_count": 6})
    assert ledger.intended(INCIDENT, STEP, A, {"desired_count": 8})
    assert not ledger.intended(INCIDENT, STEP, A, {"desired_count": 7})
    assert not ledger.intended(INCIDENT, STEP, B, {"desired_count": 6})
    assert not ledger.intended(INCIDENT, "scale-out", A, {"desired_count": 6})


def test_the_first_outcome_stands(ledger: Ledger, clients: WorldClients) -> None:
    """An outcome lies beside its intent and is never overwritten."""
    ledger.put_intent(intent())
    assert ledger.outcome(INCIDENT, STEP, 1) is None
    ledger.record_outcome(INCIDENT, STEP, 1, "verified", "6 of 6")
    ledger.record_outcome(INCIDENT, STEP, 1, "failed", "3 of 6")
    assert ledger.outcome(INCIDENT, STEP, 1) == "verified"
    assert sorted(item["sk"]["S"] for item in items(clients)) == ["000001", "000001#outcome"]


def test_a_lock_keeps_others_out_until_it_is_given_back(ledger: Ledger) -> None:
    """Two holders never have one resource; who is refused learns which one and who has it."""
    ledger.acquire((A, B), "one", LEASE)
    with pytest.raises(ResourceBusyError) as busy:
        ledger.acquire((B, C), "two", LEASE)
    assert (busy.value.arn, busy.value.holder) == (B, "one")
    ledger.release((A, B), "one")
    ledger.release((A, B), "one")
    ledger.acquire((B, C), "two", LEASE)


def test_who_is_refused_keeps_nothing(ledger: Ledger, clients: WorldClients) -> None:
    """Locks are taken all or none, so that two changes never wait for each other."""
    ledger.acquire((C,), "one", LEASE)
    with pytest.raises(ResourceBusyError):
        ledger.acquire((A, B, C), "two", LEASE)
    assert [item["pk"]["S"] for item in items(clients)] == [lock_id(C)]


def test_locks_are_taken_in_sorted_order(ledger: Ledger, clients: WorldClients) -> None:
    """The order of the plan does not matter: with A held, C is never touched."""
    ledger.acquire((A,), "one", LEASE)
    clients.calls.clear()
    with pytest.raises(ResourceBusyError):
        ledger.acquire((C, A), "two", LEASE)
    assert clients.calls == ["dynamodb.put_item"]


def test_a_lock_runs_out_with_its_lease(ledger: Ledger, clock: Clock) -> None:
    """A holder that died blocks others for one lease, and not a second less."""
    ledger.acquire((A,), "one", LEASE)
    clock.now += LEASE - timedelta(seconds=1)
    with pytest.raises(ResourceBusyError):
        ledger.acquire((A,), "two", LEASE)
    clock.now += timedelta(seconds=1)
    ledger.acquire((A,), "two", LEASE)


def test_the_holder_takes_its_lock_again_and_prolongs_it(ledger: Ledger, clock: Clock) -> None:
    """A retry finds its own lock open, and a renewed lease counts from the renewal."""
    ledger.acquire((A,), "one", LEASE)
    clock.now += timedelta(minutes=4)
    ledger.acquire((A,), "one", LEASE)
    clock.now += timedelta(minutes=4)
    assert ledger.renew((A,), "one", LEASE) is None
    clock.now += timedelta(minutes=4)
    with pytest.raises(ResourceBusyError):
        ledger.acquire((A,), "two", LEASE)


def test_a_lost_lock_stays_its_new_holders(ledger: Ledger, clock: Clock) -> None:
    """Neither renewing nor releasing takes a lock from who holds it by now."""
    ledger.acquire((A,), "one", LEASE)
    clock.now += LEASE
    ledger.acquire((A,), "two", LEASE)
    assert ledger.renew((A,), "one", LEASE) == "two"
    ledger.release((A,), "one")
    with pytest.raises(ResourceBusyError):
        ledger.acquire((A,), "one", LEASE)
