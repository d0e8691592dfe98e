"""Tell whether the services run as many tasks as they should."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, ServiceName, iam
from activities.aws.shared.findings import suspect_if
from domain.config.environment import Service
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.timestamps import stamp_to_second

_PER_CALL = 10  # as many as DescribeServices takes


class ServicesParams(Params):
    services: tuple[ServiceName, ...] = Field(min_length=1)


class Services(ProbeAction[ServicesParams]):
    """Compares running with desired tasks and looks at the rollout of each service.

    A service that ECS does not know is suspect: ECS reports it beside the others, not as an error. Of a service's
    events only their number is kept.
    """

    name = "ecs.services"
    permissions = iam("ecs:DescribeServices")

    def observe(self, scope: Scope, params: ServicesParams, at: datetime) -> Finding:
        named = {name: scope.environment.services[name] for name in dict.fromkeys(params.services)}
        described = dict(_described(self.clients.client("ecs"), list(named.values())))
        facts = {name: _facts(described.get((one.cluster, one.service))) for name, one in named.items()}
        troubles = {name: trouble for name, fact in facts.items() if (trouble := _trouble(fact))}
        summary = "; ".join(f"{name} {troubles.get(name) or _tasks(fact)}" for name, fact in facts.items())
        return suspect_if(troubles, summary, {"services": facts})


def _described(ecs: Any, wanted: list[Service]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    for cluster in dict.fromkeys(one.cluster for one in wanted):
        names = [one.service for one in wanted if one.cluster == cluster]
        for start in range(0, len(names), _PER_CALL):
            answer = ecs.describe_services(cluster=cluster, services=names[start : start + _PER_CALL])
            for service in answer["services"]:
                yield (cluster, service["serviceName"]), service


def _facts(service: dict[str, Any] | None) -> dict[str, Any]:
    if service is None:
        return {"status": "MISSING"}
    primary: dict[str, Any] = next((one for one in service.get("deployments", []) if one["status"] == "PRIMARY"), {})
    events = service.get("events", [])
    return {
        "status": service["status"],
        "desired": service["desiredCount"],
        "running": service["runningCount"],
        "pending": service["pendingCount"],
        "rollout": primary.get("rolloutState"),
        "failed_tasks": primary.get("failedTasks", 0),
        "task_definition": primary.get("taskDefinition") or service.get("taskDefinition"),
        "controller": service.get("deploymentController", {}).get("type", "ECS"),
        "events": len(events),
        "last_event_at": stamp_to_second(max((one["createdAt"] for one in events), default=None)),
    }


def _trouble(fact: dict[str, Any]) -> str | None:
    if fact["status"] == "MISSING":
        return "is not known to ECS"
    if fact["status"] != "ACTIVE":
        return f"is {fact['status']}"
    if fact["desired"] == 0:
        return "is scaled to 0 tasks"
    if fact["rollout"] == "FAILED":
        return f"{_tasks(fact)}, its rollout failed"
    return _tasks(fact, "runs only") if fact["running"] < fact["desired"] else None


def _tasks(fact: dict[str, Any], runs: str = "runs") -> str:
    rolling = ", a rollout is in progress" if fact["rollout"] == "IN_PROGRESS" else ""
    return f"{runs} {fact['running']} of {fact['desired']} tasks{rolling}"
