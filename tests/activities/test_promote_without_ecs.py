"""A promotion does not hang on ECS: what ECS does not do or tell is told, and the database is replaced all the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from activities.changes.runner import ChangeRunner
from domain.model.calls import ApplyCall
from domain.model.plan import Plan
from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_worlds import ForeignEcs, promote
from tests.activities.fake_ecs import FakeEcs
from tests.activities.scopes import NOW
from tests.activities.test_change_catalogue import planned
from tests.activities.world import WIRE


@contextmanager
def answering(world: ChangeWorld, ecs: FakeEcs, operation: str, code: str) -> Iterator[None]:
    """An operation that looks at the application answers with an error."""

    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code}}, operation)

    with (
        pytest.MonkeyPatch.context() as patch,
        WIRE.listening(lambda sent: code if sent.operation == operation else None),
    ):
        if operation == "DescribeServices":
            patch.setattr(ecs, "describe_services", refuse)
        yield


_PROMOTION = ["ec2.revoke_security_group_ingress", "rds.promote_read_replica", "ssm.put_parameter"]


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield promote()


@pytest.fixture
def ecs(world: ChangeWorld) -> FakeEcs:
    fake: FakeEcs = world.clients.instead["ecs"]
    return fake


@pytest.fixture
def runner(world: ChangeWorld) -> ChangeRunner:
    return ChangeRunner(world.clients)


@pytest.fixture
def call(runner: ChangeRunner, world: ChangeWorld) -> ApplyCall:
    return planned(runner, world)


def test_a_service_that_was_deleted_since_the_plan_is_not_restarted(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs, call: ApplyCall
) -> None:
    """The restart is the piece that is missing, and says why."""
    ecs.gone = True
    applied = runner.apply(world.change, call, NOW)
    assert applied.outcome == "applied"
    assert applied.refused.keys() == {"deployment"}
    assert "no active service axis-backend" in applied.refused["deployment"]
    assert world.clients.writes == _PROMOTION
    seen = world.change.verify(world.scope, call.plan.without(applied.refused))
    assert (seen.done, "restarted by hand" in seen.message) == (True, True)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://ecs.example"),
        ClientError({"Error": {"Code": "ServerException"}}, "DescribeServices"),
    ],
)
def test_ecs_that_does_not_answer_is_tried_again_once_the_rest_is_done(
    runner: ChangeRunner,
    world: ChangeWorld,
    ecs: FakeEcs,
    call: ApplyCall,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For some minutes; then what is missing is told. Once it answers, the application is restarted once."""

    def silent(**_: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(ecs, "describe_services", silent)
        with pytest.raises(type(error)):
            runner.apply(world.change, call, NOW)
        assert world.clients.writes == _PROMOTION
        later = runner.apply(world.change, call, NOW + timedelta(minutes=6))
        assert (later.outcome, set(later.refused)) == ("applied", {"deployment"})
    for _ in range(2):
        assert runner.apply(world.change, call, NOW + timedelta(minutes=7)).refused == {}
    assert world.clients.writes == [*_PROMOTION, "ecs.update_service"]


def test_a_restart_that_ecs_cannot_show_any_more_is_not_waited_for(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs, call: ApplyCall
) -> None:
    """The service was deleted after it was restarted: the promotion stands, and that the restart is unseen is said."""
    assert runner.apply(world.change, call, NOW).refused == {}
    ecs.gone = True
    seen = world.change.verify(world.scope, call.plan)
    assert seen.done
    assert "not seen to restart (cluster axis-cluster has no active service axis-backend" in seen.message


@pytest.mark.parametrize("operation", ["DescribeServices", "DescribeTargetHealth"])
def test_a_denied_look_at_the_restart_does_not_hide_the_promotion(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs, call: ApplyCall, operation: str
) -> None:
    """Who responds reads that the database is replaced, and that the restart is not seen; it is not waited for."""
    assert runner.apply(world.change, call, NOW).refused == {}
    world.settle()
    with answering(world, ecs, operation, "AccessDeniedException"):
        seen = world.change.verify(world.scope, call.plan)
    assert seen.done
    assert "a primary, with backups" in seen.message
    assert "not seen to restart (AWS answers AccessDeniedException): look" in seen.message


@pytest.mark.parametrize("operation", ["DescribeServices", "DescribeTargetHealth"])
def test_a_look_at_the_restart_that_fails_is_taken_again(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs, call: ApplyCall, operation: str
) -> None:
    """It may pass; meanwhile it is told that the promotion stands."""
    assert runner.apply(world.change, call, NOW).refused == {}
    world.settle()
    with answering(world, ecs, operation, "ServerException"):
        seen = world.change.verify(world.scope, call.plan)
    assert (seen.done, seen.failed, "a primary, with backups" in seen.message) == (False, False, True)
    assert world.change.verify(world.scope, call.plan).done


def test_a_service_that_ecs_would_not_restart_does_not_hold_a_promotion_up() -> None:
    """Under another controller UpdateService refuses a new deployment: it is left alone, and the plan says so."""
    with mock_aws():
        _promoted_without_a_restart(promote(ecs=ForeignEcs()))


def _promoted_without_a_restart(world: ChangeWorld) -> None:
    plan = _plan(world)
    assert "NOT restarted (its deployments are those of CODE_DEPLOY" in plan.impact
    world.change.act(world.scope, plan)
    assert world.clients.writes == [
        "ec2.revoke_security_group_ingress",
        "rds.promote_read_replica",
        "ssm.put_parameter",
    ]
    assert "restarted by hand" in world.change.verify(world.scope, plan).message


def test_without_a_restart_ecs_is_not_asked() -> None:
    """Where ECS itself is in trouble the database can still be replaced."""
    with mock_aws():
        world = promote()
        world.change.act(world.scope, _plan(world, restart=False))
        assert not [call for call in world.clients.calls if call.startswith("ecs.")]


def _plan(world: ChangeWorld, **params: Any) -> Plan:
    return world.change.plan(world.scope, world.change.params.model_validate(world.params | params))
