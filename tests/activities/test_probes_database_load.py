from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.action import ProbeAction
from activities.aws.database.cloudwatch_database import DatabaseCpu, DatabaseStorage, ReplicaLag
from activities.aws.database.database_cause import DatabaseCause, DatabaseClassification
from activities.aws.database.database_state import remedy
from activities.aws.database.rds_events import DatabaseEvents
from activities.aws.database.rds_postgres_log import PostgresLog
from activities.aws.database.rds_status import DatabaseStatus
from activities.catalogue import PROBES
from domain.model.finding import Finding, FindingStatus
from tests.activities.aws_calls import RecordedAws, recorded_aws
from tests.activities.given import Stubbed
from tests.activities.scopes import NOW, scope

GIB = 1024**3
_METRICS = (DatabaseCpu, DatabaseStorage, ReplicaLag)
OWN: list[type[ProbeAction[Any]]] = [*_METRICS, DatabaseEvents, PostgresLog, DatabaseClassification, DatabaseCause]
MINUTE = timedelta(minutes=1)
NAN = float("nan")


def look(aws: Any, probe: type[ProbeAction[Any]], **params: Any) -> Finding:
    return probe(aws).observe(scope(), probe.params.model_validate({"database": "primary"} | params), NOW)


def metrics(aws: RecordedAws, **series: list[float]) -> None:
    """Let CloudWatch answer these values, a minute apart, the last of them a minute before NOW; `NAN` is a gap."""

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        results = []
        for name, values in series.items():
            dated = [(NOW - MINUTE * (len(values) - number), value) for number, value in enumerate(values)]
            kept = [point for point in dated if point[1] is not NAN]
            points = {"Timestamps": [when for when, _ in kept], "Values": [value for _, value in kept]}
            results.append({"Id": name, "StatusCode": "Complete"} | points)
        return {"MetricDataResults": results}

    aws.answer("GetMetricData", answer)


def instance(aws: RecordedAws, **changes: Any) -> None:
    described = {"DBInstanceIdentifier": "axis-db", "DBInstanceStatus": "available", "AllocatedStorage": 500}
    aws.answer("DescribeDBInstances", lambda _: {"DBInstances": [described | {"MultiAZ": True} | changes]})


@pytest.mark.parametrize(
    ("probe", "series", "status", "words"),
    [
        (DatabaseCpu, {"maximum": [99, 50], "p95": [79, 40]}, FindingStatus.OK, "at most 79 %"),
        (DatabaseCpu, {"maximum": [99, 50], "p95": [80, 40]}, FindingStatus.SUSPECT, "40 % at last"),
        (DatabaseStorage, {"free": [40 * GIB], "burst": [], "queue": []}, FindingStatus.SUSPECT, "40 of 500 GiB"),
        (DatabaseStorage, {"free": [60 * GIB], "burst": [], "queue": [3]}, FindingStatus.OK, "(12 %)"),
        (DatabaseStorage, {"free": [300 * GIB], "burst": [19], "queue": []}, FindingStatus.SUSPECT, "balance 19 %"),
        (ReplicaLag, {"lag": [400, 299]}, FindingStatus.OK, "299 s behind"),
        (ReplicaLag, {"lag": [3, 301]}, FindingStatus.SUSPECT, "301 s behind"),
        (ReplicaLag, {"lag": [3, -1]}, FindingStatus.SUSPECT, "does not replicate"),
    ],
)
def test_limits_of_the_metrics(
    probe: type[ProbeAction[Any]], series: dict[str, list[float]], status: FindingStatus, words: str
) -> None:
    """The figure that counts, its limit, and how it is told."""
    with recorded_aws() as aws:
        instance(aws)
        metrics(aws, **series)
        finding = look(aws, probe)
    assert finding.status is status
    assert words in finding.summary


@pytest.mark.parametrize(
    ("probe", "empty"),
    [
        (DatabaseCpu, ["maximum", "p95"]),
        (DatabaseStorage, ["free", "burst", "queue"]),
        (ReplicaLag, ["lag"]),
    ],
)
def test_a_metric_that_stopped_is_unknown(probe: type[ProbeAction[Any]], empty: list[str]) -> None:
    """No data is neither an idle processor nor a replica that is up to date."""
    with recorded_aws() as aws:
        instance(aws)
        metrics(aws, **{name: [] for name in empty})
        assert look(aws, probe).status is FindingStatus.UNKNOWN


def known(aws: Stubbed) -> None:
    """RDS answers no event for a name that it does not know, so the instance is looked up first."""
    aws.answer("describe_db_instances", {"DBInstances": [{"DBInstanceIdentifier": "axis-db"}]})


