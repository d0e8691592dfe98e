"""Tell how near a database is to the end of its connections."""

from datetime import datetime, timedelta
from typing import Any

from activities.action import DatabaseName, Params, Probe
from activities.aws.instants import clock, rfc3339
from domain.calls import Scope
from domain.durations import spoken
from domain.finding import Finding, FindingStatus

_WINDOW = timedelta(hours=1)
_PERIOD_SECONDS = 300
_SUSPECT_PERCENT = 80
_STATISTICS = {"maximum": "Maximum", "p95": "p95"}

Points = list[tuple[datetime, float]]


class DatabaseConnectionsParams(Params):
    database: DatabaseName


class DatabaseConnections(Probe[DatabaseConnectionsParams]):
    """Compares the connections of the hour before `at`, in 5-minute periods, with the instance's limit.

    Suspect from 80 % of `max_connections` on. It looks at the maximum and the 95th percentile, as an average hides
    spikes. Without data points it is unknown: that is not zero connections. Reads `cloudwatch:GetMetricData`.
    """

    name = "cloudwatch.database_connections"
    params = DatabaseConnectionsParams

    def observe(self, scope: Scope, params: DatabaseConnectionsParams, at: datetime) -> Finding:
        database = scope.environment.databases[params.database]
        points, complete = _read(self.clients.client("cloudwatch"), database.identifier, at)
        facts: dict[str, Any] = {
            "database": params.database,
            "max_connections": database.max_connections,
            "datapoints": len(points["maximum"]),
            "complete": complete,
            "from": rfc3339(at - _WINDOW),
            "to": rfc3339(at),
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
            "maximum_at": rfc3339(when),
            "latest": max(points["maximum"])[1],
            "p95": max((value for _, value in points["p95"]), default=None),
            "percent": percent,
        }
        full = 100 * most >= _SUSPECT_PERCENT * database.max_connections
        return Finding(
            status=FindingStatus.SUSPECT if full else FindingStatus.OK,
            summary=(
                f"{params.database}: at most {most:g} of {database.max_connections} connections ({percent} %) "
                f"in the last {spoken(_WINDOW)}, at {clock(when)}; {facts['latest']:g} at last"
            ),
            facts=facts,
        )


def _read(cloudwatch: Any, identifier: str, at: datetime) -> tuple[dict[str, Points], bool]:
    """Read every page; tell also whether CloudWatch calls the last of them complete."""
    points: dict[str, Points] = {name: [] for name in _STATISTICS}
    complete = dict.fromkeys(_STATISTICS, True)
    token: dict[str, str] = {}
    while True:
        page = cloudwatch.get_metric_data(
            MetricDataQueries=[_query(name, statistic, identifier) for name, statistic in _STATISTICS.items()],
            StartTime=at - _WINDOW,
            EndTime=at,
            **token,
        )
        for result in page["MetricDataResults"]:
            points[result["Id"]].extend(zip(result["Timestamps"], result["Values"], strict=True))
            complete[result["Id"]] = result.get("StatusCode", "Complete") == "Complete"
        if not page.get("NextToken"):
            return points, all(complete.values())
        token = {"NextToken": page["NextToken"]}


def _query(name: str, statistic: str, identifier: str) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/RDS",
                "MetricName": "DatabaseConnections",
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
            },
            "Period": _PERIOD_SECONDS,
            "Stat": statistic,
        },
    }
