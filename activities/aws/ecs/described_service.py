"""One ECS service as it stands: its deployments, its health, and the limits within which it scales by itself."""

from datetime import datetime
from typing import Any

from activities.action import Clients, RuleError
from activities.aws.ecs.serving_targets import serving_groups, states
from domain.config.environment import Service
from domain.model.plan import State, Verification

_COUNT = "ecs:service:DesiredCount"
_LEAVING = ("draining", "unhealthy.draining")
_NOT_LED_TO = "unused"
"""The state of targets whose group no load balancer uses, as while the maintenance page stands (API TargetHealth)."""
SETTLE_PERMISSIONS = "elasticloadbalancing:DescribeListeners DescribeRules DescribeTargetHealth"
"""What `settled` needs beside the description of the service."""


def located(where: Service) -> State:
    """Where a service is: what a plan's context keeps of it, and what the functions here find it by."""
    return {"cluster": where.cluster, "service": where.service, "target_group": where.target_group_arn}


def described(clients: Clients, at: State) -> dict[str, Any]:
    """Describe one active service (`ecs:DescribeServices`); raises `RuleError` when there is none."""
    answer = clients.client("ecs").describe_services(cluster=at["cluster"], services=[at["service"]])
    # ECS reports a missing service beside the found ones, not as an error.
    for found in answer["services"]:
        if found["status"] == "ACTIVE":
            return dict(found)
    raise RuleError(f"cluster {at['cluster']} has no active service {at['service']}: look at the environment's file")


def refuse_other_controllers(service: dict[str, Any], name: str, doing: str) -> None:
    """Refuse what ECS does not deploy: UpdateService then takes neither a revision nor a forced deployment."""
    controller = controller_of(service)
    if controller == "CODE_DEPLOY":
        raise RuleError(f"{name} is deployed by CodeDeploy: {doing} there, as ECS refuses it")
    if controller != "ECS":
        raise RuleError(f"{name} is deployed by an external controller ({controller}): whoever runs it must {doing}")


def controller_of(service: dict[str, Any]) -> str:
    return str(service.get("deploymentController", {}).get("type", "ECS"))


def refuse_daemon(service: dict[str, Any], name: str, instead: str) -> None:
    """Refuse a service that runs one task on each instance: UpdateService takes no count for it."""
    if service.get("schedulingStrategy") == "DAEMON":
        raise RuleError(f"{name} is a daemon, one task on each instance of its cluster, and has no count: {instead}")


def update(clients: Clients, at: State, **wanted: Any) -> None:
    """Change what is given of the service, in one attempt (`ecs:UpdateService`); the rest stays."""
    clients.once("ecs").update_service(cluster=at["cluster"], service=at["service"], **wanted)


def primary(service: dict[str, Any]) -> dict[str, Any]:
    """The deployment that ECS is bringing the service to, or keeps it at; only of what ECS deploys."""
    return next(dict(one) for one in service["deployments"] if one["status"] == "PRIMARY")


def created_at(service: dict[str, Any]) -> str:
    """When the primary deployment began, to the microsecond."""
    began: datetime = primary(service)["createdAt"]
    return began.isoformat()


def settled(clients: Clients, at: State, service: dict[str, Any]) -> Verification:
    """Tell whether the newest rollout is complete, every task runs and every target answers its health check.

    Of a service that no load balancer is before, or leads anybody to, ECS alone knows how its tasks are. Behind a
    Classic Load Balancer it tells no rollout's state: then it is complete once no other deployment is left.
    """
    rollout = primary(service)
    alone = "COMPLETED" if len(service["deployments"]) == 1 else "unknown"
    name, state = revision(rollout["taskDefinition"]), str(rollout.get("rolloutState", alone))
    if state == "FAILED":
        return Verification(done=False, failed=True, message=f"the rollout of {name} failed")
    running, desired = int(service["runningCount"]), int(service["desiredCount"])
    message = f"{name}: rollout {state}, {running} of {desired} tasks running"
    done, groups = state == "COMPLETED" and running == desired, serving_groups(clients, service)
    if not groups and at["target_group"]:
        groups = [str(at["target_group"])]
    seen = [state for group in groups for state in states(clients, group) if state not in _LEAVING]
    if seen and set(seen) == {_NOT_LED_TO}:
        message += f"; no load balancer leads anybody to its {len(seen)} targets, so that none is checked"
    elif groups:
        healthy = seen.count("healthy")
        message += f", {healthy} targets healthy, {len(seen) - healthy} not"
        done = done and healthy == len(seen) and (healthy > 0 or desired == 0)
    return Verification(done=done, message=message)


def scalable(at: State) -> dict[str, str]:
    """Name the service as Application Auto Scaling does, whether the cluster is given by name or ARN."""
    return {"ServiceNamespace": "ecs", "ResourceId": f"service/{at['cluster'].rsplit('/', 1)[-1]}/{at['service']}"}


def scaling(clients: Clients, at: State) -> dict[str, Any] | None:
    """Describe the scalable target (`application-autoscaling:DescribeScalableTargets`).

    None when the service does not scale by itself.
    """
    asked = {"ServiceNamespace": "ecs", "ScalableDimension": _COUNT, "ResourceIds": [scalable(at)["ResourceId"]]}
    found = clients.client("application-autoscaling").describe_scalable_targets(**asked)["ScalableTargets"]
    return dict(found[0]) if found else None


def set_scaling(clients: Clients, at: State, **limits: Any) -> None:
    """Set what is given of the scalable target (`application-autoscaling:RegisterScalableTarget`); the rest stays.

    Whatever is given, it brings the service's count within the target's limits, from below its minimum as well.
    """
    autoscaling = clients.once("application-autoscaling")
    autoscaling.register_scalable_target(**scalable(at), ScalableDimension=_COUNT, **limits)


def revision(task_definition: str) -> str:
    return task_definition.rsplit("/", 1)[-1]
