"""The faults of performance and upkeep as the real probes see them, and the effect of the changes against them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError
from flask import Flask
from moto.cloudwatch.models import cloudwatch_backends
from werkzeug.serving import make_server

from activities.catalogue import CHANGES, PROBES
from activities.changes.runner import ChangeRunner
from domain.config.environment import Environment
from domain.model.calls import ApplyCall, PlanCall, Scope, VerifyCall
from domain.values.severity import Severity
from sandbox.aws import alarm_mutes
from sandbox.aws.insights import PATH, add_insights
from sandbox.faults.inject import FAULTS
from sandbox.runtime.aws_world import FaultError, World
from sandbox.seed.upkeep import following
from sandbox.traffic import background
from tests.aws import aws_clients
from tests.sandbox.worlds import other, rollouts_finish

_TRAFFIC = {"load_balancer": "portal", "service": "backend"}
PROBED: dict[str, dict[str, dict[str, Any]]] = {
    "performance-cpu": {
        "autoscaling.activities": {"service": "backend"},
        "cloudwatch.response_time": {**_TRAFFIC, "slow_ms": 2000},
        "cloudwatch.errors_5xx": _TRAFFIC,
        "cloudwatch.service_load": {"service": "backend"},
        "xray.traces": {"slow_seconds": 1},
    },
    "audit-logging-stopped": {
        "cloudtrail.trail_status": {"trail": "account"},
        "s3.newest_object": {"bucket": "audit-logs", "prefix": "AWSLogs/{account}/CloudTrail/{region}/{day}/"},
    },
    "authentication-down": {
        "cognito.pool_status": {"user_pool": "patients"},
        "logs.errors": {"service": "backend", "pattern": "IdentityProvider"},
    },
    "backup-stale": {"rds.backups": {"database": "primary"}, "backup.failed_jobs": {}},
    "certificate-expiring": {"acm.certificate": {"certificate": "portal"}},
    "alert-storm": {"cloudwatch.alarms": {}},
    "feature-failing": {"logs.errors": {"service": "backend"}},
}


def _scope(environment: Environment) -> Scope:
    return Scope(
        incident="inc-20261123-7f3k",
        type="performance",
        title="Slow",
        severity=Severity.P2,
        mode="live",
        declared_at=datetime.now(UTC),
        environment=environment,
    )


def _statuses(world: World, probed: dict[str, dict[str, Any]]) -> dict[str, str]:
    clients, found = aws_clients(world.environment.region), {}
    for name, given in probed.items():
        probe = PROBES[name](clients)
        finding = probe.observe(_scope(world.environment), probe.params.model_validate(given), datetime.now(UTC))
        found[name] = f"{finding.status} {finding.summary}"
    return found


def _carry_out(world: World, name: str, given: dict[str, Any]) -> str:
    clients = aws_clients(world.environment.region)
    scope, runner, action = _scope(world.environment), ChangeRunner(clients), CHANGES[name](clients)
    plan = runner.plan(action, PlanCall(scope=scope, step=name, generation=1, params=given)).plan
    call = ApplyCall(scope=scope, step=name, generation=1, action_id="a", holder="h", plan=plan, approvers=())
    assert runner.apply(action, call, datetime.now(UTC)).outcome == "applied"
    rollouts_finish()
    alarm_mutes.begin(alarm_mutes.rules(cloudwatch_backends[scope.environment.account][scope.environment.region]))
    verify = VerifyCall(scope=scope, step=name, generation=1, action_id="a", holder="h", plan=plan)
    return runner.verify(action, verify, datetime.now(UTC)).message


def test_probes_tell_each_fault_from_ordinary_days(world: World) -> None:
    """Before any fault every probe is ok; after each its own probes are suspect."""
    calm = {fault: _statuses(world, probed) for fault, probed in PROBED.items()}
    assert [text for found in calm.values() for text in found.values() if not text.startswith("ok")] == []
    for fault, probed in PROBED.items():
        FAULTS[fault](world)
        found = _statuses(world, probed)
        assert [text for text in found.values() if not text.startswith("suspect")] == [], fault


@pytest.mark.parametrize(
    ("fault", "recovery"),
    [
        ("backup-stale", "backup-resumed"),
        ("certificate-expiring", "certificate-renewed"),
        ("alert-storm", "alert-storm-over"),
    ],
)
def test_what_is_mended_outside_an_incident_is_well_again(world: World, fault: str, recovery: str) -> None:
    """Its probe finds nothing any more; AWS Backup's failed jobs stay on record."""
    name, given = next(iter(PROBED[fault].items()))
    FAULTS[fault](world)
    assert _statuses(world, {name: given})[name].startswith("suspect")
    FAULTS[recovery](world)
    assert _statuses(world, {name: given})[name].startswith("ok")


def test_scale_out_outlasts_autoscaling(world: World) -> None:
    """A count raised by hand is scaled in to the minimum; with the minimum raised it stays, and is never lowered."""
    FAULTS["performance-cpu"](world)
    rollouts_finish()
    backend = world.environment.services["backend"]

    def desired() -> int:
        where = {"cluster": backend.cluster, "services": [backend.service]}
        return int(world.client("ecs").describe_services(**where)["services"][0]["desiredCount"])

    assert desired() == 2
    world.client("ecs").update_service(cluster=backend.cluster, service=backend.service, desiredCount=6)
    assert {desired(), desired(), desired()} >= {2}
    assert "6 of 6" in _carry_out(world, "ecs.scale_out", {"service": "backend", "database": "primary", "count": 6})
    assert (desired(), desired()) == (6, 6)


