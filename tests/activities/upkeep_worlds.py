"""The worlds of what makes a service faster, and of what keeps the account safe."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from activities.aws.database.rds_enable_insights import EnableInsights
from activities.aws.ecs.ecs_scale_out import ScaleOut
from activities.aws.observability.cloudtrail_logging import StartLogging
from activities.aws.observability.cloudwatch_alarms import DisableAlarmActions
from sandbox.aws import alarm_mutes
from tests.activities.change_worlds import ChangeWorld, Worlds, scale
from tests.activities.checked import Checked
from tests.activities.fake_rds import FakeRds
from tests.activities.scopes import ACCOUNT, NOW, REGION, environment, scope
from tests.activities.world import WorldClients, create_ledger

ALARMS = ("backend-cpu-high", "backend-5xx", "backend-idle")


class FakeCloudWatch(Checked):
    """A newest minute of each metric, by the query's id; one that is None has no data."""

    service = "cloudwatch"

    def __init__(self, **newest: float | None) -> None:
        self.newest = newest

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        found = {one["Id"]: self.newest.get(one["Id"]) for one in MetricDataQueries}
        at = NOW - timedelta(minutes=1)
        return {
            "MetricDataResults": [
                {"Id": name, "Timestamps": [] if value is None else [at], "Values": [] if value is None else [value]}
                for name, value in found.items()
            ]
        }


def scale_out(cpu: float | None = 95, connections: float | None = 20, **limits: Any) -> ChangeWorld:
    """So busy are the tasks of the backend, and so many of 100 connections of the database are in use."""
    world = scale(**limits)
    world.clients.instead["cloudwatch"] = FakeCloudWatch(cpu=cpu, memory=40.0, connections=connections)
    world.change = ScaleOut(world.clients)
    world.params = {"service": "backend", "database": "primary", "count": 6}
    return world


class Insightful(FakeRds):
    """One whose Performance Insights can be switched; what is pending is applied with it."""

    def modify_db_instance(  # type: ignore[override]
        self,
        DBInstanceIdentifier: str,  # noqa: N803
        EnablePerformanceInsights: bool,  # noqa: N803
        ApplyImmediately: bool,  # noqa: N803
        **_: Any,
    ) -> dict[str, Any]:
        instance = self._available("ModifyDBInstance", DBInstanceIdentifier)
        assert ApplyImmediately
        instance["PerformanceInsightsEnabled"] = EnablePerformanceInsights
        instance.update(instance.pop("PendingModifiedValues", {}))
        return {}


def insights(**pending: Any) -> ChangeWorld:
    """`pending` waits for the maintenance window."""
    rds = Insightful()
    if pending:
        rds.primary["PendingModifiedValues"] = pending
    clients = WorldClients({"rds": rds})
    create_ledger(clients)
    return ChangeWorld(
        clients=clients,
        change=EnableInsights(clients),
        snapshot=lambda: (rds.primary.get("PerformanceInsightsEnabled", False), rds.primary["DBInstanceClass"]),
        meddle=lambda: rds.primary.update(PendingModifiedValues={"DBInstanceClass": "db.r6g.8xlarge"}),
        params={"database": "primary"},
    )


def trail() -> ChangeWorld:
    """A trail that was stopped."""
    clients = WorldClients()
    create_ledger(clients)
    cloudtrail, s3 = clients.inner.client("cloudtrail"), clients.inner.client("s3")
    for bucket in ("axis-audit-logs", "elsewhere"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    arn = cloudtrail.create_trail(Name="axis-trail", S3BucketName="axis-audit-logs")["TrailARN"]

    def snapshot() -> tuple[Any, ...]:
        bucket = cloudtrail.get_trail(Name=arn)["Trail"]["S3BucketName"]
        return cloudtrail.get_trail_status(Name=arn)["IsLogging"], bucket

    return ChangeWorld(
        clients=clients,
        change=StartLogging(clients),
        snapshot=snapshot,
        meddle=lambda: cloudtrail.update_trail(Name="axis-trail", S3BucketName="elsewhere"),
        scope=scope(environment=environment(trails={"account": "axis-trail"})),
        params={"trail": "account"},
    )


def alarms(**params: Any) -> ChangeWorld:
    """Three alarms that may be silenced, of which one acts no more already, and one that must ring."""
    alarm_mutes.install()
    clients = WorldClients()
    create_ledger(clients)
    cloudwatch = clients.inner.client("cloudwatch")
    for name in (*ALARMS, "backend-critical-down"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/ECS",
            MetricName="CPUUtilization",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Period=60,
            Threshold=80,
            Statistic="Average",
            ActionsEnabled=name != ALARMS[-1],
        )

    rules = alarm_mutes.rules(cloudwatch_backends[ACCOUNT][REGION])

    def meddle() -> None:
        name = f"{scope().incident}-{sha256(' '.join(sorted(ALARMS)).encode()).hexdigest()[:8]}"
        schedule = {"Expression": "at(2099-01-01T00:00)", "Duration": "PT1H"}
        targets = {"AlarmNames": ["backend-critical-down"]}
        cloudwatch.put_alarm_mute_rule(Name=name, Rule={"Schedule": schedule}, MuteTargets=targets)

    return ChangeWorld(
        clients=clients,
        change=DisableAlarmActions(clients),
        snapshot=lambda: {name: rule["MuteTargets"]["AlarmNames"] for name, rule in rules.items()},
        meddle=meddle,
        settle=lambda: alarm_mutes.begin(rules),
        params={"alarms": ",".join(ALARMS), "never": ["*-critical*"]} | params,
    )


CHANGE_WORLDS: Worlds = {
    ScaleOut.name: (scale_out, 1),
    EnableInsights.name: (insights, 1),
    StartLogging.name: (trail, 1),
    DisableAlarmActions.name: (alarms, 1),
}
