from collections.abc import Iterator

import pytest
from moto import mock_aws
from pydantic import ValidationError

from activities.action import RuleError
from activities.aws.ecs.ecs_scale_service import ScaleParams, ScaleService
from activities.changes.runner import ChangeRunner
from domain.config.environment import Service
from domain.model.calls import Scope
from domain.model.plan import Plan
from tests.activities.change_worlds import ChangeWorld, scale
from tests.activities.fake_ecs import CLUSTER, SERVICE
from tests.activities.scopes import NOW, environment, scope
from tests.activities.test_change_catalogue import planned as of_runner
from tests.activities.test_change_catalogue import verified


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def planned(world: ChangeWorld, count: int | str | None = None, where: Scope | None = None) -> Plan:
    params = ScaleParams.model_validate({"service": "backend", "count": count})
    return ScaleService(world.clients).plan(where or world.scope, params)


@pytest.mark.parametrize(
    ("running", "asked", "desired", "minimum"),
    [
        (3, 4, 4, 4),
        (3, "6", 6, 6),  # as the command line gives it
        (3, 8, 8, 8),
        (6, 4, 6, 4),  # "scale up to 4" never scales down
        (3, 2, 3, 2),
        (2, None, 4, 4),
        (4, None, 6, 6),
        (5, None, 8, 8),
        (7, None, 8, 8),
    ],
)
def test_the_counts_of_a_plan(running: int, asked: int | str | None, desired: int, minimum: int) -> None:
    """At least what was asked for, else half as many again and two more at least; never below what runs."""
    plan = planned(scale(running), asked)
    assert plan.summary == f"Scale backend from {running} to {desired} tasks"
    assert (plan.before, plan.after) == ({"minimum": 2}, {"minimum": minimum})


def test_no_count_below_one() -> None:
    """Scaling to nothing is another action's business."""
    with pytest.raises(ValidationError, match="count"):
        planned(scale(), 0)


@pytest.mark.parametrize(("running", "asked"), [(3, 9), (8, None), (8, 9)])
def test_the_maximum_is_named_and_kept(running: int, asked: int | None) -> None:
    """Above autoscaling's maximum nothing would hold; the refusal says where it is."""
    with pytest.raises(RuleError, match="maximum of 8"):
        planned(scale(running), asked)


def test_without_autoscaling_only_the_count_changes() -> None:
    """A service that does not scale by itself has no minimum to raise, and none appears."""
    world = scale(minimum=None)
    plan = planned(world)
    assert (plan.before, plan.after) == ({"desired_count": 3}, {"desired_count": 5})
    world.change.act(world.scope, plan)
    assert world.clients.writes == ["ecs.update_service"]
    assert world.change.read(world.scope, plan) == plan.after
    assert "does not look after" in plan.impact


def test_the_maximum_survives() -> None:
    """Only the minimum is registered anew."""
    world = scale(maximum=7)
    plan = planned(world, 4)
    world.change.act(world.scope, plan)
    assert world.snapshot()[0] == [(4, 7)]


def test_a_cluster_may_be_given_by_arn() -> None:
    """Application Auto Scaling names clusters by name alone."""
    arn = f"arn:aws:ecs:ap-southeast-2:123456789012:cluster/{CLUSTER}"
    known = environment().services["backend"].model_dump()
    where = scope(environment=environment(services={"backend": Service(**(known | {"cluster": arn}))}))
    plan = planned(scale(), 4, where)
    assert plan.before["minimum"] == 2


def test_done_when_as_many_run() -> None:
    """Asked for is not running; autoscaling may have gone further meanwhile, which is no failure."""
    world = scale()
    plan = planned(world, 4)
    assert not world.change.verify(world.scope, plan).done
    world.change.act(world.scope, plan)
    assert count(world) == 4  # autoscaling brings it to the minimum at once
    assert world.change.verify(world.scope, plan).done
    count(world, 7)
    assert world.change.verify(world.scope, plan).done
    assert not world.change.verify(world.scope, plan.reversed()).done


def count(world: ChangeWorld, set_to: int | None = None) -> int:
    """How many tasks there shall be; `set_to` is what autoscaling moves it to by itself."""
    ecs = world.clients.inner.client("ecs")
    if set_to is not None:
        ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=set_to)
    return int(ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]["desiredCount"])


def test_a_count_that_autoscaling_moves_is_no_conflict() -> None:
    """It scaled out between plan and apply, and again before the undo: neither is refused, and no task is taken."""
    world = scale()
    runner = ChangeRunner(world.clients)
    call = of_runner(runner, world)
    count(world, 6)
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    assert count(world) == 6
    verified(runner, world, call)
    count(world, 7)
    undo = of_runner(runner, world, 2, call.plan)
    assert runner.apply(world.change, undo, NOW).outcome == "applied"
    assert (count(world), world.snapshot()[0]) == (7, [(2, 8)])
    assert verified(runner, world, undo)


def test_a_daemon_takes_no_count() -> None:
    """One task on each instance: ECS refuses a count, and so does the plan, before anybody approves it."""
    with pytest.raises(RuleError, match="is a daemon"):
        planned(scale(strategy="DAEMON"), 4)


def test_a_service_that_was_stopped_is_not_scaled() -> None:
    """Below its minimum something else is at work, which is to be undone first."""
    world = scale()
    count(world, 0)
    with pytest.raises(RuleError, match="below autoscaling's minimum of 2"):
        planned(world, 4)
