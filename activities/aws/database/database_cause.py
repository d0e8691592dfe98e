"""Tell what a database's trouble comes from, and which change that speaks for or against."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Literal

from activities.action import Clients, DatabaseName, DatabaseParams, Params, ProbeAction, iam
from activities.aws.database.database_signs import Cause, Signs, Verdict, classify
from activities.aws.database.postgres_log_files import Stretch, complaints
from activities.aws.database.rds_status import SERVING, described
from activities.aws.shared.cloudwatch_metrics import of_instance, read
from activities.aws.shared.findings import suspect_if
from domain.config.environment import Database
from domain.model.activity_io import Scope
from domain.model.finding import Finding

_LATELY = timedelta(minutes=10)
_HOUR = timedelta(hours=1)
_SLOW = timedelta(seconds=1)
_METRICS = {
    "connections": ("DatabaseConnections", "Maximum"),
    "cpu": ("CPUUtilization", "Average"),
    "free": ("FreeStorageSpace", "Minimum"),
}


class CauseParams(Params):
    """`cause` is the one asked about; with `suggests`, only where it speaks for that change step."""

    database: DatabaseName
    cause: Cause
    suggests: Literal["failover", "promote-replica", "resize-instance", "restart-application"] | None = None


class DatabaseClassification(ProbeAction[DatabaseParams]):
    """Says whether it is the pool, the processor, locks, storage, an instance that is down, or unclear.

    Reads the instance's status, ten minutes of its metrics up to `at`, and its log; of one that does not serve, the
    status alone. Suspect unless unclear.
    """

    name = "database.classification"
    permissions = iam("cloudwatch:GetMetricData", "rds:DescribeDBInstances DescribeDBLogFiles DownloadDBLogFilePortion")

    def observe(self, scope: Scope, params: DatabaseParams, at: datetime) -> Finding:
        verdict, facts = _look(self.clients, scope.environment.databases[params.database], at)
        return suspect_if(
            verdict.cause is not Cause.UNCLEAR,
            f"{params.database}: {verdict.cause} - {verdict.why}{_advice(verdict)}",
            {"database": params.database} | facts,
        )


class DatabaseCause(ProbeAction[CauseParams]):
    """Suspect exactly when the classification is `cause`: a step that changes can name as its reason.

    Reads what `database.classification` reads.
    """

    name = "database.cause"
    permissions = iam("cloudwatch:GetMetricData", "rds:DescribeDBInstances DescribeDBLogFiles DownloadDBLogFilePortion")

    def observe(self, scope: Scope, params: CauseParams, at: datetime) -> Finding:
        verdict, facts = _look(self.clients, scope.environment.databases[params.database], at)
        meant = verdict.cause is params.cause and params.suggests in {None, verdict.suggests}
        answer = f"{verdict.cause}{_advice(verdict)}" if verdict.cause is params.cause else f"not {params.cause}"
        facts |= {"database": params.database, "asked": params.cause.value}
        return suspect_if(meant, f"{params.database}: {answer}", facts)


def _look(clients: Clients, database: Database, at: datetime) -> tuple[Verdict, dict[str, Any]]:
    signs = _signs(clients, database, at)
    verdict = classify(signs)
    return verdict, asdict(verdict) | asdict(signs)


def _signs(clients: Clients, database: Database, at: datetime) -> Signs:
    instance = described(clients, database.identifier)
    status, multi_az = str(instance["DBInstanceStatus"]), bool(instance.get("MultiAZ"))
    if status not in SERVING and status != "modifying":
        return Signs(status, multi_az, database.max_connections)
    queries = of_instance(database.identifier, _METRICS)
    points, _ = read(clients.client("cloudwatch"), queries, (at - _HOUR, at), 60)
    since = at - _LATELY
    lately = {name: [value for when, value in found if when >= since] for name, found in points.items()}
    seen = complaints(clients.client("rds"), database.identifier, database.log, Stretch(since, at, _SLOW))
    free = lately["free"]
    return Signs(
        status,
        multi_az,
        database.max_connections,
        connections=max(lately["connections"], default=None),
        connected_before=any(value > 0 for when, value in points["connections"] if when < since),
        cpu_percent=sum(lately["cpu"]) / len(lately["cpu"]) if lately["cpu"] else None,
        free_percent=100 * min(free) / (int(instance["AllocatedStorage"]) * 1024**3) if free else None,
        refused=seen.slots,
        lock_waits=seen.locks,
    )


def _advice(verdict: Verdict) -> str:
    speaks_for = f"; speaks for {verdict.suggests}" if verdict.suggests else ""
    against = f"; against {', '.join(verdict.advises_against)}" if verdict.advises_against else ""
    return speaks_for + against
