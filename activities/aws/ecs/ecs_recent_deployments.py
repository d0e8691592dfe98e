"""Tell whether something was deployed shortly before it broke."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, ServiceName, iam
from activities.aws.ecs.described_service import revision
from activities.aws.ecs.ecs_history import Deployment, history, last_healthy
from activities.aws.shared.findings import suspect_if, unknown
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_ROLLING = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


class RecentDeploymentsParams(Params):
    service: ServiceName
    within: Duration = Field(default=timedelta(hours=24), gt=timedelta(0))


class RecentDeployments(ProbeAction[RecentDeploymentsParams]):
    """Finds the newest deployment before the incident was declared, and the last healthy one before that.

    Suspect when it started or finished within `within` before the declaration, or is still rolling out. Unknown for a
    service that ECS does not know, has no history of, or that is deployed by CodeDeploy or another controller.
    """

    name = "ecs.recent_deployments"
    permissions = iam("ecs:DescribeServiceDeployments DescribeServiceRevisions DescribeServices ListServiceDeployments")

    def observe(self, scope: Scope, params: RecentDeploymentsParams, at: datetime) -> Finding:
        service = scope.environment.services[params.service]
        ecs = self.clients.client("ecs")
        found = ecs.describe_services(cluster=service.cluster, services=[service.service])["services"]
        if not found:
            return _unknown(params.service, "is not known to ECS")
        controller = found[0].get("deploymentController", {}).get("type", "ECS")
        if controller != "ECS":
            return _unknown(params.service, f"is deployed by {controller}: look for its deployments there")
        known = history(ecs, service)
        before = [one for one in known if one.created_at <= scope.declared_at]
        if not before:
            return _unknown(params.service, "has no deployment before the incident in the 90 days that ECS remembers")
        primary: dict[str, Any] = next((one for one in found[0]["deployments"] if one["status"] == "PRIMARY"), {})
        current = primary.get("taskDefinition") or found[0]["taskDefinition"]
        healthy = last_healthy(known, current)
        newest, since = before[0], scope.declared_at - params.within
        return suspect_if(
            _is_recent(newest, since, scope.declared_at),
            f"{params.service}: {_describe(newest, scope.declared_at)}; {_way_back(healthy)}",
            {
                "service": params.service,
                "task_definition": current,
                "rollout": primary.get("rolloutState"),
                "deployment": _facts(newest) | _reason(ecs, newest),
                "last_healthy": _facts(healthy) if healthy else None,
                "deployments_in_window": sum(_is_recent(one, since, scope.declared_at) for one in before),
            },
            newest.arn,
        )


def _unknown(service: str, why: str) -> Finding:
    return unknown(f"{service} {why}", {"service": service})


def _is_recent(deployment: Deployment, since: datetime, until: datetime) -> bool:
    began, ended = deployment.started_at or deployment.created_at, deployment.finished_at
    was_rolling = ended > until if ended else deployment.status in _ROLLING
    return was_rolling or since <= began <= until or (ended is not None and since <= ended <= until)


def _describe(deployment: Deployment, declared_at: datetime) -> str:
    what = f"{_short(deployment.task_definition)} ({deployment.status})"
    if deployment.finished_at is None:
        began = deployment.started_at or deployment.created_at
        return f"deployment of {what} began {spoken(declared_at - began)} before the incident and has not finished"
    if deployment.finished_at > declared_at:
        return f"deployment of {what} was under way when the incident began"
    ago = spoken(declared_at - deployment.finished_at)
    return f"last deployment, of {what}, finished {ago} before the incident, {short_time(deployment.finished_at)}"


def _way_back(healthy: Deployment | None) -> str:
    if healthy is None:
        return "no earlier healthy deployment of another version is known"
    since = short_time(healthy.finished_at or healthy.created_at)
    return f"last healthy before it: {_short(healthy.task_definition)}, {since}"


def _short(task_definition: str | None) -> str:
    return revision(task_definition) if task_definition else "an unknown version"


def _facts(deployment: Deployment) -> dict[str, Any]:
    fields = deployment._asdict().items()
    return {name: stamp_to_second(value) if isinstance(value, datetime) else value for name, value in fields}


def _reason(ecs: Any, deployment: Deployment) -> dict[str, Any]:
    """What ECS says of a deployment only when asked for it alone: why it has its status, and its circuit breaker."""
    answer = ecs.describe_service_deployments(serviceDeploymentArns=[deployment.arn])
    described: dict[str, Any] = next(iter(answer["serviceDeployments"]), {})
    return {
        "status_reason": described.get("statusReason"),
        "circuit_breaker": described.get("deploymentCircuitBreaker", {}).get("status"),
    }
