"""Tell whether the targets that get a service's traffic are healthy."""

from collections import Counter
from datetime import datetime

from activities.action import BalancedServiceName, Clients, Params, ProbeAction, iam, needed
from activities.aws.ecs.described_service import described, located
from activities.aws.ecs.serving_targets import serving_groups
from activities.aws.shared.findings import suspect_if
from domain.model.calls import Scope
from domain.model.finding import Finding

_HEALTHY = "healthy"
_FAILING = ("unhealthy", "unhealthy.draining")
_UNCHECKED = "unavailable"
GROUP_PERMISSIONS = ("ecs:DescribeServices", "elasticloadbalancing:DescribeListeners DescribeRules")
"""What `groups_with_traffic` asks."""


class TargetHealthParams(Params):
    service: BalancedServiceName


class TargetHealth(ProbeAction[TargetHealthParams]):
    """Counts the targets that get a service's traffic by state and reason.

    Suspect when one fails its checks or none is healthy; unknown when health checks are switched off.
    """

    name = "elbv2.target_health"
    permissions = iam(*GROUP_PERMISSIONS, "elasticloadbalancing:DescribeTargetHealth")

    def observe(self, scope: Scope, params: TargetHealthParams, at: datetime) -> Finding:
        groups = groups_with_traffic(self.clients, scope, params.service)
        elbv2 = self.clients.client("elbv2")
        answers = [elbv2.describe_target_health(TargetGroupArn=group) for group in groups]
        health = [[one["TargetHealth"] for one in answer["TargetHealthDescriptions"]] for answer in answers]
        states = Counter(one["State"] for group in health for one in group)
        reasons = Counter(one["Reason"] for group in health for one in group if one.get("Reason"))
        unchecked = set(states) == {_UNCHECKED}
        none_healthy = any(_HEALTHY not in [one["State"] for one in group] for group in health)
        counted = {"targets": states.total(), "healthy": states[_HEALTHY], "states": dict(states)}
        return suspect_if(
            not unchecked and (any(states[state] for state in _FAILING) or none_healthy),
            _summary(params.service, states, reasons),
            {"service": params.service, **counted, "reasons": dict(reasons)},
            ", ".join(groups),
            unsure=unchecked,
        )


def groups_with_traffic(clients: Clients, scope: Scope, service: str) -> list[str]:
    """The ARNs of the target groups that get a service's traffic now: under blue/green one of two, or both in a shift.

    Where ECS names none, it is the environment's. Raises `RuleError` where no load balancer is before the service, or
    its cluster has no such service.
    """
    where = scope.environment.services[service]
    named = needed(where.target_group_arn, scope.environment, f"services.{service}.target_group_arn")
    return serving_groups(clients, described(clients, located(where))) or [named]


def _summary(service: str, states: Counter[str], reasons: Counter[str]) -> str:
    if not states:
        return f"{service}: no target is registered behind the load balancer"
    others = ", ".join(f"{count} {state}" for state, count in sorted(states.items()) if state != _HEALTHY)
    why = f" ({', '.join(sorted(reasons))})" if reasons else ""
    rest = f"; {others}{why}" if others else ""
    return f"{service}: {states[_HEALTHY]} of {states.total()} targets healthy{rest}"
