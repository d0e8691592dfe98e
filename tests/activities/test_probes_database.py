import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.action import DatabaseParams
from activities.aws.database.cloudwatch_database import DatabaseConnections
from activities.aws.database.rds_status import DatabaseStatus
from activities.aws.shared.clients import AwsClients
from domain.model.finding import Finding, FindingStatus
from tests.activities.given import Stubbed, moto
from tests.activities.scopes import NOW, scope

PARAMS = DatabaseParams(database="primary")


def instance(**changes: Any) -> Finding:
    aws = Stubbed("rds")
    described = {"DBInstanceIdentifier": "axis-db", "DBInstanceStatus": "available", "BackupRetentionPeriod": 7}
    aws.answer("describe_db_instances", {"DBInstances": [described | changes]}, {"DBInstanceIdentifier": "axis-db"})
    return DatabaseStatus(aws).observe(scope(), DatabaseParams(database="primary"), NOW)


@pytest.mark.parametrize("status", ["available", "backing-up", "storage-optimization", "configuring-log-exports"])
def test_a_database_that_serves_is_ok(status: str) -> None:
    """Statuses in which RDS lets an instance be used are no suspects."""
    assert instance(DBInstanceStatus=status).status is FindingStatus.OK


@pytest.mark.parametrize("status", ["failed", "storage-full", "rebooting", "stopped", "modifying", "something-new"])
def test_a_database_that_may_not_serve_is_suspect(status: str) -> None:
    """Any other status, also one that nobody listed, is told."""
    finding = instance(DBInstanceStatus=status)
    assert finding.status is FindingStatus.SUSPECT
    assert f"primary is {status}" in finding.summary


def test_replication_that_is_not_normal_is_suspect() -> None:
    """An available replica that has stopped replicating is no healthy one; why is left to the console."""
    info = {"StatusType": "read replication", "Normal": False, "Status": "error", "Message": "row 4711"}
    finding = instance(StatusInfos=[info])
    assert finding.status is FindingStatus.SUSPECT
    assert "read replication: error" in finding.summary
    assert "4711" not in finding.model_dump_json()


@pytest.mark.parametrize(
    ("state", "status"),
    [("in-sync", FindingStatus.OK), ("pending-reboot", FindingStatus.OK), ("failed-to-apply", FindingStatus.SUSPECT)],
)
def test_parameters_that_are_not_in_force_are_told(state: str, status: FindingStatus) -> None:
    """They stand in the group, and the instance runs without them until it reboots, or for good."""
    groups = [{"DBParameterGroupName": "axis-pg16", "ParameterApplyStatus": state}]
    finding = instance(DBParameterGroups=groups)
    assert finding.status is status
    assert finding.facts["parameters"] == ([] if state == "in-sync" else [f"axis-pg16: {state}"])
    assert ("parameters not in force: axis-pg16" in finding.summary) == (state != "in-sync")


def test_pending_changes_are_named_without_their_values() -> None:
    """A password that waits to be changed is mentioned, never shown, and nor is the endpoint."""
    finding = instance(
        PendingModifiedValues={"MasterUserPassword": "hunter2", "DBInstanceClass": "db.r6g.large"},
        Endpoint={"Address": "axis-db.internal"},
        BackupRetentionPeriod=0,
        LatestRestorableTime=datetime(2026, 11, 23, 3, 25, tzinfo=UTC),
    )
    assert finding.summary.endswith("changes pending: DBInstanceClass, MasterUserPassword; automated backups are off")
    assert finding.facts["latest_restorable_at"] == "2026-11-23T03:25:00Z"
    words = json.dumps(finding.model_dump(mode="json"))
    assert "hunter2" not in words
    assert "axis-db.internal" not in words


def test_the_address_is_looked_up_by_who_needs_it() -> None:
    """The finding names the command for it, of this instance and region; the answer is the responder's own."""
    assert instance(Endpoint={"Address": "axis-db.internal"}).facts["address_by"] == (
        "aws rds describe-db-instances --db-instance-identifier axis-db --region ap-southeast-2 "
        "--query 'DBInstances[0].Endpoint.Address' --output text"
    )