def test_events_are_counted_by_category_page_by_page() -> None:
    """Both ends of the window are instants, every page is read, and no message leaves the probe."""
    aws = Stubbed("rds")
    asked = {"SourceIdentifier": "axis-db", "SourceType": "db-instance"}
    asked |= {"StartTime": NOW - timedelta(hours=2), "EndTime": NOW}  # type: ignore[dict-item]

    def event(minutes: int, *categories: str) -> dict[str, Any]:
        return {"Date": NOW - minutes * MINUTE, "EventCategories": list(categories), "Message": "patient 4711"}

    known(aws)
    aws.answer("describe_events", {"Events": [event(90, "backup"), event(130, "failover")], "Marker": "1"}, asked)
    aws.answer("describe_events", {"Events": [event(5, "failure")]}, asked | {"Marker": "1"})
    finding = look(aws, DatabaseEvents)
    aws.all_asked()
    assert finding.status is FindingStatus.SUSPECT
    assert (finding.facts["categories"], finding.facts["grave"]) == ({"backup": 1, "failure": 1}, {"failure": 1})
    assert "4711" not in finding.model_dump_json()


def test_a_backup_alone_is_no_suspect() -> None:
    """What RDS does every night is told and not held against it."""
    aws = Stubbed("rds")
    known(aws)
    aws.answer("describe_events", {"Events": [{"Date": NOW - MINUTE, "EventCategories": ["backup"]}]})
    assert look(aws, DatabaseEvents).status is FindingStatus.OK


def quiet_log(aws: RecordedAws) -> None:
    """A log that was written to and complains of nothing."""
    written = {
        "LogFileName": "error/postgresql.log.2026-11-23-03",
        "LastWritten": int(NOW.timestamp() * 1000),
        "Size": 90,
    }
    line = f"{NOW - MINUTE:%Y-%m-%d %H:%M:%S} UTC::@:[381]:LOG:  checkpoint starting: time\n"
    aws.answer("DescribeDBLogFiles", lambda _: {"DescribeDBLogFiles": [written]})
    aws.answer("DownloadDBLogFilePortion", lambda _: {"LogFileData": line, "AdditionalDataPending": False})


@pytest.mark.parametrize(
    ("signs", "cause"), [({"connections": [95]}, "pool-exhaustion"), ({"cpu": [90, 85]}, "cpu"), ({}, "unclear")]
)
def test_the_cause_is_told_by_one_step_alone(signs: dict[str, list[float]], cause: str) -> None:
    """Of the steps that ask for one cause each, exactly that of the classification is suspect."""
    usual = {"connections": [20.0], "cpu": [10.0], "free": [300.0 * GIB]}
    with recorded_aws() as aws:
        instance(aws)
        metrics(aws, **(usual | signs))
        quiet_log(aws)
        seen = {
            asked: look(aws, DatabaseCause, cause=asked).status is FindingStatus.SUSPECT
            for asked in ("pool-exhaustion", "cpu", "lock", "storage", "down")
        }
        whole = look(aws, DatabaseClassification)
    assert [asked for asked, suspect in seen.items() if suspect] == [cause] * (cause != "unclear")
    assert whole.facts["cause"] == cause
    assert whole.status is (FindingStatus.OK if cause == "unclear" else FindingStatus.SUSPECT)


def test_an_instance_that_is_down_is_classified_without_its_metrics() -> None:
    """With the status all is said: neither CloudWatch nor the log of an instance that has failed is asked."""
    with recorded_aws() as aws:
        instance(aws, DBInstanceStatus="failed")
        finding = look(aws, DatabaseClassification)
        assert [name for name, _ in aws.calls] == ["DescribeDBInstances"]
    assert (finding.facts["cause"], finding.facts["suggests"]) == ("down", "promote-replica")


@pytest.mark.parametrize("probe", OWN)
@pytest.mark.parametrize("code", ["AccessDenied", "DBInstanceNotFound"])
def test_a_broken_source_is_an_error(probe: type[ProbeAction[Any]], code: str) -> None:
    """What AWS answers passes through, so that the finding becomes unknown and says why."""
    operations = ("DescribeDBInstances", "DescribeEvents", "GetMetricData", "DescribeDBLogFiles")
    more = {"cause": "cpu"} if probe is DatabaseCause else {}
    with recorded_aws() as aws:
        for operation in operations:
            aws.fail(operation, code)
        with pytest.raises(ClientError, match=code):
            look(aws, probe, **more)


def test_they_are_in_the_catalogue() -> None:
    """A runbook can name every one of them."""
    assert {probe.name for probe in OWN} <= PROBES.keys()


def test_a_gap_in_a_metric_is_no_sign() -> None:
    """No figure of the connections is not that there are none: neither a reason to fail over, nor all well."""
    with recorded_aws() as aws:
        instance(aws)
        metrics(aws, connections=[], cpu=[10.0], free=[300.0 * GIB])
        quiet_log(aws)
        down = look(aws, DatabaseCause, cause="down", suggests="failover")
        whole = look(aws, DatabaseClassification)
    assert (down.status, whole.status) == (FindingStatus.UNKNOWN, FindingStatus.UNKNOWN)
    assert "nothing tells of its connections" in down.summary


