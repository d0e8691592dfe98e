"""Tell how a database instance fares: processor, connections, storage, and how far a replica is behind.

Each looks at the hour before `at`, in periods of five minutes (`cloudwatch:GetMetricData`); of a cluster, at its
writer's metrics. Without data a finding is unknown, and so it is where the newest figures are old, or not all were
answered: no figures are not good figures.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import DatabaseParams, ProbeAction, iam
from activities.aws.database.described_database import found, instance_name
from activities.aws.shared.cloudwatch_metrics import Points, of_instance, read
from activities.aws.shared.findings import suspect_if, unknown
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_WINDOW = timedelta(hours=1)
_FRESH = timedelta(minutes=15)
"""How old the newest period may be: five minutes long, and RDS sends its metrics some minutes late."""
_PERIOD_SECONDS = 300
_BUSY_PERCENT = 80
_FULL_PERCENT = 80
_FREE_PERCENT = 10
_BURST_PERCENT = 20
_BURSTS_BELOW_GIB = 4000
"""A gp2 volume of so much has no burst: its baseline is higher (RDS user guide, "General Purpose SSD storage")."""
_CPU = {"maximum": ("CPUUtilization", "Maximum"), "p95": ("CPUUtilization", "p95")}
_CONNECTIONS = {"maximum": ("DatabaseConnections", "Maximum"), "p95": ("DatabaseConnections", "p95")}
_STORAGE = {
    "free": ("FreeStorageSpace", "Minimum"),
    "burst": ("BurstBalance", "Minimum"),
    "queue": ("DiskQueueDepth", "Maximum"),
}
_LAG = {"lag": ("ReplicaLag", "Maximum")}
_GIB = 1024**3
_PERMISSIONS = iam("cloudwatch:GetMetricData", "rds:DescribeDBClusters DescribeDBInstances")


class ReplicaLagParams(DatabaseParams):
    """`most` is how far behind is still usual: an idle PostgreSQL primary lets the figure climb to five minutes."""

    most: Duration = Field(default=timedelta(minutes=5), gt=timedelta(0))


class DatabaseCpu(ProbeAction[DatabaseParams]):
    """Looks at the processor.

    Suspect when the 95th percentile of a period reaches 80 %; a spike of a minute is none.
    """

    name = "cloudwatch.database_cpu"
    permissions = _PERMISSIONS

    def observe(self, scope: Scope, params: DatabaseParams, at: datetime) -> Finding:
        points, facts = _observed(self, scope, params.database, _CPU, at)
        if not points["p95"]:
            return _silent(params.database, "its processor", facts)
        when, busiest = max(points["p95"], key=lambda point: point[1])
        latest = points["p95"][-1][1]
        facts |= {"p95": busiest, "p95_at": stamp_to_second(when), "latest": latest}
        facts |= {"maximum": _most(points["maximum"])}
        summary = (
            f"{params.database}: the processor was at most {busiest:.0f} % busy in the last "
            f"{spoken(_WINDOW)}, at {short_time(when)}; {latest:.0f} % at last"
        )
        return _judged(busiest >= _BUSY_PERCENT, summary, facts, points["p95"], at)


class DatabaseConnections(ProbeAction[DatabaseParams]):
    """Compares connections with the instance's limit.

    Suspect from 80 % of `max_connections` on. It looks at the maximum and the 95th percentile, as an average hides
    spikes.
    """

    name = "cloudwatch.database_connections"
    permissions = _PERMISSIONS

    def observe(self, scope: Scope, params: DatabaseParams, at: datetime) -> Finding:
        points, facts = _observed(self, scope, params.database, _CONNECTIONS, at)
        limit = scope.environment.databases[params.database].max_connections
        facts |= {"max_connections": limit, "datapoints": len(points["maximum"])}
        if not points["maximum"]:
            return _silent(params.database, "its connections", facts)
        when, most = max(points["maximum"], key=lambda point: point[1])
        latest, percent = points["maximum"][-1][1], round(100 * most / limit)
        facts |= {"maximum": most, "maximum_at": stamp_to_second(when), "latest": latest}
        facts |= {"p95": _most(points["p95"]), "percent": percent}
        summary = (
            f"{params.database}: at most {most:g} of {limit} connections ({percent} %) "
            f"in the last {spoken(_WINDOW)}, at {short_time(when)}; {latest:g} at last"
        )
        return _judged(100 * most >= _FULL_PERCENT * limit, summary, facts, points["maximum"], at)


class DatabaseStorage(ProbeAction[DatabaseParams]):
    """Compares free with allocated storage, and looks at burst credits and the disk queue.

    Suspect under 10 % free, or under 20 % of the burst balance where the volume has one. A gp2 volume has, and nothing
    is well without the newest figure of it.
    """

    name = "cloudwatch.database_storage"
    permissions = _PERMISSIONS

    def observe(self, scope: Scope, params: DatabaseParams, at: datetime) -> Finding:
        instance = found(self.clients, scope.environment.databases[params.database]).instance
        allocated = int(instance["AllocatedStorage"])
        points, facts = _observed(self, scope, params.database, _STORAGE, at)
        if not points["free"]:
            return _silent(params.database, "its free storage", facts)
        free = points["free"][-1][1] / _GIB
        percent = round(100 * free / allocated)
        burst = points["burst"][-1][1] if points["burst"] else None
        facts |= {"free_gib": round(free, 1), "allocated_gib": allocated, "free_percent": percent}
        facts |= {"burst_balance": burst, "disk_queue": _most(points["queue"])}
        credit = "" if burst is None else f"; burst balance {burst:.0f} %"
        summary = f"{params.database}: {free:.0f} of {allocated} GiB are free ({percent} %){credit}"
        scarce = percent < _FREE_PERCENT or (burst is not None and burst < _BURST_PERCENT)
        bursts = instance.get("StorageType") == "gp2" and allocated < _BURSTS_BELOW_GIB
        if bursts and burst is None and not scarce:
            return _silent(params.database, "its burst balance", facts)
        shown = [points["free"], *([points["burst"]] if bursts and points["burst"] else [])]
        return _judged(scarce, summary, facts, min(shown, key=lambda one: one[-1][0]), at)


class ReplicaLag(ProbeAction[ReplicaLagParams]):
    """Tells how far a replica is behind its primary.

    Suspect when it is more than `most` behind, or does not replicate, which the metric says as -1. What is not
    replicated is lost if the replica is promoted.
    """

    name = "cloudwatch.replica_lag"
    permissions = _PERMISSIONS

    def observe(self, scope: Scope, params: ReplicaLagParams, at: datetime) -> Finding:
        points, facts = _observed(self, scope, params.database, _LAG, at)
        if not points["lag"]:
            return _silent(params.database, "how far it is behind", facts)
        (when, latest), most = points["lag"][-1], max(value for _, value in points["lag"])
        facts |= {"latest_seconds": latest, "latest_at": stamp_to_second(when), "maximum_seconds": most}
        stopped = latest < 0
        state = "does not replicate" if stopped else f"is {latest:g} s behind"
        summary = f"{params.database} {state}, {short_time(when)}; at most {most:g} s in the last {spoken(_WINDOW)}"
        return _judged(stopped or latest > params.most.total_seconds(), summary, facts, points["lag"], at)


def _observed(
    probe: ProbeAction[Any], scope: Scope, database: str, metrics: Mapping[str, tuple[str, str]], at: datetime
) -> tuple[dict[str, Points], dict[str, Any]]:
    """Read the hour before `at`, with the facts that stand in every finding on it."""
    queries = of_instance(instance_name(probe.clients, scope.environment.databases[database]), metrics)
    window = Window.before(at, _WINDOW)
    points, complete = read(probe.clients.client("cloudwatch"), queries, window, _PERIOD_SECONDS)
    return points, {"database": database, "truncated": not complete, **window.facts()}


def _judged(suspect: bool, summary: str, facts: dict[str, Any], points: Points, at: datetime) -> Finding:
    """Trouble that was seen is trouble, however much is missing; all well is only what was seen until now."""
    newest = points[-1][0]
    facts["newest_at"] = stamp_to_second(newest)
    if facts["truncated"]:
        summary += "; CloudWatch did not answer all of its figures"
    if newest < at - _FRESH:
        summary += f"; no figures since {short_time(newest)}"
    return suspect_if(suspect, summary, facts, unsure=facts["truncated"] or newest < at - _FRESH)


def _most(points: Points) -> float | None:
    return max((value for _, value in points), default=None)


def _silent(database: str, what: str, facts: dict[str, Any]) -> Finding:
    return unknown(f"{database}: CloudWatch has no figures of {what} in the last {spoken(_WINDOW)}", facts)