def test_the_status_of_a_real_instance_is_read() -> None:
    """The probe asks by the identifier of the environment; an instance that is gone is an error, not a finding."""
    with moto() as aws:
        params = DatabaseParams(database="primary")
        with pytest.raises(ClientError, match="DBInstanceNotFound"):
            DatabaseStatus(aws).observe(scope(), params, NOW)
        aws.client("rds").create_db_instance(
            DBInstanceIdentifier="axis-db",
            DBInstanceClass="db.r6g.xlarge",
            Engine="postgres",
            AllocatedStorage=100,
            MasterUsername="axis",
            MasterUserPassword="not-a-secret",
            MultiAZ=True,
            BackupRetentionPeriod=7,
        )
        finding = DatabaseStatus(aws).observe(scope(), params, NOW)
        assert (finding.status, finding.summary) == (FindingStatus.OK, "primary is available; Multi-AZ")
        assert finding.facts["class"] == "db.r6g.xlarge"


def put(aws: AwsClients, *points: tuple[datetime, float], identifier: str = "axis-db") -> None:
    for when, value in points:
        aws.client("cloudwatch").put_metric_data(
            Namespace="AWS/RDS",
            MetricData=[
                {
                    "MetricName": "DatabaseConnections",
                    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
                    "Timestamp": when,
                    "Value": value,
                }
            ],
        )


@pytest.mark.parametrize(
    ("most", "status"), [(79, FindingStatus.OK), (80, FindingStatus.SUSPECT), (100, FindingStatus.SUSPECT)]
)
def test_eighty_percent_of_the_connections_is_suspect(most: float, status: FindingStatus) -> None:
    """A spike in any of the hour's periods counts, however calm it is now; other instances and hours do not."""
    at = datetime.now(UTC).replace(second=0, microsecond=0)
    with moto() as aws:
        put(aws, (at - timedelta(minutes=3), 20), (at - timedelta(minutes=33), most), (at - timedelta(minutes=50), 15))
        put(aws, (at - timedelta(minutes=90), 99))
        put(aws, (at - timedelta(minutes=10), 99), identifier="axis-db-replica")
        finding = DatabaseConnections(aws).observe(scope(), PARAMS, at)
    assert finding.status is status
    assert finding.facts["maximum"] == most
    assert finding.facts["latest"] == 20
    assert finding.facts["p95"] == most
    assert f"at most {most} of 100 connections" in finding.summary


def test_no_data_is_unknown_and_not_zero() -> None:
    """A metric that stopped says nothing about how many connections there are."""
    with moto() as aws:
        finding = DatabaseConnections(aws).observe(scope(), PARAMS, NOW)
    assert finding.status is FindingStatus.UNKNOWN
    assert "maximum" not in finding.facts


def test_metric_pages_are_joined_whatever_their_order() -> None:
    """Points come unsorted and over several pages; the window is the hour before `at`, which a retry repeats."""
    aws = Stubbed("cloudwatch")
    early, late = NOW - timedelta(minutes=55), NOW - timedelta(minutes=5)
    first = {
        "MetricDataResults": [
            {"Id": "maximum", "Timestamps": [late], "Values": [40.0], "StatusCode": "PartialData"},
            {"Id": "p95", "Timestamps": [late], "Values": [35.0], "StatusCode": "Complete"},
        ],
        "NextToken": "more",
    }
    second = {
        "MetricDataResults": [{"Id": "maximum", "Timestamps": [early], "Values": [90.0], "StatusCode": "Complete"}]
    }
    aws.answer("get_metric_data", first)
    aws.answer("get_metric_data", second)
    finding = DatabaseConnections(aws).observe(scope(), PARAMS, NOW)
    aws.all_asked()
    assert finding.status is FindingStatus.SUSPECT
    assert {key: finding.facts[key] for key in ("maximum", "maximum_at", "latest", "p95", "percent", "truncated")} == {
        "maximum": 90.0,
        "maximum_at": "2026-11-23T02:35:00Z",
        "latest": 40.0,
        "p95": 35.0,
        "percent": 90,
        "truncated": False,
    }


def test_the_query_is_the_hour_in_five_minute_periods() -> None:
    """Start and end are instants of the workflow, and spikes and the 95th percentile are asked for."""
    aws = Stubbed("cloudwatch")
    asked: list[dict[str, Any]] = []
    aws.client("cloudwatch").meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData", lambda params, **_: asked.append(params)
    )
    aws.answer("get_metric_data", {"MetricDataResults": []})
    DatabaseConnections(aws).observe(scope(), PARAMS, NOW)
    assert (asked[0]["StartTime"], asked[0]["EndTime"]) == (NOW - timedelta(hours=1), NOW)
    statistics = [query["MetricStat"] for query in asked[0]["MetricDataQueries"]]
    assert [(one["Stat"], one["Period"]) for one in statistics] == [("Maximum", 300), ("p95", 300)]
