"""Elastic Load Balancing, where moto differs from AWS: targets are a service's tasks, healthy if the service is.

`named_*` create what an environment file names under exactly the ARN given there; moto generates random ones.
"""

from typing import Any

from moto.ecs.models import ecs_backends
from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import (
    ELBv2Backend,
    FakeHealthStatus,
    FakeListener,
    FakeLoadBalancer,
    FakeTargetGroup,
    elbv2_backends,
)

from sandbox.aws.moto_patch import patch
from sandbox.aws.rollout import LOCK, Rollouts, moment, rollouts

_describe_target_health = ELBv2Backend.describe_target_health


def install() -> None:
    """Patch moto with these operations."""
    patch(ELBv2Backend, describe_target_health=describe_target_health)


def backend(account: str, region: str) -> ELBv2Backend:
    found: ELBv2Backend = elbv2_backends[account][region]
    return found


def describe_target_health(
    elb: ELBv2Backend, target_group_arn: str, targets: list[dict[str, Any]]
) -> list[FakeHealthStatus]:
    """Describe a group's targets: one for each running task, unhealthy while the running revision is defective.

    A group that no rule forwards to is not checked: its targets are unused (ELB API TargetHealth, Target.NotInUse). One
    without a service answers as moto does.
    """
    group = elb.target_groups.get(target_group_arn)
    if group is None:
        raise TargetGroupNotFoundError
    with LOCK:  # the service must not change between its count and its health
        record = _service_behind(elb, target_group_arn)
        if record is None:
            return _describe_target_health(elb, target_group_arn, targets)
        record.settle(moment())
        asked = {target["Id"] for target in targets}
        healthy = record.healthy() if _is_used(elb, target_group_arn) else None
        shown = [_status(group, number, healthy) for number in range(record.running)]
        return [one for one in shown if not asked or one.instance_id in asked]


def named_load_balancer(elb: ELBv2Backend, arn: str, subnets: list[str], groups: list[str]) -> FakeLoadBalancer:
    """Create an application load balancer under this ARN."""
    name = arn.split("/")[-2]
    # create, then move: here and below, moto has no way to choose the ARN
    made = elb.create_load_balancer(name, groups, subnets, loadbalancer_type="application")
    del elb.load_balancers[made.arn]
    made.arn = arn
    elb.load_balancers[arn] = made
    return made


def named_target_group(elb: ELBv2Backend, arn: str, vpc: str, port: int) -> FakeTargetGroup:
    """Create a target group of task addresses under this ARN, checked at `/health`."""
    name = arn.split("/")[-2].rsplit(":", maxsplit=1)[-1]
    made = elb.create_target_group(
        name, protocol="HTTP", port=str(port), vpc_id=vpc, target_type="ip", healthcheck_path="/health"
    )
    del elb.target_groups[made.arn]
    made.arn = arn
    elb.target_groups[arn] = made
    return made


def named_listener(elb: ELBv2Backend, arn: str, balancer: FakeLoadBalancer, forward: str | None) -> FakeListener:
    """Create an HTTP listener under this ARN; it forwards to a target group, or answers 404 without one."""
    action = _forward(forward) if forward else {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    made = elb.create_listener(balancer.arn, "HTTP", "80", "", None, [action])
    del balancer.listeners[made.arn]
    made.arn = arn
    for rule in made.rules.values():
        rule.listener_arn = arn
    balancer.listeners[arn] = made
    return made


def named_rule(elb: ELBv2Backend, arn: str, listener: FakeListener, path: str, priority: int, forward: str) -> None:
    """Create a rule under this ARN that forwards a path to the target group `forward`."""
    condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}
    made = elb.create_rule(listener.arn, [condition], priority, [_forward(forward)])
    listener.remove_rule(made.arn)
    made.arn = arn
    listener.register(arn, made)


def _forward(group: str) -> dict[str, Any]:
    return {"Type": "forward", "TargetGroupArn": group}


def _service_behind(elb: ELBv2Backend, target_group_arn: str) -> Rollouts | None:
    for service in ecs_backends[elb.account_id][elb.region_name].services.values():
        if any(one.get("targetGroupArn") == target_group_arn for one in service.load_balancers):
            return rollouts(service)
    return None


def _is_used(elb: ELBv2Backend, group: str) -> bool:
    listeners = (one for balancer in elb.load_balancers.values() for one in balancer.listeners.values())
    rules = (rule for listener in listeners for rule in listener.rules.values())
    return any(group in str(action.data) for rule in rules for action in rule.actions)


def _status(group: FakeTargetGroup, number: int, healthy: bool | None) -> FakeHealthStatus:
    """The state of a target; None where it is not checked."""
    place = (f"10.0.{number % 2 + 1}.{10 + number}", group.port, group.health_check_port)
    if healthy:
        return FakeHealthStatus(*place, "healthy")
    if healthy is None:
        return FakeHealthStatus(*place, "unused", "Target.NotInUse")
    why = "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"
    return FakeHealthStatus(*place, "unhealthy", *why)