def test_what_is_answered_is_well_again(world: World) -> None:
    """The trail logs again, alarms are silent, Performance Insights is on."""
    FAULTS["audit-logging-stopped"](world)
    _carry_out(world, "cloudtrail.start_logging", {"trail": "account"})
    assert world.client("cloudtrail").get_trail_status(Name=world.environment.trails["account"])["IsLogging"]
    FAULTS["alert-storm"](world)
    names = following(world.environment)[:3]
    assert "3 of 3" in _carry_out(world, "cloudwatch.disable_alarm_actions", {"alarms": names})
    assert "is on" in _carry_out(world, "rds.enable_insights", {"database": "primary"})


def test_performance_insights_answers_once_it_is_on(world: World) -> None:
    """Its endpoint refuses while it is off, and then returns data that the probe accepts."""
    app = Flask("insights")
    add_insights(app, world)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    now = datetime.now(UTC)
    identifier = world.environment.databases["primary"].identifier
    (instance,) = world.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    asked: dict[str, Any] = {
        "ServiceType": "RDS",
        "Identifier": instance["DbiResourceId"],
        "MetricQueries": [{"Metric": "db.load.avg"}],
        "StartTime": now - timedelta(minutes=10),
        "EndTime": now,
        "PeriodInSeconds": 60,
    }
    try:
        with mock.patch.dict("os.environ", AWS_ENDPOINT_URL_PI=f"http://127.0.0.1:{server.port}{PATH}"):
            pi = boto3.client("pi", region_name=world.environment.region)
        with pytest.raises(ClientError, match="InvalidArgumentException"):
            pi.get_resource_metrics(**asked)
        _carry_out(world, "rds.enable_insights", {"database": "primary"})
        (metric,) = pi.get_resource_metrics(**asked)["MetricList"]
    finally:
        server.shutdown()
    assert len(metric["DataPoints"]) == 10
    assert all(0 < point["Value"] < 8 for point in metric["DataPoints"])


@pytest.mark.parametrize("fault", ["audit-logging-stopped", "authentication-down", "certificate-expiring"])
def test_another_organisation_is_told_what_it_lacks(seeded: Callable[[Environment], World], fault: str) -> None:
    """A fault that needs what an environment lacks is refused, with the reason."""
    with pytest.raises(FaultError, match="names no"):
        FAULTS[fault](seeded(other()))


def test_a_bad_deployment_shows_in_the_answers_at_once(world: World) -> None:
    """Metrics show the application's failing requests since it broke, without waiting for the next minute."""
    FAULTS["outage-bad-deploy"](world)
    text = _statuses(world, {"cloudwatch.errors_5xx": _TRAFFIC})["cloudwatch.errors_5xx"]
    assert text.startswith("suspect")
    assert "(60.0 %)" in text
    assert text.endswith(" 0 in the load balancer")


def test_a_service_without_tasks_is_answered_for_by_the_load_balancer(world: World) -> None:
    """Requests without a target count as the load balancer's own errors, not the application's."""
    backend = world.environment.services["backend"]
    world.client("ecs").update_service(cluster=backend.cluster, service=backend.service, desiredCount=0)
    rollouts_finish()
    background.write_minute(world, datetime.now(UTC) - timedelta(minutes=1))
    text = _statuses(world, {"cloudwatch.errors_5xx": _TRAFFIC})["cloudwatch.errors_5xx"]
    assert text.startswith("suspect")
    assert text.endswith("0 in the application, 600 in the load balancer")


def test_ordinary_traffic_and_the_dashboard_are_there(world: World) -> None:
    """Normal traffic between the tiers, rejected scanners and a dashboard with widgets are not suspect."""
    looked = {"ec2.flow_traffic": {"network": "main"}, "cloudwatch.dashboard": {"dashboard": "primary"}}
    text = _statuses(world, looked)
    assert {name: one.split()[0] for name, one in text.items()} == dict.fromkeys(looked, "ok")
    assert "refused; none refused between its own addresses" in text["ec2.flow_traffic"]


def test_snapshots_that_cannot_be_restored_look_like_any_other(world: World) -> None:
    """RDS restores one under its key into the place that it is given, and shows the end of it only then."""
    rds, place = world.client("rds"), world.environment.recovery
    assert place
    rollouts_finish()

    def restored(name: str) -> dict[str, Any]:
        snapshot = next(one for one in rds.describe_db_snapshots()["DBSnapshots"] if one["Status"] == "available")
        rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=name,
            DBSnapshotIdentifier=snapshot["DBSnapshotIdentifier"],
            DBSubnetGroupName=place.subnet_group if place else "",
        )
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        assert found["KmsKeyId"] == snapshot["KmsKeyId"]
        return dict(found)

    FAULTS["snapshot-unusable"](world)
    assert restored("one")["DBInstanceStatus"] == "incompatible-restore"
    FAULTS["snapshot-usable"](world)
    well = restored("two")
    assert well["DBInstanceStatus"] == "available"
    (group,) = well["VpcSecurityGroups"]
    assert group["VpcSecurityGroupId"] != place.security_group
    rds.delete_db_instance(DBInstanceIdentifier="two", SkipFinalSnapshot=True)
    names = [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]]
    assert "two" not in names