@pytest.mark.parametrize("before", [[0.0] * 1430, [NAN] * 1430], ids=["zeros", "a gap"])
def test_nobody_connected_is_down_or_idle(before: list[float]) -> None:
    """Without a connection all day nobody can tell an outage from a database that is idle; a full pool it is not."""
    with recorded_aws() as aws:
        instance(aws)
        metrics(aws, connections=before + [0.0] * 9, cpu=[5.0], free=[300.0 * GIB])
        quiet_log(aws)
        down = look(aws, DatabaseCause, cause="down", suggests="failover")
        pool = look(aws, DatabaseCause, cause="pool-exhaustion")
        whole = look(aws, DatabaseClassification)
    assert (down.status, whole.status) == (FindingStatus.UNKNOWN, FindingStatus.UNKNOWN)
    assert "nothing tells of whether anybody was connected before" in down.summary
    assert pool.status is FindingStatus.OK


def test_an_outage_of_hours_is_down_still() -> None:
    """A failover is suggested for as long as it would help, and who approves it is told since when nobody is there."""
    with recorded_aws() as aws:
        instance(aws)
        metrics(aws, connections=[30.0] + [0.0] * 300, cpu=[5.0], free=[300.0 * GIB])
        quiet_log(aws)
        whole = look(aws, DatabaseClassification)
        assert look(aws, DatabaseCause, cause="down", suggests="failover").status is FindingStatus.SUSPECT
    assert "nothing is connected to it since 22 Nov 22:29 UTC" in whole.summary


def test_none_in_part_of_the_figures_is_not_none() -> None:
    """Connections may stand in what CloudWatch left out: that is no reason to fail over."""
    at, part = [NOW - 20 * MINUTE, NOW - 2 * MINUTE], {"Id": "connections", "StatusCode": "PartialData"}
    with recorded_aws() as aws:
        instance(aws)
        aws.answer("GetMetricData", lambda _: {"MetricDataResults": [part | {"Timestamps": at, "Values": [20.0, 0.0]}]})
        quiet_log(aws)
        down = look(aws, DatabaseCause, cause="down", suggests="failover")
    assert (down.status, down.facts["truncated"]) == (FindingStatus.UNKNOWN, True)


@pytest.mark.parametrize(
    ("storage", "burst", "status"),
    [
        ({"StorageType": "gp2"}, [90], FindingStatus.OK),
        ({"StorageType": "gp2"}, [], FindingStatus.UNKNOWN),
        ({"StorageType": "gp2"}, [90] + [NAN] * 50, FindingStatus.UNKNOWN),
        ({"StorageType": "gp2", "AllocatedStorage": 4000}, [], FindingStatus.OK),
        ({"StorageType": "gp3"}, [], FindingStatus.OK),
    ],
)
def test_where_a_volume_bursts_its_credits_must_be_known(
    storage: dict[str, Any], burst: list[float], status: FindingStatus
) -> None:
    """Free storage alone says nothing of a gp2 volume that has used its credits up."""
    with recorded_aws() as aws:
        instance(aws, **storage)
        metrics(aws, free=[float(storage.get("AllocatedStorage", 500) * GIB)], burst=burst, queue=[])
        assert look(aws, DatabaseStorage).status is status


def test_a_log_that_was_not_written_shows_no_locks() -> None:
    """Without a file nobody knows whether statements wait; what the metrics show is known all the same."""
    with recorded_aws() as aws:
        instance(aws)
        metrics(aws, connections=[95.0], cpu=[10.0], free=[300.0 * GIB])
        aws.answer("DescribeDBLogFiles", lambda _: {"DescribeDBLogFiles": []})
        assert look(aws, DatabaseCause, cause="lock").status is FindingStatus.UNKNOWN
        assert look(aws, DatabaseCause, cause="pool-exhaustion").status is FindingStatus.SUSPECT


@pytest.mark.parametrize(
    ("status", "cause", "suggests"),
    [
        ("failed", "down", "promote-replica"),
        ("incompatible-parameters", "down", None),
        ("inaccessible-encryption-credentials-recoverable", "down", None),
        ("stopped", "down", None),
        ("storage-full", "storage", None),
    ],
)
def test_one_classification_serves_probes_and_changes(status: str, cause: str, suggests: str | None) -> None:
    """What needs repair or a start is not offered a promotion, which the change would refuse with the same remedy."""
    with recorded_aws() as aws:
        instance(aws, DBInstanceStatus=status)
        finding = look(aws, DatabaseClassification)
        shown = look(aws, DatabaseStatus)
    assert (finding.facts["cause"], finding.facts["suggests"]) == (cause, suggests)
    assert f"what helps: {remedy(status)}" in shown.summary


@pytest.mark.parametrize("age", [20, 59])
@pytest.mark.parametrize(
    ("probe", "series"),
    [
        (DatabaseCpu, {"maximum": [9], "p95": [9]}),
        (DatabaseStorage, {"free": [300 * GIB]}),
        (ReplicaLag, {"lag": [2]}),
    ],
)
def test_figures_that_stopped_are_not_of_now(
    probe: type[ProbeAction[Any]], series: dict[str, list[float]], age: int
) -> None:
    """What was well twenty minutes ago may be anything now."""
    with recorded_aws() as aws:
        instance(aws)
        metrics(aws, **{name: values + [NAN] * age for name, values in series.items()})
        finding = look(aws, probe)
    assert finding.status is FindingStatus.UNKNOWN
    assert "no figures since" in finding.summary
