"""Amazon ECS, where moto differs from AWS: rollouts that take time, and their deployments.

`update_service` starts deployments that complete, refuses what AWS refuses and adds service events;
`list_task_definitions` sorts and pages. The operations on deployments are in `sandbox.aws.ecs_deployments`.
"""

from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import EcsClientException, ECSException, InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend, Service, TaskDefinition
from moto.ecs.responses import EC2ContainerServiceResponse

from sandbox.aws import ecs_deployments
from sandbox.aws.moto_patch import patch
from sandbox.aws.paging import page
from sandbox.aws.rollout import LOCK, PACE, keep_rollouts, moment, rollouts

_create_service = EC2ContainerServiceBackend.create_service
_update_service = EC2ContainerServiceBackend.update_service
_describe_services = EC2ContainerServiceBackend.describe_services
_delete_service = EC2ContainerServiceBackend.delete_service


class ServiceNotActiveException(ECSException):
    def __init__(self) -> None:
        super().__init__("ServiceNotActiveException", "Service was not ACTIVE.")


def install(pace: timedelta) -> None:
    """Patch moto with these operations; installing again changes only the pace of a rollout."""
    PACE.rollout = pace
    patch(
        EC2ContainerServiceBackend,
        create_service=create_service,
        update_service=update_service,
        describe_services=describe_services,
        delete_service=delete_service,
    )
    patch(EC2ContainerServiceResponse, list_task_definitions=list_task_definitions, **ecs_deployments.OPERATIONS)


def create_service(backend: EC2ContainerServiceBackend, *args: Any, **kwargs: Any) -> Service:
    """Create a service and roll out its first revision."""
    with LOCK:
        service = _create_service(backend, *args, **kwargs)
        record, now = keep_rollouts(service), moment()
        # DescribeServices: deployments are "used only when a service uses the ECS deployment controller type"
        if service.task_definition and service.deployment_controller["type"] == "ECS":
            record.begin(service.task_definition, now)
        record.scale(now)
        record.settle(now)
        return service


def update_service(backend: EC2ContainerServiceBackend, service_properties: dict[str, Any]) -> Service:
    """Update a service: another task definition or a forced deployment rolls out; the running count follows."""
    with LOCK:
        cluster, name = service_properties.get("cluster", "default"), service_properties["service"].split("/")[-1]
        service = backend._get_service(cluster, name)
        if service.status != "ACTIVE":
            raise ServiceNotActiveException
        wanted = _deployable(backend, service, service_properties.pop("task_definition", None))
        forced = service_properties.pop("force_new_deployment", False)
        _refuse(service, forced=bool(forced), desired=service_properties.get("desired_count"))
        now = moment()
        record = rollouts(service)
        record.settle(now)  # a rollout that has finished by now must not be superseded by the new one
        counted = service.desired_count
        _update_service(backend, service_properties)
        if wanted and (forced or wanted != record.newest.aims_at.task_definition):
            deployment = record.begin(wanted, now)
            record.add_event(f"has begun deployment {deployment.id} of {wanted.split('/')[-1]}.", now)
        elif forced:
            record.begin(record.newest.aims_at.task_definition, now)
        if service.desired_count != counted:
            record.scale(now)
            record.add_event(f"has changed its desired count from {counted} to {service.desired_count}.", now)
        record.settle(now)
        return service


def describe_services(
    backend: EC2ContainerServiceBackend, cluster_str: str, service_names_or_arns: list[str]
) -> tuple[list[Service], list[dict[str, str]]]:
    """Describe services as they stand now."""
    with LOCK:
        found, failures = _describe_services(backend, cluster_str, service_names_or_arns)
        for service in found:
            if service.status == "ACTIVE":  # a deleted service keeps the counts it was deleted with
                rollouts(service).settle(moment())
        return found, failures


def delete_service(backend: EC2ContainerServiceBackend, *args: Any, **kwargs: Any) -> Service:
    """Delete a service: it can still be described, as INACTIVE, with nothing running."""
    with LOCK:
        service = _delete_service(backend, *args, **kwargs)
        service.running_count = service.pending_count = rollouts(service).running = 0
        return service


def list_task_definitions(response: EC2ContainerServiceResponse) -> ActionResult:
    """List ARNs by family and revision, honouring `sort` and `maxResults`."""
    arns = response.ecs_backend.list_task_definitions(
        response._get_param("familyPrefix"), response._get_param("status", "ACTIVE")
    )
    arns.sort(key=_family_and_revision, reverse=response._get_param("sort") == "DESC")
    shown, token = page(arns, response._get_param("nextToken"), response._get_param("maxResults"))
    return ActionResult({"taskDefinitionArns": shown, "nextToken": token})


def _family_and_revision(arn: str) -> tuple[str, int]:
    family, revision = arn.rsplit("/", maxsplit=1)[-1].split(":")
    return family, int(revision)


def _refuse(service: Service, *, forced: bool, desired: int | None) -> None:
    controller = service.deployment_controller["type"]
    if forced and controller != "ECS":
        # UpdateService: under CODE_DEPLOY and EXTERNAL neither takes part in what this operation can update
        raise InvalidParameterException(
            f"Cannot force a new deployment on services with a {controller} deployment controller."
        )
    if desired is not None and service.scheduling_strategy == "DAEMON":
        # one task on each instance (Service, schedulingStrategy); worded as public reports have it
        raise InvalidParameterException(
            "The daemon scheduling strategy does not support a desired count for services. "
            "Remove the desired count value and try again"
        )
    if desired is not None and desired < 0:
        raise InvalidParameterException("desiredCount cannot be negative.")


def _deployable(backend: EC2ContainerServiceBackend, service: Service, named: str | None) -> str | None:
    """The full ARN of a task definition that this service may be updated to."""
    if named is None:
        return None
    controller = service.deployment_controller["type"]
    if controller != "ECS":
        raise InvalidParameterException(
            f"Unable to update task definition on services with a {controller} deployment controller."
        )
    definition: TaskDefinition = backend.describe_task_definition(named)
    if definition.status != "ACTIVE":
        raise EcsClientException("TaskDefinition is inactive")
    return definition.arn
