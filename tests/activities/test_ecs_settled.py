"""A service is well when what serves it now is: its own target groups, through whichever of them the traffic goes."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.aws.ecs.described_service import settled
from activities.changes.runner import ChangeRunner
from domain.model.plan import Verification
from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_worlds import restart
from tests.activities.fake_ecs import FakeEcs, FakeTargets, revision
from tests.activities.scopes import BACKEND_TARGETS, NOW, REGION
from tests.activities.test_change_catalogue import planned
from tests.activities.world import WorldClients

GREEN = BACKEND_TARGETS.replace("backend", "backend-green")
RULE = f"arn:aws:elasticloadbalancing:{REGION}:123456789012:listener-rule/app/axis-alb/50dc/f2f7/9683"
LISTENER = f"arn:aws:elasticloadbalancing:{REGION}:123456789012:listener/net/axis-nlb/50dc/f2f7"


def look(targets: FakeTargets, *balancers: dict[str, Any], named: str | None = None, **changes: Any) -> Verification:
    rollout = {"status": "PRIMARY", "taskDefinition": revision(6), "rolloutState": "COMPLETED"} | changes
    service = {"deployments": [{name: value for name, value in rollout.items() if value}], "loadBalancers": balancers}
    counts = {"runningCount": 3, "desiredCount": 3}
    return settled(WorldClients({"elbv2": targets}), {"target_group": named}, service | counts)


def test_the_services_own_groups_are_looked_at() -> None:
    """All of them, whatever the environment's file names; where ECS names none, that one is."""
    targets = FakeTargets("healthy", "healthy")
    targets.others = {GREEN: ["healthy", "unhealthy"]}
    both = {"targetGroupArn": BACKEND_TARGETS}, {"targetGroupArn": GREEN}
    assert look(targets, both[0]).done
    seen = look(targets, *both, named=BACKEND_TARGETS)
    assert (seen.done, seen.message) == (
        False,
        "axis-backend:6: rollout COMPLETED, 3 of 3 tasks running, 3 targets healthy, 1 not",
    )
    targets.others[GREEN] = ["healthy", "unhealthy.draining"]
    assert look(targets, *both).done
    assert not look(FakeTargets("unhealthy"), named=BACKEND_TARGETS).done


def test_where_nobody_is_led_to_ecs_alone_knows() -> None:
    """While the maintenance page stands no rule may use a group: nothing checks its targets, and that is said."""
    groups = {"targetGroupArn": BACKEND_TARGETS}
    seen = look(FakeTargets("unused", "unused", "unused"), groups)
    assert (seen.done, "no load balancer leads anybody to its 3 targets" in seen.message) == (True, True)
    assert not look(FakeTargets("unused", "unused"), groups, rolloutState="IN_PROGRESS").done
    assert not look(FakeTargets("unused", "unhealthy"), groups).done


@pytest.mark.parametrize("rule", [RULE, LISTENER])
def test_blue_green_is_judged_by_the_group_that_has_the_traffic(rule: str) -> None:
    """ECS's own blue/green moves traffic to the alternate group: the other one is idle, and says nothing."""
    advanced = {"alternateTargetGroupArn": GREEN, "productionListenerRule": rule, "roleArn": "arn:aws:iam::1:role/x"}
    balancer = {"targetGroupArn": BACKEND_TARGETS, "advancedConfiguration": advanced}
    targets = FakeTargets("initial", "initial")
    targets.others = {GREEN: ["healthy", "healthy"]}
    targets.rule = {GREEN: 100, BACKEND_TARGETS: 0}
    assert look(targets, balancer, named=BACKEND_TARGETS).done
    targets.rule = {BACKEND_TARGETS: 100, GREEN: 0}
    assert not look(targets, balancer, named=BACKEND_TARGETS).done


def test_without_a_rollouts_state_one_deployment_is_complete() -> None:
    """Behind a Classic Load Balancer ECS tells none: what counts is that nothing of an earlier one is left."""
    assert look(FakeTargets(), {"loadBalancerName": "classic"}, rolloutState=None).done


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield restart()


@pytest.fixture
def ecs(world: ChangeWorld) -> FakeEcs:
    fake: FakeEcs = world.clients.instead["ecs"]
    return fake


@pytest.mark.parametrize(("controller", "says"), [("CODE_DEPLOY", "CodeDeploy"), ("EXTERNAL", "external controller")])
def test_what_others_deploy_is_not_restarted(world: ChangeWorld, ecs: FakeEcs, controller: str, says: str) -> None:
    """ECS shows no deployments of it and takes no new one: refused in the plan, saying who can."""
    ecs.controller = controller
    with pytest.raises(RuleError, match=says):
        planned(ChangeRunner(world.clients), world)


def test_a_restart_that_ecs_took_back_has_failed(world: ChangeWorld, ecs: FakeEcs) -> None:
    """Its tasks did not come up, the earlier deployment is primary again: nobody waits for it."""
    runner = ChangeRunner(world.clients)
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    assert not world.change.verify(world.scope, call.plan).failed
    ecs.take_back()
    ecs.deployments[-1]["target"] = "another, so that the earlier deployment is shown"
    ecs.shown = ecs.deployments[-2]
    seen = world.change.verify(world.scope, call.plan)
    assert (seen.failed, "ROLLBACK_IN_PROGRESS" in seen.message) == (True, True)
