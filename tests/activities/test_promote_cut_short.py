"""A promotion that is refused once the primary is fenced: what is done and what is missing is told, not hidden."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.changes.runner import ChangeRunner
from domain.model.calls import ApplyCall
from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_worlds import promote
from tests.activities.fake_rds import PRIMARY, FakeRds
from tests.activities.scopes import NOW
from tests.activities.test_change_catalogue import planned
from tests.activities.trial import Trial
from tests.activities.world import WIRE

_MISSING = {"role", "application_reads", "deployment"}


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield promote()


@pytest.fixture
def runner(world: ChangeWorld) -> ChangeRunner:
    return ChangeRunner(world.clients)


def refusing(operation: str, code: str) -> AbstractContextManager[Any]:
    """AWS answers an operation with an error."""
    return WIRE.listening(lambda sent: code if sent.operation == operation else None)


def is_fenced(world: ChangeWorld, call: ApplyCall) -> bool:
    now = world.change.read(world.scope, call.plan)
    return all(value is None for name, value in now.items() if name.startswith("ingress "))


def test_a_refused_promotion_says_that_the_primary_is_fenced(runner: ChangeRunner, world: ChangeWorld) -> None:
    """The rules that are revoked are what was done; nothing is led to a replica that takes no writes."""
    call = planned(runner, world)
    with refusing("PromoteReadReplica", "AccessDenied"):
        applied = runner.apply(world.change, call, NOW)
    assert is_fenced(world, call)
    assert (applied.outcome, set(applied.refused)) == ("applied", _MISSING)
    assert "AccessDenied to PromoteReadReplica" in applied.refused["role"]
    assert world.change.read(world.scope, call.plan)["application_reads"] == call.plan.before["application_reads"]
    seen = world.change.verify(world.scope, call.plan.without(applied.refused))
    assert (seen.done, "fenced and NOT replaced" in seen.message) == (True, True)


def test_a_promotion_that_may_pass_is_tried_again_and_then_told(runner: ChangeRunner, world: ChangeWorld) -> None:
    """For some minutes; nobody waits half an hour to hear that the database is closed. Then it can be asked again."""
    call = planned(runner, world)
    with refusing("PromoteReadReplica", "ThrottlingException"):
        with pytest.raises(ClientError):
            runner.apply(world.change, call, NOW)
        assert set(runner.apply(world.change, call, NOW + timedelta(minutes=6)).refused) == _MISSING
    again = planned(runner, world, generation=2)
    assert "0 ingress rules" in again.plan.impact
    assert again.plan.after["role"] == "primary"


def test_a_fence_that_is_refused_stops_the_promotion(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Nothing was done, and nothing else is tried: two primaries would take writes."""
    call = planned(runner, world)
    denied = refusing("RevokeSecurityGroupIngress", "UnauthorizedOperation")
    with denied, pytest.raises(ClientError, match="UnauthorizedOperation"):
        runner.apply(world.change, call, NOW)
    assert world.change.read(world.scope, call.plan) == call.plan.before


def test_with_the_fence_closed_before_it_goes_on(world: ChangeWorld) -> None:
    """Nothing but the intent shows that RDS is promoting: the gates are not asked again, and nobody waits for it."""
    rds: FakeRds = world.clients.instead["rds"]
    plan = world.change.plan(world.scope, world.change.params.model_validate(world.params))
    world.change.act(world.scope, plan)
    rds.replica.update(DBInstanceStatus="available", ReadReplicaSourceDBInstanceIdentifier=PRIMARY)
    trial = Trial(world)
    rds.quick = False
    for primary in ("failed", "available"):
        with pytest.raises(ApplicationError, match="is being promoted"):
            trial.apply()
        rds.primary["DBInstanceStatus"] = primary
