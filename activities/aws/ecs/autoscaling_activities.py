"""Tell what autoscaling did for a service, and why it did nothing."""

from datetime import datetime, timedelta
from typing import Any

from activities.action import Params, ProbeAction, ServiceName
from activities.aws.ecs.ecs_rollback_service import described
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.timestamps import short_time

_WINDOW = timedelta(hours=2)
_PAGES = 5


class ScalingParams(Params):
    service: ServiceName


class ScalingActivities(ProbeAction[ScalingParams]):
    """Reads the scalable target, its policies and two hours of activities, those that did not scale included.

    Suspect when the service stands at its maximum, scaling is suspended, or an activity failed or was not carried
    out (`application-autoscaling:DescribeScalableTargets`, `DescribeScalingPolicies`, `DescribeScalingActivities`
    with `IncludeNotScaledActivities`).
    """

    name = "autoscaling.activities"

    def observe(self, scope: Scope, params: ScalingParams, at: datetime) -> Finding:
        where = scope.environment.services[params.service]
        autoscaling = self.clients.client("application-autoscaling")
        resource = {"ServiceNamespace": "ecs", "ResourceId": f"service/{where.cluster}/{where.service}"}
        targets = autoscaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource["ResourceId"]])[
            "ScalableTargets"
        ]
        service = described(self.clients.client("ecs"), where.cluster, where.service)
        desired = int(service["desiredCount"])
        if not targets:
            return Finding(
                status=FindingStatus.SUSPECT,
                summary=f"{params.service} runs {desired} tasks and does not scale by itself",
                facts={"service": params.service, "desired": desired},
            )
        policies = autoscaling.describe_scaling_policies(**resource)["ScalingPolicies"]
        recent = [found for found in self._activities(autoscaling, resource) if found["StartTime"] >= at - _WINDOW]
        return _finding(params.service, desired, targets[0], policies, recent)

    @staticmethod
    def _activities(autoscaling: Any, resource: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        for _ in range(_PAGES):
            page = autoscaling.describe_scaling_activities(**resource, IncludeNotScaledActivities=True, **token)
            found += page["ScalingActivities"]
            if not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        return found


def _finding(
    name: str, desired: int, target: dict[str, Any], policies: list[Any], recent: list[dict[str, Any]]
) -> Finding:
    minimum, maximum = int(target["MinCapacity"]), int(target["MaxCapacity"])
    suspended = [kind for kind, off in target.get("SuspendedState", {}).items() if off]
    not_scaled = [reason["Code"] for activity in recent for reason in activity.get("NotScaledReasons", [])]
    failed = [activity for activity in recent if activity["StatusCode"] == "Failed"]
    reasons = []
    if desired >= maximum:
        reasons.append("it stands at its maximum")
    if suspended:
        reasons.append("scaling is suspended")
    if failed:
        reasons.append(f"{len(failed)} activities failed")
    if not_scaled:
        reasons.append(f"{len(not_scaled)} did not scale ({', '.join(sorted(set(not_scaled)))})")
    last = f"; last activity {short_time(recent[0]['StartTime'])}" if recent else "; no activity in two hours"
    return Finding(
        status=FindingStatus.SUSPECT if reasons else FindingStatus.OK,
        summary=f"{name}: {desired} tasks between {minimum} and {maximum}{last}"
        + (f"; {', '.join(reasons)}" if reasons else ""),
        facts={
            "service": name,
            "desired": desired,
            "minimum": minimum,
            "maximum": maximum,
            "policies": len(policies),
            "activities": len(recent),
            "failed": len(failed),
            "not_scaled": sorted(set(not_scaled)),
            "suspended": suspended,
        },
    )
