"""Tell how busy a database is, by Performance Insights."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import DatabaseName, Params, ProbeAction, iam
from activities.aws.database.rds_status import described
from activities.aws.shared.findings import suspect_if, unknown
from domain.model.activity_io import Scope
from domain.model.finding import Finding

_WINDOW = timedelta(minutes=30)


class DatabaseLoadParams(Params):
    """Suspect when more than `sessions` were active on average in one of the newest minutes."""

    database: DatabaseName
    sessions: float = Field(default=8, gt=0)


class DatabaseLoad(ProbeAction[DatabaseLoadParams]):
    """Reads `db.load.avg` of half an hour, never SQL text. Unknown where it is off."""

    name = "pi.load"
    permissions = iam("pi:GetResourceMetrics", "rds:DescribeDBInstances")

    def observe(self, scope: Scope, params: DatabaseLoadParams, at: datetime) -> Finding:
        instance = described(self.clients, scope.environment.databases[params.database].identifier)
        if not instance.get("PerformanceInsightsEnabled"):
            return unknown(
                f"{params.database}: Performance Insights is off; enable-insights switches it on",
                {"database": params.database, "enabled": False},
            )
        answer = self.clients.client("pi").get_resource_metrics(
            ServiceType="RDS",
            Identifier=instance["DbiResourceId"],
            MetricQueries=[{"Metric": "db.load.avg"}],
            StartTime=at - _WINDOW,
            EndTime=at,
            PeriodInSeconds=60,
        )
        points = [point for metric in answer["MetricList"] for point in metric["DataPoints"]]
        values = [point["Value"] for point in points if point.get("Value") is not None]
        facts: dict[str, Any] = {"database": params.database, "enabled": True, "datapoints": len(values)}
        if not values:
            return unknown(f"{params.database}: no load figures yet", facts)
        facts["maximum"] = most = max(values)
        summary = f"{params.database}: at most {most:.1f} active sessions on average in half an hour"
        return suspect_if(most > params.sessions, summary, facts)
