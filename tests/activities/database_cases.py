"""What the probes of databases are shown that they cannot judge by."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from activities.aws.database.cloudwatch_database import (
    DatabaseConnections,
    DatabaseCpu,
    DatabaseStorage,
    ReplicaLag,
)
from tests.activities.aws_calls import RecordedAws
from tests.activities.scopes import NOW
from tests.activities.unread import Case, Look, ProbeCases

MINUTE = timedelta(minutes=1)
GIB = 1024**3
PRIMARY = {"database": "primary"}
_ONE = "RDS describes one instance, of which every field that is read is there or not"
_NUMBERS = "CloudWatch answers numbers: there is nothing in them that could not be read"

Maker = Callable[[], Look]


def look(params: dict[str, Any] = PRIMARY, **answers: Any) -> Look:
    """AWS answers these operations so; what is not a function is the answer itself."""
    aws = RecordedAws()
    for operation, answer in answers.items():
        aws.answer(operation, answer if callable(answer) else _always(answer))
    return Look(aws, params)


def _always(answer: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda _: answer


def described(**changes: Any) -> dict[str, Any]:
    instance = {
        "DBInstanceIdentifier": "axis-db",
        "DBInstanceStatus": "available",
        "DbiResourceId": "db-ABC",
        "AllocatedStorage": 500,
        "BackupRetentionPeriod": 14,
        "PerformanceInsightsEnabled": True,
        "MultiAZ": True,
    }
    return {"DBInstances": [instance | changes]}


def nowhere(params: dict[str, Any] = PRIMARY) -> Maker:
    """RDS knows no such database: moto has none, and says so as RDS does."""
    return lambda: look(params)


def figures(values: Mapping[str, float | None], ago: timedelta = 2 * MINUTE, status: str = "Complete") -> Any:
    """CloudWatch's newest point of each metric, of so long ago; none for one that is None."""
    results = [
        {
            "Id": name,
            "StatusCode": status,
            "Timestamps": [] if value is None else [NOW - ago],
            "Values": [] if value is None else [value],
        }
        for name, value in values.items()
    ]
    return {"MetricDataResults": results}


def metrics(params: dict[str, Any], well: Mapping[str, float], ill: Mapping[str, float]) -> dict[Case, Maker | str]:
    """The cases of a probe of metrics, by figures that are well and some that are not."""
    given = {"DescribeDBInstances": described()}
    nothing = dict.fromkeys(well)
    return {
        Case.NO_SOURCE: lambda: look(params, **given, GetMetricData=figures(nothing)),
        Case.EMPTY: lambda: look(params, **given, GetMetricData=figures(nothing)),
        Case.UNRECOGNISED: _NUMBERS,
        Case.OLD: lambda: look(params, **given, GetMetricData=figures(well, ago=30 * MINUTE)),
        Case.ONE_UNREADABLE: _NUMBERS,
        Case.CUT_OFF: lambda: look(params, **given, GetMetricData=figures(well, status="PartialData")),
        Case.TROUBLE_BESIDE_UNREADABLE: lambda: look(params, **given, GetMetricData=figures(ill, status="PartialData")),
        Case.PARTIAL_METRIC: lambda: look(params, **given, GetMetricData=figures(well)),
    }


USUAL = {"connections": 20.0, "cpu": 10.0, "free": 300.0 * GIB}
_FILE = "error/postgresql.log.2026-11-23-03"


def log(lines: str, pending: bool = False) -> dict[str, Any]:
    """PostgreSQL's log: one file with these lines, or one that goes on and on."""
    written = {"LogFileName": _FILE, "LastWritten": int(NOW.timestamp() * 1000), "Size": 90}
    portion = {"LogFileData": lines, "AdditionalDataPending": pending, "Marker": "3:1"}
    return {"DescribeDBLogFiles": {"DescribeDBLogFiles": [written]}, "DownloadDBLogFilePortion": portion}


CHECKPOINT = f"{NOW - MINUTE:%Y-%m-%d %H:%M:%S} UTC::@:[381]:LOG:  checkpoint starting: time\n"


def causes(params: dict[str, Any], **ill: float) -> dict[Case, Maker | str]:
    """The cases of what reads status, metrics and log together; `ill` is what shows its trouble."""

    def shown(read: dict[str, Any], values: Mapping[str, float | None] = USUAL, ago: timedelta = 2 * MINUTE) -> Maker:
        return lambda: look(params, DescribeDBInstances=described(), GetMetricData=figures(values, ago), **read)

    nothing = dict.fromkeys(USUAL)
    return {
        Case.NO_SOURCE: nowhere(params),
        Case.EMPTY: shown({"DescribeDBLogFiles": {"DescribeDBLogFiles": []}}, nothing),
        Case.UNRECOGNISED: shown(log("what is this\n")),
        Case.OLD: shown(log(CHECKPOINT), USUAL, ago=30 * MINUTE),
        Case.ONE_UNREADABLE: shown(log(f"what is this\n{CHECKPOINT}")),
        Case.CUT_OFF: shown(log(CHECKPOINT, pending=True)),
        Case.TROUBLE_BESIDE_UNREADABLE: shown(log(CHECKPOINT, pending=True), USUAL | ill),
        Case.PARTIAL_METRIC: shown(log(CHECKPOINT)),
    }


def instance(**changes: Any) -> Maker:
    return lambda: look(DescribeDBInstances=described(**changes))


