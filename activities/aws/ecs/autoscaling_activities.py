"""Tell what autoscaling did for a service, and why it did nothing."""

from datetime import datetime, timedelta
from typing import Any

from activities.action import ProbeAction, ServiceParams, iam
from activities.aws.ecs.described_service import described, located, scalable, scaling
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.pages import Pages
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.timestamps import short_time

_WINDOW = timedelta(hours=2)
_PAGES = 5


class ScalingActivities(ProbeAction[ServiceParams]):
    """Reads the scalable target, its policies and two hours of activities, those that did not scale included.

    Suspect when the service stands at its maximum, scaling is suspended, or an activity failed or was not carried out.
    """

    name = "autoscaling.activities"
    permissions = iam(
        "application-autoscaling:DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies",
        "ecs:DescribeServices",
    )

    def observe(self, scope: Scope, params: ServiceParams, at: datetime) -> Finding:
        where = located(scope.environment.services[params.service])
        target, desired = scaling(self.clients, where), int(described(self.clients, where)["desiredCount"])
        if target is None:
            summary = f"{params.service} runs {desired} tasks and does not scale by itself"
            return suspect_if(suspect=True, summary=summary, facts={"service": params.service, "desired": desired})
        autoscaling = self.clients.client("application-autoscaling")
        policies = autoscaling.describe_scaling_policies(**scalable(where))["ScalingPolicies"]
        asked: dict[str, Any] = {**scalable(where), "IncludeNotScaledActivities": True}
        pages = Pages(autoscaling.describe_scaling_activities, most=_PAGES, **asked)
        recent = [found for found in pages.items("ScalingActivities") if found["StartTime"] >= at - _WINDOW]
        return _finding(params.service, desired, target, policies, recent)


def _finding(
    name: str, desired: int, target: dict[str, Any], policies: list[Any], recent: list[dict[str, Any]]
) -> Finding:
    minimum, maximum = int(target["MinCapacity"]), int(target["MaxCapacity"])
    suspended = [kind for kind, off in target.get("SuspendedState", {}).items() if off]
    not_scaled = [reason["Code"] for activity in recent for reason in activity.get("NotScaledReasons", [])]
    failed = [activity for activity in recent if activity["StatusCode"] == "Failed"]
    causes = {
        "it stands at its maximum": desired >= maximum,
        "scaling is suspended": suspended,
        f"{len(failed)} activities failed": failed,
        f"{len(not_scaled)} did not scale ({', '.join(sorted(set(not_scaled)))})": not_scaled,
    }
    reasons = [cause for cause, holds in causes.items() if holds]
    why = f"; {', '.join(reasons)}" if reasons else ""
    last = f"; last activity {short_time(recent[0]['StartTime'])}" if recent else "; no activity in two hours"
    return suspect_if(
        reasons,
        f"{name}: {desired} tasks between {minimum} and {maximum}{last}{why}",
        {
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
