"""Tell how near a database is to the end of its connections."""

from datetime import datetime, timedelta
from typing import Any

from activities.action import DatabaseName, Params, ProbeAction
from activities.aws.database.rds_metrics import Metric, read
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import spoken
from domain.values.timestamps import short_time, stamp_to_second

_WINDOW = timedelta(hours=1)
_PERIOD_SECONDS = 300
_SUSPECT_PERCENT = 80
_METRICS = {
    "maximum": Metric("DatabaseConnections", "Maximum"),
    "p95": Metric("DatabaseConnections", "p95"),
}


class DatabaseConnectionsParams(Params):
    database: DatabaseName


class DatabaseConnections(ProbeAction[DatabaseConnectionsParams]):
    """Compares the connections of the hour before `at`, in 5-minute periods, with the instance's limit.

    Suspect from 80 % of `max_connections` on. It looks at the maximum and the 95th percentile, as an average hides
    spikes. Without data points it is unknown: that is not zero connections. Reads `cloudwatch:GetMetricData`.
    """

    name = "cloudwatch.database_connections"

    def observe(self, scope: Scope, params: DatabaseConnectionsParams, at: datetime) -> Finding:
        database = scope.environment.databases[params.database]
        cloudwatch, window = self.clients.client("cloudwatch"), (at - _WINDOW, at)
        points, complete = read(cloudwatch, database.identifier, _METRICS, window, _PERIOD_SECONDS)
        facts: dict[str, Any] = {
            "database": params.database,
            "max_connections": database.max_connections,
            "datapoints": len(points["maximum"]),
            "complete": complete,
            "from": stamp_to_second(at - _WINDOW),
            "to": stamp_to_second(at),
        }
        if not points["maximum"]:
            return Finding(
                status=FindingStatus.UNKNOWN,
                summary=f"{params.database}: CloudWatch has no connection counts of the last {spoken(_WINDOW)}",
                facts=facts,
            )
        when, most = max(points["maximum"], key=lambda point: point[1])
        percent = round(100 * most / database.max_connections)
        facts |= {
            "maximum": most,
            "maximum_at": stamp_to_second(when),
            "latest": max(points["maximum"])[1],
            "p95": max((value for _, value in points["p95"]), default=None),
            "percent": percent,
        }
        full = 100 * most >= _SUSPECT_PERCENT * database.max_connections
        return Finding(
            status=FindingStatus.SUSPECT if full else FindingStatus.OK,
            summary=(
                f"{params.database}: at most {most:g} of {database.max_connections} connections ({percent} %) "
                f"in the last {spoken(_WINDOW)}, at {short_time(when)}; {facts['latest']:g} at last"
            ),
            facts=facts,
        )