NOT_NORMAL = {"StatusType": "read replication", "Normal": False, "Status": "error"}
STATUS: dict[Case, Maker | str] = {
    Case.NO_SOURCE: nowhere(),
    Case.EMPTY: "RDS describes every instance with its status",
    Case.UNRECOGNISED: instance(DBInstanceStatus="something-new"),
    Case.OLD: "a status is that of the moment of the answer",
    Case.ONE_UNREADABLE: instance(StatusInfos=[{"StatusType": "read replication"}]),
    Case.CUT_OFF: "one instance is one page",
    Case.TROUBLE_BESIDE_UNREADABLE: instance(StatusInfos=[{"StatusType": "read replication"}, NOT_NORMAL]),
}
BACKUPS: dict[Case, Maker | str] = {
    Case.NO_SOURCE: nowhere(),
    Case.EMPTY: instance(BackupRetentionPeriod=14),
    Case.UNRECOGNISED: _ONE,
    Case.OLD: instance(LatestRestorableTime=NOW - timedelta(hours=2)),
    Case.ONE_UNREADABLE: _ONE,
    Case.CUT_OFF: "one instance is one page",
    Case.TROUBLE_BESIDE_UNREADABLE: _ONE,
}


def event(*categories: str, ago: timedelta = MINUTE) -> dict[str, Any]:
    return {"Date": NOW - ago, "EventCategories": list(categories), "Message": "said"}


def events(*found: dict[str, Any], more: bool = False) -> Maker:
    answer = {"Events": list(found)} | ({"Marker": "more"} if more else {})
    return lambda: look(DescribeDBInstances=described(), DescribeEvents=answer)


EVENTS: dict[Case, Maker | str] = {
    Case.NO_SOURCE: nowhere(),
    Case.EMPTY: events(),
    Case.UNRECOGNISED: events(event()),
    Case.OLD: events(event("backup", ago=9 * 60 * MINUTE)),
    Case.ONE_UNREADABLE: events(event("backup"), event()),
    Case.CUT_OFF: events(event("backup"), more=True),
    Case.TROUBLE_BESIDE_UNREADABLE: events(event("failure"), event()),
}


def load(*points: tuple[timedelta, float | None], more: bool = False) -> Maker:
    shown: list[dict[str, Any]] = [
        {"Timestamp": NOW - ago} | ({} if value is None else {"Value": value}) for ago, value in points
    ]
    answer: dict[str, Any] = {"MetricList": [{"Key": {"Metric": "db.load.avg"}, "DataPoints": shown}]}
    answer |= {"NextToken": "more"} if more else {}
    return lambda: look(DescribeDBInstances=described(), GetResourceMetrics=answer)


LOAD: dict[Case, Maker | str] = {
    Case.NO_SOURCE: instance(PerformanceInsightsEnabled=False),
    Case.EMPTY: load(),
    Case.UNRECOGNISED: load((20 * MINUTE, None), (MINUTE, None)),
    Case.OLD: load((20 * MINUTE, 1.0)),
    Case.ONE_UNREADABLE: load((20 * MINUTE, None), (MINUTE, 1.0)),
    Case.CUT_OFF: load((MINUTE, 1.0), more=True),
    Case.TROUBLE_BESIDE_UNREADABLE: load((20 * MINUTE, None), (MINUTE, 99.0)),
}


def jobs(more: bool = False, **of: list[dict[str, Any]]) -> Maker:
    """AWS Backup's jobs by state, created since whatever was asked."""

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        found = [job for job in of.get(asked["ByState"], []) if job.get("CreationDate", NOW) >= asked["ByCreatedAfter"]]
        return {"BackupJobs": found} | ({"NextToken": "more"} if more and found else {})

    return lambda: look({}, ListBackupJobs=answer)


def job(state: str | None = "FAILED", at: datetime = NOW - MINUTE) -> dict[str, Any]:
    return {"CreationDate": at, "ResourceType": "RDS"} | ({"State": state} if state else {})


JOBS: dict[Case, Maker | str] = {
    Case.NO_SOURCE: jobs(),
    Case.EMPTY: jobs(),
    Case.UNRECOGNISED: jobs(FAILED=[job(None)], COMPLETED=[job("COMPLETED")]),
    Case.OLD: jobs(COMPLETED=[job("COMPLETED", NOW - timedelta(days=9))]),
    Case.ONE_UNREADABLE: jobs(FAILED=[job(None)], COMPLETED=[job("COMPLETED")]),
    Case.CUT_OFF: jobs(FAILED=[job(None)], more=True),
    Case.TROUBLE_BESIDE_UNREADABLE: jobs(FAILED=[job(), job(None)]),
}


def _probes() -> Iterator[tuple[str, Mapping[Case, Maker | str]]]:
    yield DatabaseCpu.name, metrics(PRIMARY, {"maximum": 9, "p95": 9}, {"maximum": 99, "p95": 99})
    yield DatabaseConnections.name, metrics(PRIMARY, {"maximum": 9, "p95": 9}, {"maximum": 99, "p95": 99})
    yield DatabaseStorage.name, metrics(PRIMARY, {"free": 300 * GIB}, {"free": GIB})
    yield ReplicaLag.name, metrics({"database": "replica"}, {"lag": 2}, {"lag": 900})
    yield "database.cause", causes(PRIMARY | {"cause": "pool-exhaustion"}, connections=99)
    yield "database.classification", causes(PRIMARY, connections=99)
    yield from {"rds.status": STATUS, "rds.backups": BACKUPS, "rds.events": EVENTS, "pi.load": LOAD}.items()
    yield "backup.failed_jobs", JOBS


PROBE_CASES: ProbeCases = dict(_probes())
