"""Application Auto Scaling, where moto differs from AWS: it keeps counts within their limits, and tells what it did."""

import json
from datetime import datetime
from typing import Any

from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeScalableTarget,
    applicationautoscaling_backends,
)
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.ecs.models import ecs_backends
from moto.moto_api._internal import mock_random

from sandbox.aws.moto_patch import patch
from sandbox.aws.rollout import Rollouts

_ACTIVITIES = "scaling_activities"
_DIMENSION = "ecs:service:DesiredCount"
_CAUSE = "monitor alarm TargetTracking-{0}-AlarmLow in state ALARM triggered policy requests-per-target"

_register_scalable_target = ApplicationAutoscalingBackend.register_scalable_target


def install() -> None:
    """Patch moto with these operations."""
    patch(ApplicationAutoScalingResponse, describe_scaling_activities=describe_scaling_activities)
    patch(ApplicationAutoscalingBackend, register_scalable_target=register_scalable_target)


def register_scalable_target(backend: ApplicationAutoscalingBackend, *args: Any, **kwargs: Any) -> FakeScalableTarget:
    """Register a target, or change what is given of it, and bring a service's count within its limits at once.

    "If it's below the minimum capacity or above the maximum capacity, Application Auto Scaling adjusts the capacity
    […] even if you don't include the MinCapacity or MaxCapacity request parameters" (RegisterScalableTarget).
    """
    target = _register_scalable_target(backend, *args, **kwargs)
    if target.scalable_dimension == _DIMENSION:
        ecs = ecs_backends[backend.account_id][backend.region_name]
        _, cluster, name = target.resource_id.split("/")
        count = ecs._get_service(cluster, name).desired_count
        within = min(max(count, target.min_capacity or 0), target.max_capacity or 0)
        if within != count:
            ecs.update_service({"cluster": cluster, "service": name, "desired_count": within})
    return target


def describe_scaling_activities(response: ApplicationAutoScalingResponse) -> str:
    """List a resource's activities, latest first; those that did not scale only on request."""
    resource, every = response._get_param("ResourceId"), response._get_param("IncludeNotScaledActivities")
    kept = vars(response.applicationautoscaling_backend).get(_ACTIVITIES, [])
    shown = [
        one
        for one in sorted(kept, key=lambda one: one["StartTime"], reverse=True)
        if resource in {None, one["ResourceId"]} and (every or "NotScaledReasons" not in one)
    ]
    return json.dumps({"ScalingActivities": shown})


def target_of(record: Rollouts) -> FakeScalableTarget | None:
    """The scalable target of a service, if it has one."""
    service = record.service
    backend = applicationautoscaling_backends[service._account_id][service.region_name]
    resource = f"service/{service.cluster_name}/{service.name}"
    found = backend.describe_scalable_targets("ecs", [resource], _DIMENSION)
    return found[0] if found else None


def record_activity(target: FakeScalableTarget, at: datetime, count: int, reason: str | None = None) -> None:
    """Record an activity that set the desired count or, given a reason, did not."""
    activity: dict[str, Any] = {
        "ActivityId": str(mock_random.uuid4()),
        "ServiceNamespace": "ecs",
        "ResourceId": target.resource_id,
        "ScalableDimension": _DIMENSION,
        "Description": f"Setting desired count to {count}.",
        "Cause": _CAUSE.format(target.resource_id),
        "StartTime": at.timestamp(),
        "EndTime": at.timestamp(),
        "StatusCode": "Successful",
        "StatusMessage": f"Successfully set desired count to {count}. Change successfully fulfilled by ecs.",
    }
    if reason:
        activity["Description"] = "Attempting to scale due to alarm triggered"
        activity["StatusMessage"] = f"Didn't scale: {reason}."
        activity["NotScaledReasons"] = [
            {"Code": reason, "MinCapacity": target.min_capacity, "CurrentCapacity": count},
        ]
    vars(target.applicationautoscaling_backend).setdefault(_ACTIVITIES, []).append(activity)


def scale_in(record: Rollouts, at: datetime) -> None:
    """Scale a service back to its minimum whenever it is above it: its policy takes it for idle."""
    target = target_of(record)
    if target is None or record.scaled_at or record.service.desired_count <= (target.min_capacity or 0):
        return
    before, record.service.desired_count = record.service.desired_count, int(target.min_capacity or 0)
    record.scale(at)
    record.add_event(f"has changed its desired count from {before} to {record.service.desired_count}.", at)
    record_activity(target, at, record.service.desired_count)
