"""Tell what autoscaling did for a service, and why it did nothing."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from activities.action import ProbeAction, ServiceParams, iam
from activities.aws.ecs.cloudwatch_service_load import load
from activities.aws.ecs.described_service import described, located, scalable, scaling
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.pages import Pages
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.timestamps import short_time

_WINDOW = timedelta(hours=2)
_PAGES = 5
_BUSY_PERCENT = 80
_STATUSES = frozenset({"Pending", "InProgress", "Successful", "Overridden", "Unfulfilled", "Failed"})
_HINDERED = frozenset({"AlreadyAtMaxCapacity", "TargetServicePutResourceAsUnscalable"})
_USUAL = frozenset({"AlreadyAtMinCapacity", "AlreadyAtDesiredCapacity", "AutoScalingAnticipatedFlapping"})
"""What an idle service answers all day long (Application Auto Scaling API, NotScaledReason)."""


class ScalingActivities(ProbeAction[ServiceParams]):
    """Reads the scalable target, its policies, the CPU, and two hours of activities, those that did not scale included.

    Suspect when the service stands at its maximum, at its minimum though its tasks are busy, scaling is suspended or
    has no policy, or an activity failed or was hindered. Idle at its minimum is well. Unknown without all CPU figures.
    """

    name = "autoscaling.activities"
    permissions = iam(
        "application-autoscaling:DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies",
        "cloudwatch:GetMetricData",
        "ecs:DescribeServices",
    )

    def observe(self, scope: Scope, params: ServiceParams, at: datetime) -> Finding:
        service = scope.environment.services[params.service]
        where = located(service)
        target, desired = scaling(self.clients, where), int(described(self.clients, where)["desiredCount"])
        if target is None:
            summary = f"{params.service} runs {desired} tasks and does not scale by itself"
            return suspect_if(suspect=True, summary=summary, facts={"service": params.service, "desired": desired})
        autoscaling = self.clients.client("application-autoscaling")
        policies = autoscaling.describe_scaling_policies(**scalable(where))["ScalingPolicies"]
        asked: dict[str, Any] = {**scalable(where), "IncludeNotScaledActivities": True}
        pages = Pages(autoscaling.describe_scaling_activities, most=_PAGES, **asked)
        recent = [one for one in pages.items("ScalingActivities") if one.get("StartTime", at) >= at - _WINDOW]
        points, complete = load(self.clients, service, at)
        cpu = points["cpu"]
        limits = {"desired": desired, "minimum": int(target["MinCapacity"]), "maximum": int(target["MaxCapacity"])}
        facts = {"service": params.service, **limits, "policies": len(policies), "truncated": pages.truncated}
        facts["suspended"] = [kind for kind, off in target.get("SuspendedState", {}).items() if off]
        facts |= {"cpu_percent": cpu[-1][1] if cpu else None, "figures_truncated": not complete}
        return _finding(facts, recent)


def _finding(facts: dict[str, Any], recent: list[dict[str, Any]]) -> Finding:
    codes = [str(reason.get("Code")) for one in recent for reason in one.get("NotScaledReasons", [])]
    statuses = Counter(str(one.get("StatusCode")) for one in recent)
    failed = statuses["Failed"] + statuses["Unfulfilled"]
    unread = sum(count for status, count in statuses.items() if status not in _STATUSES)
    unread += sum(code not in _HINDERED | _USUAL for code in codes)
    facts |= {"activities": len(recent), "failed": failed, "not_scaled": sorted(set(codes)), "unread": unread}
    reasons = _reasons(facts, [code for code in codes if code in _HINDERED])
    unsaid = ["the CPU is not known"] if facts["cpu_percent"] is None else []
    unsaid += ["CloudWatch did not give all figures"] if facts["figures_truncated"] else []
    unsaid += [f"{unread} activities could not be read"] if unread else []
    unsaid += ["there are more activities than were read"] if facts["truncated"] else []
    started = max((one["StartTime"] for one in recent if "StartTime" in one), default=None)
    last = f"last activity {short_time(started)}" if started else "no activity in two hours"
    span = f"{facts['desired']} tasks between {facts['minimum']} and {facts['maximum']}"
    summary = "; ".join([f"{facts['service']}: {span}", last, *(", ".join(some) for some in (reasons, unsaid) if some)])
    return suspect_if(reasons, summary, facts, unsure=unsaid)


def _reasons(facts: dict[str, Any], hindered: list[str]) -> list[str]:
    desired, minimum, maximum, cpu = (facts[name] for name in ("desired", "minimum", "maximum", "cpu_percent"))
    busy = cpu is not None and cpu >= _BUSY_PERCENT
    causes = {
        "it stands at its maximum": desired >= maximum > minimum,
        f"it stands at its minimum, and its tasks are {cpu or 0:.0f} % busy": desired <= minimum and busy,
        "it has no scaling policy": not facts["policies"],
        "scaling is suspended": facts["suspended"],
        f"{facts['failed']} activities failed": facts["failed"],
        f"{len(hindered)} could not scale ({', '.join(sorted(set(hindered)))})": hindered,
    }
    return [cause for cause, holds in causes.items() if holds]
