"""Tell how fast the load balancer's targets answer, and how often they fail."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import BalancedServiceName, Clients, LoadBalancerName, Params, ProbeAction, iam
from activities.aws.network.elbv2_target_health import GROUP_PERMISSIONS, groups_with_traffic
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


class _TrafficParams(Params):
    load_balancer: LoadBalancerName
    service: BalancedServiceName


def _balancer(scope: Scope, params: _TrafficParams) -> dict[str, str]:
    """The name by which CloudWatch knows the load balancer: the tail of its ARN."""
    return {"LoadBalancer": scope.environment.load_balancers[params.load_balancer].arn.split(":loadbalancer/")[-1]}


def _of_targets(
    clients: Clients, scope: Scope, params: _TrafficParams, wanted: dict[str, tuple[str, str]]
) -> dict[str, Query]:
    """Queries for each (metric, statistic) by its name, of every target group that gets the service's traffic."""
    tails = [group.rsplit(":", 1)[-1] for group in groups_with_traffic(clients, scope, params.service)]
    places = [_balancer(scope, params) | {"TargetGroup": tail} for tail in tails]
    return {
        f"{name}_{number}": Query(_NAMESPACE, metric, place, statistic)
        for name, (metric, statistic) in wanted.items()
        for number, place in enumerate(places)
    }


def _together(points: dict[str, Points], name: str) -> Points:
    """The points of all target groups."""
    return [point for query, found in points.items() if query.startswith(f"{name}_") for point in found]


def _newest(points: Points, at: datetime) -> list[float]:
    return [value for moment, value in points if moment >= at - _NEWEST]


class ResponseTimeParams(_TrafficParams):
    """Suspect when the 95th percentile of the newest quarter of an hour is above `slow_ms`."""

    slow_ms: float = Field(default=1000, gt=0)


class ResponseTime(ProbeAction[ResponseTimeParams]):
    """Reads p50, p95 and p99 of `TargetResponseTime` over two hours; an average would hide the slow ones."""

    name = "cloudwatch.response_time"
    permissions = iam(*GROUP_PERMISSIONS, "cloudwatch:GetMetricData")

    def observe(self, scope: Scope, params: ResponseTimeParams, at: datetime) -> Finding:
        wanted = {p: ("TargetResponseTime", p) for p in ("p50", "p95", "p99")}
        queries = _of_targets(self.clients, scope, params, wanted)
        read_points, complete = read(self.clients.client("cloudwatch"), queries, (at - _WINDOW, at), _PERIOD_SECONDS)
        points = {name: _together(read_points, name) for name in wanted}
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
    permissions = iam(*GROUP_PERMISSIONS, "cloudwatch:GetMetricData")

    def observe(self, scope: Scope, params: ErrorRateParams, at: datetime) -> Finding:
        wanted = {"requests": ("RequestCount", "Sum"), "target": ("HTTPCode_Target_5XX_Count", "Sum")}
        queries = _of_targets(self.clients, scope, params, wanted)
        queries["balancer"] = Query(_NAMESPACE, "HTTPCode_ELB_5XX_Count", _balancer(scope, params), "Sum")
        points, complete = read(self.clients.client("cloudwatch"), queries, (at - _WINDOW, at), _PERIOD_SECONDS)
        counts = {name: sum(_newest(_together(points, name), at)) for name in wanted}
        counts["balancer"] = sum(_newest(points["balancer"], at))
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
