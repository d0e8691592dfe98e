"""The operations of Amazon ECS on service deployments and revisions, which moto lacks."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ECSException, InvalidParameterException
from moto.ecs.models import Service
from moto.ecs.responses import EC2ContainerServiceResponse

from sandbox.aws.paging import page
from sandbox.aws.rollout import (
    IN_PROGRESS,
    LOCK,
    ROLLED_BACK,
    ROLLING_BACK,
    SUCCESSFUL,
    Deployment,
    Revision,
    Rollouts,
    moment,
    rollouts,
)

_PER_DESCRIBE = 20  # AWS's limit


class ServiceDeploymentNotFoundException(ECSException):
    def __init__(self) -> None:
        super().__init__("ServiceDeploymentNotFoundException", "Service deployment not found.")


class ConflictException(ECSException):
    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


def list_service_deployments(response: EC2ContainerServiceResponse) -> ActionResult:
    """List one service's deployments, newest first, by status and time of creation."""
    cluster = response._get_param("cluster", "default")
    service = response.ecs_backend._get_service(cluster, response._get_param("service").split("/")[-1])
    controller = service.deployment_controller["type"]
    if controller != "ECS":
        raise ECSException("UnsupportedFeatureException", f"The {controller} controller has no service deployments.")
    found = [one for one in reversed(_settled(service).deployments) if _wanted(response, one)]
    shown, token = page(found, response._get_param("nextToken"), response._get_param("maxResults"))
    briefs = [
        {
            "serviceDeploymentArn": one.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster_arn,
            "targetServiceRevisionArn": one.revision.arn,
            **_progress(one),
        }
        for one in shown
    ]
    return ActionResult({"serviceDeployments": briefs, "nextToken": token})


def describe_service_deployments(response: EC2ContainerServiceResponse) -> ActionResult:
    """Describe deployments by ARN; unknown ones come back under `failures`."""
    arns = _named(response, "serviceDeploymentArns")
    known = {one.arn: (record, one) for record in _records(response) for one in record.deployments}
    described = [_described(*known[arn]) for arn in arns if arn in known]
    return ActionResult({"serviceDeployments": described, "failures": _missing(arns, known)})


def describe_service_revisions(response: EC2ContainerServiceResponse) -> ActionResult:
    """Describe revisions by ARN: the task definition, images and wiring that each stands for."""
    arns = _named(response, "serviceRevisionArns")
    known = {
        one.revision.arn: (record.service, one.revision) for record in _records(response) for one in record.deployments
    }
    described = [_revision(*known[arn]) for arn in arns if arn in known]
    return ActionResult({"serviceRevisions": described, "failures": _missing(arns, known)})


def stop_service_deployment(response: EC2ContainerServiceResponse) -> ActionResult:
    """Stop a deployment in progress. ROLLBACK, the default, returns to the last successful revision."""
    arn = response._get_param("serviceDeploymentArn")
    kind = response._get_param("stopType") or "ROLLBACK"
    known = {one.arn: (record, one) for record in _records(response) for one in record.deployments}
    if arn not in known:
        raise ServiceDeploymentNotFoundException
    record, deployment = known[arn]
    # a repeat, whose first answer may have been lost
    if deployment.status in {ROLLING_BACK, ROLLED_BACK} and kind == "ROLLBACK":
        return ActionResult({"serviceDeploymentArn": arn})
    if deployment.status != IN_PROGRESS:
        raise ConflictException(f"The service deployment is {deployment.status} and cannot be stopped.")
    if kind == "ROLLBACK" and record.completed is None:
        raise ConflictException("There is no successful service revision to roll back to.")
    record.stop(deployment, moment(), rollback=kind == "ROLLBACK")
    record.add_event(f"stopped deployment {deployment.id} ({kind.lower()}).")
    record.settle(moment())
    return ActionResult({"serviceDeploymentArn": arn})


Operation = Callable[[EC2ContainerServiceResponse], ActionResult]


