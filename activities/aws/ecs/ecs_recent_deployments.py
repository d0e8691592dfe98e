"""Tell whether something was deployed shortly before it broke."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Clients, ProbeAction, RuleError, ServiceParams, iam
from activities.aws.ecs.described_service import controller_of, described, located, revision
from activities.aws.ecs.ecs_history import GOING_BACK, RUNNING, STATUSES, Deployment
from activities.aws.ecs.ecs_past import PAST_PERMISSIONS, Past, past_of
from activities.aws.shared.findings import suspect_if, unknown
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_UNDER_WAY = RUNNING | GOING_BACK | {"STOP_REQUESTED"}


class RecentDeploymentsParams(ServiceParams):
    within: Duration = Field(default=timedelta(hours=24), gt=timedelta(0))


class RecentDeployments(ProbeAction[RecentDeploymentsParams]):
    """Finds the newest deployment that was in place when the incident was declared, and the way back from it.

    Suspect when it started or finished within `within` before the declaration, or is still rolling out. What had been
    rolled back from by then was not in place any more, and our own rollbacks are told and not suspected. Unknown for a
    service that ECS does not know, has no history of, or that CodeDeploy or another controller deploys.
    """

    name = "ecs.recent_deployments"
    permissions = iam(*PAST_PERMISSIONS, "ecs:DescribeServiceDeployments DescribeServices")

    def observe(self, scope: Scope, params: RecentDeploymentsParams, at: datetime) -> Finding:
        where, declared = located(scope.environment.services[params.service]), scope.declared_at
        try:
            service = described(self.clients, where)
        except RuleError:
            return _unknown(params.service, "is not known to ECS, or not active")
        if (controller := controller_of(service)) != "ECS":
            return _unknown(params.service, f"is deployed by {controller}: look for its deployments there")
        past = past_of(self.clients, scope, where, service)
        standing = _standing(past, declared)
        if not standing:
            return _unknown(params.service, "has no deployment before the incident in the 90 days that ECS remembers")
        newest, since, unread = standing[0], declared - params.within, sum(not _is_read(one) for one in standing)
        facts = {
            "service": params.service,
            "task_definition": past.current,
            "rollout": past.rollout,
            "deployment": _facts(newest) | _reason(self.clients, newest),
            "last_healthy": _facts(good) if (good := past.last_good()) else None,
            "rolled_back_from": {one: left.why for one, left in past.left().items()},
            "deployments_in_window": sum(_is_recent(one, since, declared) for one in standing),
            "unread": unread,
            "ledger_read": not past.ledger_unread,
        }
        summary = f"{params.service}: {_describe(newest, declared)}; {_way_back(past)}"
        suspect = _is_recent(newest, since, declared)
        if unread:
            summary += f"; of {unread} deployments the revision or the status is not known"
        if past.ledger_unread:
            summary += "; what our own incidents rolled back could not be read"
        return suspect_if(suspect, summary, facts, newest.arn, unsure=unread or past.ledger_unread)


def _unknown(service: str, why: str) -> Finding:
    return unknown(f"{service} {why}", {"service": service})


def _standing(past: Past, declared_at: datetime) -> list[Deployment]:
    """The deployments up to the declaration that nobody had rolled back from by then, our own rollbacks left out."""
    ours = past.ours()
    before = (one for one in past.deployments if one.created_at <= declared_at and one not in ours)
    return [one for one in before if not past.gone(one, declared_at)]


def _is_read(deployment: Deployment) -> bool:
    return deployment.task_definition is not None and deployment.status in STATUSES


def _is_recent(deployment: Deployment, since: datetime, until: datetime) -> bool:
    began, ended = deployment.started_at or deployment.created_at, deployment.finished_at
    was_rolling = ended > until if ended else deployment.status in _UNDER_WAY
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


def _way_back(past: Past) -> str:
    if past.going_back:
        return f"ECS is rolling {_short(past.going_back.task_definition)} back by itself: leave it to that"
    if back := past.brought_back():
        return f"{_short(past.current)} runs: {back.why}, {short_time(back.at)}"
    if good := past.last_good():
        return f"last healthy before it: {_short(good.task_definition)}, {short_time(good.ended_at)}"
    return "no earlier healthy deployment of another version is known"


def _short(task_definition: str | None) -> str:
    return revision(task_definition) if task_definition else "an unknown version"


def _facts(deployment: Deployment) -> dict[str, Any]:
    fields = deployment._asdict().items()
    return {name: stamp_to_second(value) if isinstance(value, datetime) else value for name, value in fields}


def _reason(clients: Clients, deployment: Deployment) -> dict[str, Any]:
    """What ECS says of a deployment only when asked for it alone: why it has its status, and who watches it."""
    answer = clients.client("ecs").describe_service_deployments(serviceDeploymentArns=[deployment.arn])
    described: dict[str, Any] = next(iter(answer["serviceDeployments"]), {})
    return {
        "status_reason": described.get("statusReason"),
        "circuit_breaker": described.get("deploymentCircuitBreaker", {}).get("status"),
        "alarms": described.get("alarms", {}).get("status"),
    }
