"""Tell how busy the tasks of a service are."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, ServiceName, iam
from activities.aws.shared.cloudwatch_metrics import Query, read
from activities.aws.shared.findings import suspect_if, unknown
from domain.config.environment import Service
from domain.model.activity_io import Scope
from domain.model.finding import Finding

_WINDOW = timedelta(minutes=30)
_PERIOD_SECONDS = 60


class ServiceLoadParams(Params):
    """Suspect from `busy_percent` of CPU or memory on, as the newest minutes show it."""

    service: ServiceName
    busy_percent: float = Field(default=80, gt=0, le=100)


def load_queries(service: Service) -> dict[str, Query]:
    """CPU and memory of a service, in percent of what its tasks reserve."""
    dimensions = {"ClusterName": service.cluster, "ServiceName": service.service}
    return {
        "cpu": Query("AWS/ECS", "CPUUtilization", dimensions, "Average"),
        "memory": Query("AWS/ECS", "MemoryUtilization", dimensions, "Average"),
    }


class ServiceLoad(ProbeAction[ServiceLoadParams]):
    """Reads CPU and memory of the last half hour; unknown without data points."""

    name = "cloudwatch.service_load"
    permissions = iam("cloudwatch:GetMetricData")

    def observe(self, scope: Scope, params: ServiceLoadParams, at: datetime) -> Finding:
        service = scope.environment.services[params.service]
        points, _ = read(self.clients.client("cloudwatch"), load_queries(service), (at - _WINDOW, at), _PERIOD_SECONDS)
        facts: dict[str, Any] = {"service": params.service}
        for name, found in points.items():
            facts[name] = {"latest": found[-1][1], "maximum": max(v for _, v in found)} if found else None
        if facts["cpu"] is None:
            return unknown(f"{params.service}: CloudWatch has no CPU figures of the last half hour", facts)
        busy = [name for name in points if facts[name] and facts[name]["latest"] >= params.busy_percent]
        memory = f"{facts['memory']['latest']:.0f} %" if facts["memory"] else "not known"
        return suspect_if(busy, f"{params.service}: CPU {facts['cpu']['latest']:.0f} %, memory {memory}", facts)