def _locked(operation: Operation) -> Operation:
    @wraps(operation)
    def run(response: EC2ContainerServiceResponse) -> ActionResult:
        with LOCK:
            return operation(response)

    return run


OPERATIONS: dict[str, Operation] = {
    operation.__name__: _locked(operation)
    for operation in (
        list_service_deployments,
        describe_service_deployments,
        describe_service_revisions,
        stop_service_deployment,
    )
}


def _settled(service: Service) -> Rollouts:
    record = rollouts(service)
    if service.status == "ACTIVE":
        record.settle(moment())
    return record


def _records(response: EC2ContainerServiceResponse) -> Iterator[Rollouts]:
    return (_settled(service) for service in response.ecs_backend.services.values())


def _named(response: EC2ContainerServiceResponse, name: str) -> list[str]:
    arns: list[str] = response._get_param(name) or []
    if not 1 <= len(arns) <= _PER_DESCRIBE:
        raise InvalidParameterException(f"{name} must hold between 1 and {_PER_DESCRIBE} ARNs.")
    return arns


def _missing(arns: list[str], known: dict[str, Any]) -> list[dict[str, str]]:
    return [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]


def _wanted(response: EC2ContainerServiceResponse, deployment: Deployment) -> bool:
    statuses = response._get_param("status") or []
    window = response._get_param("createdAt") or {}
    after, before = _utc(window.get("after")), _utc(window.get("before"))
    return (
        (not statuses or deployment.status in statuses)
        and (after is None or deployment.created_at >= after)
        and (before is None or deployment.created_at <= before)
    )


def _utc(value: Any) -> datetime | None:
    """Read a time as moto's parser leaves it: epoch seconds, or a datetime that may lack its zone."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(value), UTC)


def _progress(deployment: Deployment) -> dict[str, Any]:
    return {
        "status": deployment.status,
        "statusReason": deployment.reason,
        "createdAt": deployment.created_at,
        "startedAt": deployment.created_at,
        "finishedAt": deployment.finished_at,
    }


def _described(record: Rollouts, deployment: Deployment) -> dict[str, Any]:
    service, source, back_to = record.service, deployment.source, deployment.back_to
    rollback = {"reason": deployment.reason, "startedAt": deployment.stopped_at}
    return {
        "serviceDeploymentArn": deployment.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "stoppedAt": deployment.stopped_at,
        "updatedAt": deployment.finished_at or deployment.began_at,
        "sourceServiceRevisions": [_tasks(record, source)] if source else [],
        "targetServiceRevision": _tasks(record, deployment.revision),
        "rollback": {**rollback, "serviceRevisionArn": back_to.aims_at.arn} if back_to else None,
        "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING"},
        "deploymentCircuitBreaker": {"status": _breaker(deployment), "failureCount": 0, "threshold": 0},
        **_progress(deployment),
    }


def _breaker(deployment: Deployment) -> str:
    """The state of what watches a deployment (ECS API ServiceDeploymentCircuitBreaker)."""
    if "circuit breaker" in (deployment.reason or ""):
        return "TRIGGERED"
    return "MONITORING" if deployment.serving else "DISABLED"


def _tasks(record: Rollouts, revision: Revision) -> dict[str, Any]:
    wanted = record.service.desired_count if revision is record.newest.aims_at else 0
    running = record.running if revision is record.live else 0
    return {
        "arn": revision.arn,
        "requestedTaskCount": wanted,
        "runningTaskCount": running,
        "pendingTaskCount": max(wanted - running, 0) if record.newest.status != SUCCESSFUL else 0,
    }


def _revision(service: Service, revision: Revision) -> dict[str, Any]:
    definition = service._backend.describe_task_definition(revision.task_definition)
    return {
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "taskDefinition": revision.task_definition,
        "launchType": service.launch_type,
        "platformVersion": service.platform_version,
        "loadBalancers": service.load_balancers,
        "networkConfiguration": service.network_configuration or None,
        "containerImages": [
            {"containerName": container["name"], "image": container["image"]}
            for container in definition.container_definitions
        ],
        "createdAt": revision.created_at,
    }
