"""Tell how a database instance fares: its processor, its storage, and how far a replica is behind."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import DatabaseName, Params, ProbeAction
from activities.aws.database.rds_metrics import Metric, Points, read
from activities.aws.database.rds_status import described
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_WINDOW = timedelta(hours=1)
_PERIOD_SECONDS = 300
_BUSY_PERCENT = 80
_FREE_PERCENT = 10
_BURST_PERCENT = 20
_CPU = {"maximum": Metric("CPUUtilization", "Maximum"), "p95": Metric("CPUUtilization", "p95")}
_STORAGE = {
    "free": Metric("FreeStorageSpace", "Minimum"),
    "burst": Metric("BurstBalance", "Minimum"),
    "queue": Metric("DiskQueueDepth", "Maximum"),
}
_LAG = {"lag": Metric("ReplicaLag", "Maximum")}
_GIB = 1024**3


class DatabaseParams(Params):
    database: DatabaseName


class ReplicaLagParams(Params):
    """`most` is how far behind is still usual: an idle PostgreSQL primary lets the figure climb to five minutes."""

    database: DatabaseName
    most: Duration = Field(default=timedelta(minutes=5), gt=timedelta(0))


class DatabaseCpu(ProbeAction[DatabaseParams]):
    """Looks at the processor over the hour before `at`, in 5-minute periods (`cloudwatch:GetMetricData`).

    Suspect when the 95th percentile of a period reaches 80 %; a spike of a minute is none. Unknown without data.
    """

    name = "cloudwatch.database_cpu"

    def observe(self, scope: Scope, params: DatabaseParams, at: datetime) -> Finding:
        points, facts = _observed(self, scope, params.database, _CPU, at)
        if not points["p95"]:
            return _silent(params.database, "its processor", facts)
        when, busiest = max(points["p95"], key=lambda point: point[1])
        latest = max(points["p95"])[1]
        facts |= {"p95": busiest, "p95_at": stamp_to_second(when), "latest": latest}
        facts |= {"maximum": max((value for _, value in points["maximum"]), default=None)}
        return Finding(
            status=FindingStatus.SUSPECT if busiest >= _BUSY_PERCENT else FindingStatus.OK,
            summary=(
                f"{params.database}: the processor was at most {busiest:.0f} % busy in the last "
                f"{spoken(_WINDOW)}, at {short_time(when)}; {latest:.0f} % at last"
            ),
            facts=facts,
        )


class DatabaseStorage(ProbeAction[DatabaseParams]):
    """Compares free with allocated storage, and looks at burst credits and the disk queue.

    Suspect under 10 % free, or under 20 % of the burst balance where the volume has one. Unknown without data.
    Reads `rds:DescribeDBInstances` and `cloudwatch:GetMetricData` of the hour before `at`.
    """

    name = "cloudwatch.database_storage"

    def observe(self, scope: Scope, params: DatabaseParams, at: datetime) -> Finding:
        identifier = scope.environment.databases[params.database].identifier
        allocated = int(described(self.clients.client("rds"), identifier)["AllocatedStorage"])
        points, facts = _observed(self, scope, params.database, _STORAGE, at)
        if not points["free"]:
            return _silent(params.database, "its free storage", facts)
        free = max(points["free"])[1] / _GIB
        percent = round(100 * free / allocated)
        burst = max(points["burst"])[1] if points["burst"] else None
        facts |= {"free_gib": round(free, 1), "allocated_gib": allocated, "free_percent": percent}
        facts |= {"burst_balance": burst, "disk_queue": max((value for _, value in points["queue"]), default=None)}
        short = percent < _FREE_PERCENT or (burst is not None and burst < _BURST_PERCENT)
        credit = "" if burst is None else f"; burst balance {burst:.0f} %"
        return Finding(
            status=FindingStatus.SUSPECT if short else FindingStatus.OK,
            summary=f"{params.database}: {free:.0f} of {allocated} GiB are free ({percent} %){credit}",
            facts=facts,
        )


class ReplicaLag(ProbeAction[ReplicaLagParams]):
    """Tells how far a replica is behind its primary, over the hour before `at` (`cloudwatch:GetMetricData`).

    Suspect when it is more than `most` behind, or does not replicate, which the metric says as -1. What is not
    replicated is lost if the replica is promoted. Unknown without data.
    """

    name = "cloudwatch.replica_lag"

    def observe(self, scope: Scope, params: ReplicaLagParams, at: datetime) -> Finding:
        points, facts = _observed(self, scope, params.database, _LAG, at)
        if not points["lag"]:
            return _silent(params.database, "how far it is behind", facts)
        when, latest = max(points["lag"])
        most = max(value for _, value in points["lag"])
        facts |= {"latest_seconds": latest, "latest_at": stamp_to_second(when), "maximum_seconds": most}
        stopped = latest < 0
        told = "does not replicate" if stopped else f"is {latest:g} s behind"
        return Finding(
            status=FindingStatus.SUSPECT if stopped or latest > params.most.total_seconds() else FindingStatus.OK,
            summary=f"{params.database} {told}, {short_time(when)}; at most {most:g} s in the last {spoken(_WINDOW)}",
            facts=facts,
        )


def _observed(
    probe: ProbeAction[Any], scope: Scope, database: str, metrics: Mapping[str, Metric], at: datetime
) -> tuple[dict[str, Points], dict[str, Any]]:
    """Read the hour before `at`, with the facts that stand in every finding on it."""
    identifier = scope.environment.databases[database].identifier
    window = (at - _WINDOW, at)
    points, complete = read(probe.clients.client("cloudwatch"), identifier, metrics, window, _PERIOD_SECONDS)
    facts = {"database": database, "complete": complete, "from": stamp_to_second(window[0]), "to": stamp_to_second(at)}
    return points, facts


def _silent(database: str, what: str, facts: dict[str, Any]) -> Finding:
    return Finding(
        status=FindingStatus.UNKNOWN,
        summary=f"{database}: CloudWatch says nothing of {what} in the last {spoken(_WINDOW)}",
        facts=facts,
    )
