"""Tell whether the services run as many tasks as they should."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, ServiceName, iam
from activities.aws.ecs import ecs_service_events
from activities.aws.ecs.described_service import controller_of
from activities.aws.shared.findings import plural, suspect_if
from domain.config.environment import Service
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.timestamps import stamp_to_second

_PER_CALL = 10  # as many as DescribeServices takes
_NEEDED = ("status", "desiredCount", "runningCount", "pendingCount")


class ServicesParams(Params):
    services: tuple[ServiceName, ...] = Field(min_length=1)


class Services(ProbeAction[ServicesParams]):
    """Compares running with desired tasks, looks at the rollout of each service, and at the reasons that ECS gives.

    A service that ECS does not know is suspect: ECS reports it beside the others, not as an error. Of a service's
    events only their number and their categories are kept; trouble since it was last steady is suspect, and nothing is
    well with an event since then of a form that is not known.
    """

    name = "ecs.services"
    permissions = iam("ecs:DescribeServices")

    def observe(self, scope: Scope, params: ServicesParams, at: datetime) -> Finding:
        named = {name: scope.environment.services[name] for name in dict.fromkeys(params.services)}
        described = dict(_described(self.clients.client("ecs"), list(named.values())))
        facts = {name: _facts(described.get((one.cluster, one.service)), at) for name, one in named.items()}
        troubles = {name: trouble for name, fact in facts.items() if (trouble := _trouble(fact))}
        unread = sum(fact.get("events_unread", fact["status"] == "UNREAD") for fact in facts.values())
        summary = "; ".join(f"{name} {_told(fact)}" for name, fact in facts.items())
        return suspect_if(troubles, summary, {"services": facts, "unread": unread}, unsure=unread)


def _described(ecs: Any, wanted: list[Service]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    for cluster in dict.fromkeys(one.cluster for one in wanted):
        names = [one.service for one in wanted if one.cluster == cluster]
        for start in range(0, len(names), _PER_CALL):
            answer = ecs.describe_services(cluster=cluster, services=names[start : start + _PER_CALL])
            for service in answer["services"]:
                yield (cluster, service["serviceName"]), service


def _facts(service: dict[str, Any] | None, at: datetime) -> dict[str, Any]:
    if service is None:
        return {"status": "MISSING"}
    if any(field not in service for field in _NEEDED):
        return {"status": "UNREAD"}
    primary: dict[str, Any] = next((one for one in service.get("deployments", []) if one["status"] == "PRIMARY"), {})
    events = service.get("events", [])
    reasons = ecs_service_events.read(events, at)
    return {
        "status": service["status"],
        "desired": service["desiredCount"],
        "running": service["runningCount"],
        "pending": service["pendingCount"],
        "rollout": primary.get("rolloutState"),
        "failed_tasks": primary.get("failedTasks", 0),
        "task_definition": primary.get("taskDefinition") or service.get("taskDefinition"),
        "controller": controller_of(service),
        "events": len(events),
        "last_event_at": stamp_to_second(max((one["createdAt"] for one in events), default=None)),
        "reasons": reasons.troubles,
        "last_reason_at": stamp_to_second(reasons.last_at),
        "events_unread": reasons.unread,
    }


def _trouble(fact: dict[str, Any]) -> bool:
    """What speaks of trouble; what could not be read speaks of nothing."""
    if fact["status"] != "ACTIVE":
        return bool(fact["status"] != "UNREAD")
    short = fact["running"] < fact["desired"] or fact["desired"] == 0
    return bool(short or fact["rollout"] == "FAILED" or fact["reasons"])


def _told(fact: dict[str, Any]) -> str:
    if fact["status"] == "MISSING":
        return "is not known to ECS"
    if fact["status"] == "UNREAD":
        return "could not be read"
    if fact["status"] != "ACTIVE":
        return f"is {fact['status']}"
    if fact["desired"] == 0:
        return "is scaled to 0 tasks"
    only = "only " if fact["running"] < fact["desired"] and fact["rollout"] != "FAILED" else ""
    rolling = {"FAILED": ", its rollout failed", "IN_PROGRESS": ", a rollout is in progress"}.get(fact["rollout"], "")
    reasons = "".join(f", {reason} ({count} events)" for reason, count in fact["reasons"].items())
    unread = f", {plural(fact['events_unread'], 'event')} of an unknown form" if fact["events_unread"] else ""
    return f"runs {only}{fact['running']} of {fact['desired']} tasks{rolling}{reasons}{unread}"
