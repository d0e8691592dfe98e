"""Tell how busy the tasks of a service are."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Clients, ProbeAction, ServiceParams, iam
from activities.aws.shared.cloudwatch_metrics import Points, Query, read
from activities.aws.shared.findings import suspect_if
from domain.config.environment import Service
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.timestamps import short_time

_WINDOW = timedelta(minutes=30)
_FRESH = timedelta(minutes=10)
_PERIOD_SECONDS = 60


class ServiceLoadParams(ServiceParams):
    """Suspect from `busy_percent` of CPU or memory on, as the newest minutes show it."""

    busy_percent: float = Field(default=80, gt=0, le=100)


def load_queries(service: Service) -> dict[str, Query]:
    """CPU and memory of a service, in percent of what its tasks reserve."""
    dimensions = {"ClusterName": service.cluster, "ServiceName": service.service}
    return {
        "cpu": Query("AWS/ECS", "CPUUtilization", dimensions, "Average"),
        "memory": Query("AWS/ECS", "MemoryUtilization", dimensions, "Average"),
    }


def load(clients: Clients, service: Service, at: datetime) -> tuple[dict[str, Points], bool]:
    """CPU and memory of the half hour before `at`; a metric whose last point is older than ten minutes is left empty.

    Also tells whether CloudWatch gave all of it (`cloudwatch:GetMetricData`).
    """
    points, complete = read(clients.client("cloudwatch"), load_queries(service), (at - _WINDOW, at), _PERIOD_SECONDS)
    return {name: found if found and found[-1][0] >= at - _FRESH else [] for name, found in points.items()}, complete


class ServiceLoad(ProbeAction[ServiceLoadParams]):
    """Reads CPU and memory of the last half hour; unknown without figures of the last ten minutes."""

    name = "cloudwatch.service_load"
    permissions = iam("cloudwatch:GetMetricData")

    def observe(self, scope: Scope, params: ServiceLoadParams, at: datetime) -> Finding:
        points, complete = load(self.clients, scope.environment.services[params.service], at)
        facts: dict[str, Any] = {"service": params.service, "truncated": not complete}
        for name, found in points.items():
            facts[name] = {"latest": found[-1][1], "maximum": max(v for _, v in found)} if found else None
        missing = [name for name in points if facts[name] is None]
        facts["unread"] = len(missing)
        told = [f"{name.upper() if name == 'cpu' else name} {_told(found)}" for name, found in points.items()]
        busy = [name for name in points if facts[name] and facts[name]["latest"] >= params.busy_percent]
        summary = f"{params.service}: {', '.join(told)}{'' if complete else '; CloudWatch did not give all figures'}"
        return suspect_if(busy, summary, facts, unsure=missing or not complete)


def _told(found: Points) -> str:
    return f"{found[-1][1]:.0f} % at {short_time(found[-1][0])}" if found else "not known of the last ten minutes"
