"""One ECS service as it stands: its deployments, its targets, and the limits within which it scales by itself."""

from typing import Any

from activities.action import Clients, RuleError
from domain.config.environment import Service
from domain.model.plan import Plan, Verification

_LEAVING = "draining"
_DIMENSION = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def described(ecs: Any, cluster: str, service: str) -> dict[str, Any]:
    """Describe one active service (`ecs:DescribeServices`); raises `RuleError` when there is none."""
    answer = ecs.describe_services(cluster=cluster, services=[service])
    # ECS reports a missing service beside the found ones, not as an error.
    for found in answer["services"]:
        if found["status"] == "ACTIVE":
            return dict(found)
    raise RuleError(f"cluster {cluster} has no active service {service}: look at the environment's file")


def planned_service(clients: Clients, plan: Plan) -> dict[str, Any]:
    """Describe the service that a plan is about, as it stands now."""
    return described(clients.client("ecs"), **place(plan))


def primary(service: dict[str, Any]) -> dict[str, Any]:
    """The deployment that ECS is bringing the service to, or keeps it at."""
    return next(dict(one) for one in service["deployments"] if one["status"] == "PRIMARY")


def settled(clients: Clients, plan: Plan, service: dict[str, Any]) -> Verification:
    """Tell whether the newest rollout is complete, every task runs and every target answers its health check.

    Of a service that no load balancer is before, ECS alone knows how its tasks are.
    """
    rollout = primary(service)
    name, state = revision(str(rollout["taskDefinition"])), str(rollout.get("rolloutState", "unknown"))
    if state == "FAILED":
        return Verification(done=False, failed=True, message=f"the rollout of {name} failed")
    running, desired = int(service["runningCount"]), int(service["desiredCount"])
    message = f"{name}: rollout {state}, {running} of {desired} tasks running"
    steady, group = state == "COMPLETED" and running == desired, plan.context["target_group"]
    if group is None:
        return Verification(done=steady, message=message)
    healthy, others = _targets(clients.client("elbv2"), str(group))
    message += f", {healthy} targets healthy, {others} not"
    return Verification(done=steady and others == 0 and (healthy > 0 or desired == 0), message=message)


def scalable_id(where: Service) -> str:
    """Name the service as Application Auto Scaling does, whether the cluster is given by name or ARN."""
    return f"service/{where.cluster.rsplit('/', 1)[-1]}/{where.service}"


def scaling(clients: Clients, resource: str) -> dict[str, Any] | None:
    """Describe the scalable target (`application-autoscaling:DescribeScalableTargets`).

    None when the service does not scale by itself.
    """
    found = clients.client("application-autoscaling").describe_scalable_targets(**_DIMENSION, ResourceIds=[resource])
    return dict(found["ScalableTargets"][0]) if found["ScalableTargets"] else None


def set_scaling(clients: Clients, resource: str, **limits: Any) -> None:
    """Set what is given of the scalable target (`application-autoscaling:RegisterScalableTarget`); the rest stays."""
    scaling = clients.once("application-autoscaling")
    scaling.register_scalable_target(**_DIMENSION, ResourceId=resource, **limits)


def place(plan: Plan) -> dict[str, str]:
    """Where a plan's service is, as ECS asks for it."""
    return {name: str(plan.context[name]) for name in ("cluster", "service")}


def _targets(elbv2: Any, target_group: str) -> tuple[int, int]:
    """Count targets that are healthy and that are not; those on their way out count as neither."""
    answer = elbv2.describe_target_health(TargetGroupArn=target_group)
    states = [one["TargetHealth"]["State"] for one in answer["TargetHealthDescriptions"]]
    healthy = states.count("healthy")
    return healthy, len(states) - healthy - states.count(_LEAVING)


def revision(task_definition: str) -> str:
    return task_definition.rsplit("/", 1)[-1]
