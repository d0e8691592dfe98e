"""Tell whether the targets behind the load balancer are healthy."""

from collections import Counter
from datetime import datetime

from activities.action import BalancedServiceName, Params, ProbeAction, iam, needed
from activities.aws.shared.findings import suspect_if
from domain.model.activity_io import Scope
from domain.model.finding import Finding

_HEALTHY = "healthy"
_FAILING = ("unhealthy", "unhealthy.draining")
_UNCHECKED = "unavailable"


class TargetHealthParams(Params):
    service: BalancedServiceName


class TargetHealth(ProbeAction[TargetHealthParams]):
    """Counts a service's targets by state and reason.

    Suspect when one fails its checks or none is healthy; unknown when health checks are switched off.
    """

    name = "elbv2.target_health"
    permissions = iam("elasticloadbalancing:DescribeTargetHealth")

    def observe(self, scope: Scope, params: TargetHealthParams, at: datetime) -> Finding:
        group = target_group(scope, params.service)
        answer = self.clients.client("elbv2").describe_target_health(TargetGroupArn=group)
        health = [described["TargetHealth"] for described in answer["TargetHealthDescriptions"]]
        states = Counter(one["State"] for one in health)
        reasons = Counter(one["Reason"] for one in health if one.get("Reason"))
        unchecked = set(states) == {_UNCHECKED}
        counted = {"targets": states.total(), "healthy": states[_HEALTHY], "states": dict(states)}
        return suspect_if(
            not unchecked and (any(states[state] for state in _FAILING) or not states[_HEALTHY]),
            _summary(params.service, states, reasons),
            {"service": params.service, **counted, "reasons": dict(reasons)},
            group,
            unsure=unchecked,
        )


def target_group(scope: Scope, service: str) -> str:
    """The ARN of a service's target group. Raises `RuleError` where no load balancer is before the service."""
    arn = scope.environment.services[service].target_group_arn
    return needed(arn, scope.environment, f"services.{service}.target_group_arn")


def _summary(service: str, states: Counter[str], reasons: Counter[str]) -> str:
    if not states:
        return f"{service}: no target is registered behind the load balancer"
    others = ", ".join(f"{count} {state}" for state, count in sorted(states.items()) if state != _HEALTHY)
    why = f" ({', '.join(sorted(reasons))})" if reasons else ""
    rest = f"; {others}{why}" if others else ""
    return f"{service}: {states[_HEALTHY]} of {states.total()} targets healthy{rest}"
