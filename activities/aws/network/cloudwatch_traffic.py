"""Tell how fast the load balancer's targets answer, and how often they fail."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import BalancedServiceName, Clients, LoadBalancerName, Params, ProbeAction, iam
from activities.aws.network.elbv2_target_health import GROUP_PERMISSIONS, groups_with_traffic
from activities.aws.shared.cloudwatch_metrics import Points, Query, read
from activities.aws.shared.findings import suspect_if, unknown
from domain.model.calls import Scope
from domain.model.finding import Finding

_NAMESPACE = "AWS/ApplicationELB"
_OF_BALANCER = "HTTPCode_ELB_5XX_Count"
_WINDOW = timedelta(hours=2)
_PERIOD_SECONDS = 300
_NEWEST = timedelta(minutes=15)
"""What counts as now. Elastic Load Balancing reports nothing where a count is zero, so that the last points that exist
may be old (ELB guide, "CloudWatch metrics for your Application Load Balancer", reporting criteria)."""


class _TrafficParams(Params):
    load_balancer: LoadBalancerName
    service: BalancedServiceName


def _read(
    clients: Clients, scope: Scope, params: _TrafficParams, at: datetime, wanted: dict[str, tuple[str, str]]
) -> tuple[dict[str, Points], bool]:
    """The points of each (metric, statistic) by its name, and whether CloudWatch gave all figures.

    What `_OF_BALANCER` names is the load balancer's own; else it is of all target groups that get the traffic.
    CloudWatch knows both by the tails of their ARNs.
    """
    balancer = {"LoadBalancer": scope.environment.load_balancers[params.load_balancer].arn.split(":loadbalancer/")[-1]}
    groups = groups_with_traffic(clients, scope, params.service)
    targets = [balancer | {"TargetGroup": group.rsplit(":", 1)[-1]} for group in groups]
    queries = {
        f"{name}_{number}": Query(_NAMESPACE, metric, place, statistic)
        for name, (metric, statistic) in wanted.items()
        for number, place in enumerate([balancer] if metric == _OF_BALANCER else targets)
    }
    points, complete = read(clients.client("cloudwatch"), queries, (at - _WINDOW, at), _PERIOD_SECONDS)
    together: dict[str, Points] = {name: [] for name in wanted}
    for query, found in points.items():
        together[query.partition("_")[0]] += found
    return together, complete


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
        points, complete = _read(self.clients, scope, params, at, wanted)
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
    """Suspect when more than `percent` of the requests of the newest quarter of an hour failed."""

    percent: float = Field(default=1, gt=0)


class ErrorRate(ProbeAction[ErrorRateParams]):
    """Reads requests and 5xx answers; those of the targets are the application's, the others the load balancer's."""

    name = "cloudwatch.errors_5xx"
    permissions = iam(*GROUP_PERMISSIONS, "cloudwatch:GetMetricData")

    def observe(self, scope: Scope, params: ErrorRateParams, at: datetime) -> Finding:
        metrics = {"requests": "RequestCount", "target": "HTTPCode_Target_5XX_Count", "balancer": _OF_BALANCER}
        wanted = {name: (metric, "Sum") for name, metric in metrics.items()}
        points, complete = _read(self.clients, scope, params, at, wanted)
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
