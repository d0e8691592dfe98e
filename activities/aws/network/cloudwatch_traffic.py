"""Tell how fast the load balancer's targets answer, and how often they fail."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import BalancedServiceName, LoadBalancerName, Params, ProbeAction, iam
from activities.aws.network.elbv2_target_health import target_group
from activities.aws.shared.cloudwatch_metrics import Points, Query, read
from activities.aws.shared.findings import suspect_if, unknown
from domain.model.activity_io import Scope
from domain.model.finding import Finding

_NAMESPACE = "AWS/ApplicationELB"
_WINDOW = timedelta(hours=2)
_PERIOD_SECONDS = 300
_NEWEST = timedelta(minutes=15)
"""What counts as now. Elastic Load Balancing reports nothing where a count is zero, so that the last points that exist
may be old (ELB guide, "CloudWatch metrics for your Application Load Balancer", reporting criteria)."""


def _dimensions(scope: Scope, load_balancer: str, service: str) -> dict[str, str]:
    """The names by which CloudWatch knows them: the tail of the load balancer's and of the target group's ARN."""
    balancer = scope.environment.load_balancers[load_balancer].arn.split(":loadbalancer/")[-1]
    target = target_group(scope, service).rsplit(":", 1)[-1]
    return {"LoadBalancer": balancer, "TargetGroup": target}


def _newest(points: Points, at: datetime) -> list[float]:
    return [value for moment, value in points if moment >= at - _NEWEST]


class _TrafficParams(Params):
    load_balancer: LoadBalancerName
    service: BalancedServiceName


class ResponseTimeParams(_TrafficParams):
    """Suspect when the 95th percentile of the newest quarter of an hour is above `slow_ms`."""

    slow_ms: float = Field(default=1000, gt=0)


class ResponseTime(ProbeAction[ResponseTimeParams]):
    """Reads p50, p95 and p99 of `TargetResponseTime` over two hours; an average would hide the slow ones."""

    name = "cloudwatch.response_time"
    permissions = iam("cloudwatch:GetMetricData")

    def observe(self, scope: Scope, params: ResponseTimeParams, at: datetime) -> Finding:
        dimensions = _dimensions(scope, params.load_balancer, params.service)
        queries = {p: Query(_NAMESPACE, "TargetResponseTime", dimensions, p) for p in ("p50", "p95", "p99")}
        points, complete = read(self.clients.client("cloudwatch"), queries, (at - _WINDOW, at), _PERIOD_SECONDS)
        newest = {name: 1000 * max(now) for name, found in points.items() if (now := _newest(found, at))}
        facts: dict[str, Any] = {"service": params.service, "slow_ms": params.slow_ms, "truncated": not complete}
        facts |= {f"{name}_ms": round(value) for name, value in newest.items()}
        if "p95" not in newest:
            return unknown(f"{params.service}: no target answered a request in the last quarter of an hour", facts)
        best = 1000 * min(value for _, value in points["p95"])
        times = ", ".join(f"{name} {value:.0f} ms" for name, value in newest.items())
        return suspect_if(
            newest["p95"] > params.slow_ms,
            f"{params.service} answers in {times}; p95 was {best:.0f} ms at best in the last two hours"
            + _rest(complete),
            facts | {"p95_best_ms": round(best)},
            unsure=not complete,
        )


class ErrorRateParams(_TrafficParams):
    """Suspect when more than `percent` of the newest quarter of an hour' requests failed."""

    percent: float = Field(default=1, gt=0)


class ErrorRate(ProbeAction[ErrorRateParams]):
    """Reads requests and 5xx answers; those of the targets are the application's, the others the load balancer's."""

    name = "cloudwatch.errors_5xx"
    permissions = iam("cloudwatch:GetMetricData")

    def observe(self, scope: Scope, params: ErrorRateParams, at: datetime) -> Finding:
        both = _dimensions(scope, params.load_balancer, params.service)
        balancer = {"LoadBalancer": both["LoadBalancer"]}
        queries = {
            "requests": Query(_NAMESPACE, "RequestCount", both, "Sum"),
            "target": Query(_NAMESPACE, "HTTPCode_Target_5XX_Count", both, "Sum"),
            "balancer": Query(_NAMESPACE, "HTTPCode_ELB_5XX_Count", balancer, "Sum"),
        }
        points, complete = read(self.clients.client("cloudwatch"), queries, (at - _WINDOW, at), _PERIOD_SECONDS)
        counts = {name: sum(_newest(found, at)) for name, found in points.items()}
        facts: dict[str, Any] = {"service": params.service, **counts, "truncated": not complete}
        failed = counts["target"] + counts["balancer"]
        if not counts["requests"] and not failed:
            return unknown(f"{params.service}: no request in the last quarter of an hour, so none that failed", facts)
        # what the load balancer answers by itself, for want of a target, is no request of a target's
        share = 100 * failed / max(counts["requests"], failed)
        return suspect_if(
            share > params.percent,
            f"{params.service}: {failed:.0f} of {counts['requests']:.0f} requests failed ({share:.1f} %), "
            f"{counts['target']:.0f} in the application, {counts['balancer']:.0f} in the load balancer"
            + _rest(complete),
            facts | {"percent": round(share, 2)},
            unsure=not complete,
        )


def _rest(complete: bool) -> str:
    return "" if complete else "; CloudWatch did not give all figures"
