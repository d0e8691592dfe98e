"""What the probes of ECS and its autoscaling may be shown that they cannot judge by."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.activities.checked import Checked
from tests.activities.fake_ecs import SERVICE_ARN, FakeEcs
from tests.activities.scopes import NOW, scope
from tests.activities.unread import Case, Look, ProbeCases
from tests.activities.world import WorldClients, create_ledger

_BACKEND = {"service": "backend"}
_GOOD = {"serviceName": "axis-backend", "status": "ACTIVE", "desiredCount": 3, "runningCount": 3, "pendingCount": 0}
_UNREAD = {"serviceName": "axis-frontend", "status": "ACTIVE"}


class Listed(Checked):
    """ECS with exactly these services."""

    service = "ecs"

    def __init__(self, *services: dict[str, Any]) -> None:
        self.services = list(services)

    def describe_services(self, **_: Any) -> dict[str, Any]:
        return {"services": [one | {"serviceArn": SERVICE_ARN} for one in self.services], "failures": []}


class Figures(Checked):
    """CloudWatch's figures by the query's id, `ago` each; `status` is what it says of them."""

    service = "cloudwatch"

    def __init__(self, ago: timedelta = timedelta(minutes=1), status: str = "Complete", **values: float) -> None:
        self.at, self.status, self.values = NOW - ago, status, values

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        asked = [one["Id"] for one in MetricDataQueries]
        found = {name: [self.values[name]] if name in self.values else [] for name in asked}
        results = [
            {"Id": name, "Values": held, "Timestamps": [self.at] * len(held), "StatusCode": self.status}
            for name, held in found.items()
        ]
        return {"MetricDataResults": results}


class Scaling(Checked):
    """A scalable target between 2 and 8 with a policy, and its activities, the latest first, in `pages` of them."""

    service = "application-autoscaling"

    def __init__(self, *activities: dict[str, Any], target: bool = True, endless: bool = False, **changes: Any) -> None:
        self.activities, self.endless = list(activities), endless
        self.targets = [{"MinCapacity": 2, "MaxCapacity": 8} | changes] if target else []
        self.policies = [{"PolicyName": "requests-per-target"}]

    def describe_scalable_targets(self, **_: Any) -> dict[str, Any]:
        return {"ScalableTargets": self.targets}

    def describe_scaling_policies(self, **_: Any) -> dict[str, Any]:
        return {"ScalingPolicies": self.policies}

    def describe_scaling_activities(self, **_: Any) -> dict[str, Any]:
        return {"ScalingActivities": self.activities} | ({"NextToken": "more"} if self.endless else {})


def activity(status: str = "Successful", reason: str | None = None, minutes: int = 5) -> dict[str, Any]:
    """One of so many minutes ago."""
    reasons = {"NotScaledReasons": [{"Code": reason}]} if reason else {}
    return {"ActivityId": "a", "StartTime": NOW - timedelta(minutes=minutes), "StatusCode": status} | reasons


def scaled(scaling: Scaling, figures: Figures | None = None, desired: int = 3) -> Look:
    ecs = FakeEcs()
    ecs.desired = desired
    fakes = {"ecs": ecs, "application-autoscaling": scaling, "cloudwatch": figures or Figures(cpu=20, memory=30)}
    return Look(WorldClients(fakes), _BACKEND)


def _services(*listed: dict[str, Any]) -> Callable[[], Look]:
    names = ["backend", "frontend"] if _UNREAD in listed else ["backend"]
    return lambda: Look(WorldClients({"ecs": Listed(*listed)}), {"services": names})


def _load(figures: Figures) -> Callable[[], Look]:
    return lambda: Look(WorldClients({"cloudwatch": figures}), _BACKEND)


def _history(alter: Callable[[FakeEcs], Any], declared_days: int = 0) -> Callable[[], Look]:
    def made() -> Look:
        ecs = FakeEcs()
        alter(ecs)
        clients = WorldClients({"ecs": ecs})
        create_ledger(clients)
        declared = ecs.deployments[-1]["createdAt"] + timedelta(days=declared_days) if ecs.deployments else NOW
        return Look(clients, _BACKEND, scope(declared_at=declared))

    return made


def _forget(ecs: FakeEcs) -> None:
    ecs.forgotten.add(3)


PROBE_CASES: ProbeCases = {
    "ecs.services": {
        Case.NO_SOURCE: _services(),
        Case.EMPTY: "a service is described with all of its counts or not at all, which is suspect",
        Case.UNRECOGNISED: _services({"serviceName": "axis-backend", "status": "ACTIVE"}),
        Case.OLD: "ECS describes services as they stand at this moment, and nothing older",
        Case.ONE_UNREADABLE: _services(_GOOD, _UNREAD),
        Case.CUT_OFF: "services are asked for by name, ten at a time: there are no pages",
        Case.TROUBLE_BESIDE_UNREADABLE: _services(_GOOD | {"runningCount": 1}, _UNREAD),
    },
    "ecs.recent_deployments": {
        Case.NO_SOURCE: lambda: Look(WorldClients({"ecs": Listed()}), _BACKEND),
        Case.EMPTY: _history(lambda ecs: ecs.deployments.clear()),
        Case.UNRECOGNISED: _history(lambda ecs: [one.update(status="NEW") for one in ecs.deployments], 2),
        Case.OLD: "that all deployments are old is what the probe calls well: it looks for a recent one",
        Case.ONE_UNREADABLE: _history(_forget, 2),
        Case.CUT_OFF: "every page is read; what is left out lies behind the two hundred newest deployments",
        Case.TROUBLE_BESIDE_UNREADABLE: _history(_forget),
    },
    "cloudwatch.service_load": {
        Case.NO_SOURCE: _load(Figures()),
        Case.EMPTY: _load(Figures()),
        Case.UNRECOGNISED: "a metric is a number at a time: there is nothing in it to be recognised",
        Case.OLD: _load(Figures(timedelta(minutes=20), cpu=20, memory=30)),
        Case.ONE_UNREADABLE: _load(Figures(cpu=20)),
        Case.CUT_OFF: _load(Figures(status="PartialData", cpu=20, memory=30)),
        Case.TROUBLE_BESIDE_UNREADABLE: _load(Figures(cpu=95)),
        Case.PARTIAL_METRIC: _load(Figures(cpu=20, memory=30)),
    },
    "autoscaling.activities": {
        Case.NO_SOURCE: lambda: scaled(Scaling(target=False)),
        Case.EMPTY: lambda: scaled(Scaling(), Figures()),
        Case.UNRECOGNISED: lambda: scaled(Scaling(activity("Thinking"), activity(reason="MoonInTheWay"))),
        Case.OLD: lambda: scaled(Scaling(activity(minutes=600)), Figures(timedelta(minutes=20), cpu=20)),
        Case.ONE_UNREADABLE: lambda: scaled(Scaling(activity(), {"ActivityId": "a"})),
        Case.CUT_OFF: lambda: scaled(Scaling(activity(), endless=True)),
        Case.TROUBLE_BESIDE_UNREADABLE: lambda: scaled(Scaling(activity("Failed"), {"ActivityId": "a"})),
        Case.PARTIAL_METRIC: lambda: scaled(Scaling(activity())),
    },
}
