"""One ECS service as it stands: its deployments, its targets, and the limits within which it scales by itself."""

from typing import Any

from activities.action import Clients, RuleError
from domain.config.environment import Service
from domain.model.plan import Plan, State, Verification

_LEAVING = "draining"
_COUNT = "ecs:service:DesiredCount"


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


def update(clients: Clients, at: State, **wanted: Any) -> None:
    """Change what is given of the service, in one attempt (`ecs:UpdateService`); the rest stays."""
    clients.once("ecs").update_service(cluster=at["cluster"], service=at["service"], **wanted)


def primary(service: dict[str, Any]) -> dict[str, Any]:
    """The deployment that ECS is bringing the service to, or keeps it at."""
    return next(dict(one) for one in service["deployments"] if one["status"] == "PRIMARY")


def settled(clients: Clients, plan: Plan, service: dict[str, Any]) -> Verification:
    """Tell whether the newest rollout is complete, every task runs and every target answers its health check.

    Of a service that no load balancer is before, ECS alone knows how its tasks are.
    """
    rollout = primary(service)
    name, state = revision(rollout["taskDefinition"]), str(rollout.get("rolloutState", "unknown"))
    if state == "FAILED":
        return Verification(done=False, failed=True, message=f"the rollout of {name} failed")
    running, desired = int(service["runningCount"]), int(service["desiredCount"])
    message = f"{name}: rollout {state}, {running} of {desired} tasks running"
    steady, group = state == "COMPLETED" and running == desired, plan.context["target_group"]
    if group is None:
        return Verification(done=steady, message=message)
    answer = clients.client("elbv2").describe_target_health(TargetGroupArn=group)
    states = [one["TargetHealth"]["State"] for one in answer["TargetHealthDescriptions"]]
    healthy = states.count("healthy")
    others = len(states) - healthy - states.count(_LEAVING)
    message += f", {healthy} targets healthy, {others} not"
    return Verification(done=steady and others == 0 and (healthy > 0 or desired == 0), message=message)


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
    """Set what is given of the scalable target (`application-autoscaling:RegisterScalableTarget`); the rest stays."""
    autoscaling = clients.once("application-autoscaling")
    autoscaling.register_scalable_target(**scalable(at), ScalableDimension=_COUNT, **limits)


def revision(task_definition: str) -> str:
    return task_definition.rsplit("/", 1)[-1]
