"""Tell what a database's trouble comes from, and which change that speaks for or against."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from activities.action import Clients, DatabaseParams, ProbeAction, iam
from activities.aws.database.database_signs import Cause, Signs, Verdict, classify
from activities.aws.database.database_state import Standing, standing
from activities.aws.database.described_database import found
from activities.aws.database.postgres_log_files import Complaints, Stretch, complaints
from activities.aws.shared.cloudwatch_metrics import of_instance, read
from activities.aws.shared.findings import suspect_if, unknown
from domain.config.environment import Database
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.timestamps import stamp_to_second

_LATELY = timedelta(minutes=10)
_DAY = timedelta(days=1)
"""How far back a connection is looked for: an outage may last for hours, and who is idle by night is back by day."""
_SLOW = timedelta(seconds=1)
_ASKED = (Standing.SERVES, Standing.CHANGING)
"""How a database stands of which metrics and log are asked, too."""
_PERMISSIONS = iam(
    "cloudwatch:GetMetricData",
    "rds:DescribeDBClusters DescribeDBInstances DescribeDBLogFiles DownloadDBLogFilePortion",
)
_METRICS = {
    "connections": ("DatabaseConnections", "Maximum"),
    "cpu": ("CPUUtilization", "Average"),
    "free": ("FreeStorageSpace", "Minimum"),
}
_MISSING = {
    "connections": "its connections",
    "in_use": "whether anybody was connected before",
    "cpu_percent": "its processor",
    "free_percent": "its free storage",
    "log": "its log",
}
_FIGURES = ("connections", "cpu_percent", "free_percent")
_SHOWN_BY: dict[Cause, tuple[str, ...]] = {
    Cause.CPU: ("cpu_percent",),
    Cause.DOWN: ("connections", "in_use"),
    Cause.LOCK: ("log",),
    Cause.POOL: ("connections", "log"),
    Cause.STORAGE: ("free_percent",),
    Cause.UNCLEAR: tuple(_MISSING),
}
"""What would have shown each cause; without it nobody can say that it is another one."""


class CauseParams(DatabaseParams):
    """`cause` is the one asked about; with `suggests`, only where it speaks for that change step."""

    cause: Cause
    suggests: Literal["failover", "promote-replica", "resize-instance", "restart-application"] | None = None


class DatabaseClassification(ProbeAction[DatabaseParams]):
    """Says whether it is the pool, the processor, locks, storage, an instance that is down, or unclear.

    Reads the status, ten minutes of metrics up to `at`, when somebody was connected last, and the log; of one that does
    not serve, the status alone. Suspect unless unclear; unknown when that is for want of what would have told.
    """

    name = "database.classification"
    permissions = _PERMISSIONS

    def observe(self, scope: Scope, params: DatabaseParams, at: datetime) -> Finding:
        look = _look(self.clients, scope.environment.databases[params.database], at)
        verdict, facts = look.verdict, {"database": params.database} | look.facts()
        if verdict.cause is Cause.UNCLEAR and (lacks := look.lacking(Cause.UNCLEAR)):
            return unknown(f"{params.database}: unclear; nothing tells of {lacks}", facts)
        return suspect_if(
            verdict.cause is not Cause.UNCLEAR,
            f"{params.database}: {verdict.cause} - {verdict.why}{_advice(verdict)}",
            facts,
        )


class DatabaseCause(ProbeAction[CauseParams]):
    """Suspect exactly when the classification is `cause`: a step that changes can name as its reason.

    Reads what `database.classification` reads. Unknown when it is not, for want of what would have shown it: a gap in a
    metric is no zero, nor is a part of one, and a database that nobody was connected to all day may be idle.
    """

    name = "database.cause"
    permissions = _PERMISSIONS

    def observe(self, scope: Scope, params: CauseParams, at: datetime) -> Finding:
        look = _look(self.clients, scope.environment.databases[params.database], at)
        verdict = look.verdict
        facts = look.facts() | {"database": params.database, "asked": params.cause.value}
        if verdict.cause is not params.cause and (lacks := look.lacking(params.cause)):
            return unknown(f"{params.database}: {params.cause} or not, nothing tells of {lacks}", facts)
        meant = verdict.cause is params.cause and params.suggests in {None, verdict.suggests}
        answer = f"{verdict.cause}{_advice(verdict)}" if verdict.cause is params.cause else f"not {params.cause}"
        return suspect_if(meant, f"{params.database}: {answer}", facts)


@dataclass(frozen=True)
class _Look:
    """What was read and what follows from it; of a database that does not serve its log is not asked."""

    signs: Signs
    verdict: Verdict
    log: Complaints = field(default_factory=Complaints)
    partial: bool = False

    def facts(self) -> dict[str, Any]:
        read = {"unread": self.log.unread, "truncated": self.log.truncated or self.partial}
        until = {"connected_until": stamp_to_second(self.signs.connected_until)}
        return asdict(self.verdict) | asdict(self.signs) | until | read

    def lacking(self, cause: Cause) -> str:
        """Name what was not there of what would show a cause; nothing where the status alone says it all."""
        if standing(self.signs.status) not in _ASKED:
            return ""
        signs = self.signs
        shown = {name: not self.partial and getattr(signs, name) is not None for name in _FIGURES}
        shown |= {"log": self.log.whole, "in_use": signs.connections != 0 or signs.connected_until is not None}
        return " and ".join(_MISSING[name] for name in _SHOWN_BY[cause] if not shown[name])


def _look(clients: Clients, database: Database, at: datetime) -> _Look:
    place = found(clients, database)
    instance, limit = place.instance, database.max_connections
    status, identifier = place.worst_status, str(instance["DBInstanceIdentifier"])
    if standing(status) not in _ASKED:
        signs = Signs(status, place.has_standby, limit)
        return _Look(signs, classify(signs))
    points, complete = read(clients.client("cloudwatch"), of_instance(identifier, _METRICS), (at - _DAY, at), 60)
    since = at - _LATELY
    connected = [when for when, value in points["connections"] if when < since and value > 0]
    lately = {name: [value for when, value in one if when >= since] for name, one in points.items()}
    seen = complaints(clients.client("rds"), identifier, database.log, Stretch(since, at, _SLOW))
    free, most = lately["free"], max(lately["connections"], default=None)
    signs = Signs(
        status,
        place.has_standby,
        limit,
        connections=most if complete or most else None,  # none in a part of the figures is not none
        connected_until=max(connected, default=None),
        cpu_percent=sum(lately["cpu"]) / len(lately["cpu"]) if lately["cpu"] else None,
        free_percent=100 * min(free) / (int(instance["AllocatedStorage"]) * 1024**3) if free else None,
        refused=seen.slots,
        lock_waits=seen.locks,
    )
    return _Look(signs, classify(signs), seen, partial=not complete)


def _advice(verdict: Verdict) -> str:
    speaks_for = f"; speaks for {verdict.suggests}" if verdict.suggests else ""
    against = f"; against {', '.join(verdict.advises_against)}" if verdict.advises_against else ""
    return speaks_for + against
