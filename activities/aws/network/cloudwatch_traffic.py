"""Tell how fast the load balancer's targets answer, and how often they fail."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import BalancedServiceName, LoadBalancerName, Params, ProbeAction, iam
from activities.aws.network.elbv2_target_health import target_group
from activities.aws.shared.cloudwatch_metrics import Query, read
from activities.aws.shared.findings import suspect_if, unknown
from domain.model.activity_io import Scope
from domain.model.finding import Finding

_NAMESPACE = "AWS/ApplicationELB"
_WINDOW = timedelta(hours=2)
_PERIOD_SECONDS = 300
_LATEST = 2


def _dimensions(scope: Scope, load_balancer: str, service: str) -> dict[str, str]:
    """The names by which CloudWatch knows them: the tail of the load balancer's and of the target group's ARN."""
    balancer = scope.environment.load_balancers[load_balancer].arn.split(":loadbalancer/")[-1]
    target = target_group(scope, service).rsplit(":", 1)[-1]
    return {"LoadBalancer": balancer, "TargetGroup": target}


class _TrafficParams(Params):
    load_balancer: LoadBalancerName
    service: BalancedServiceName


class ResponseTimeParams(_TrafficParams):
    """Suspect when the 95th percentile of the newest ten minutes is above `slow_ms`."""

    slow_ms: float = Field(default=1000, gt=0)


class ResponseTime(ProbeAction[ResponseTimeParams]):
    """Reads p50, p95 and p99 of `TargetResponseTime` over two hours; an average would hide the slow ones."""

    name = "cloudwatch.response_time"
    permissions = iam("cloudwatch:GetMetricData")

    def observe(self, scope: Scope, params: ResponseTimeParams, at: datetime) -> Finding:
        dimensions = _dimensions(scope, params.load_balancer, params.service)
        queries = {p: Query(_NAMESPACE, "TargetResponseTime", dimensions, p) for p in ("p50", "p95", "p99")}
        points, _ = read(self.clients.client("cloudwatch"), queries, (at - _WINDOW, at), _PERIOD_SECONDS)
        facts: dict[str, Any] = {"service": params.service, "slow_ms": params.slow_ms}
        if not points["p95"]:
            return unknown(f"{params.service}: CloudWatch has no response times of the last two hours", facts)
        newest = {name: 1000 * max(value for _, value in found[-_LATEST:]) for name, found in points.items() if found}
        before = 1000 * min(value for _, value in points["p95"])
        facts |= {f"{name}_ms": round(value) for name, value in newest.items()} | {"p95_best_ms": round(before)}
        times = ", ".join(f"{name} {value:.0f} ms" for name, value in newest.items())
        return suspect_if(
            newest["p95"] > params.slow_ms,
            f"{params.service} answers in {times}; p95 was {before:.0f} ms at best in the last two hours",
            facts,
        )


class ErrorRateParams(_TrafficParams):
    """Suspect when more than `percent` of the newest ten minutes' requests failed."""

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
        points, _ = read(self.clients.client("cloudwatch"), queries, (at - _WINDOW, at), _PERIOD_SECONDS)
        counts = {name: sum(value for _, value in found[-_LATEST:]) for name, found in points.items()}
        facts: dict[str, Any] = {"service": params.service, **counts}
        if not points["requests"]:
            return unknown(f"{params.service}: CloudWatch has no request counts of the last two hours", facts)
        failed = counts["target"] + counts["balancer"]
        share = 100 * failed / max(counts["requests"], failed, 1)
        facts["percent"] = round(share, 2)
        return suspect_if(
            share > params.percent,
            f"{params.service}: {failed:.0f} of {counts['requests']:.0f} requests failed ({share:.1f} %), "
            f"{counts['target']:.0f} in the application, {counts['balancer']:.0f} in the load balancer",
            facts,
        )
