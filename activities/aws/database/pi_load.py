"""Tell how busy a database is, by Performance Insights."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import DatabaseParams, ProbeAction, iam
from activities.aws.database.described_database import found
from activities.aws.shared.findings import suspect_if, unknown
from activities.aws.shared.pages import Pages
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.timestamps import short_time, stamp_to_second

_WINDOW = timedelta(minutes=30)
_LATE = timedelta(minutes=10)
"""Within which a minute may still be without its figure."""
_PAGES = 10


class DatabaseLoadParams(DatabaseParams):
    """Suspect when more than `sessions` were active on average in one of the newest minutes."""

    sessions: float = Field(default=8, gt=0)


class DatabaseLoad(ProbeAction[DatabaseLoadParams]):
    """Reads `db.load.avg` of half an hour, never SQL text. Unknown where it is off, or minutes of it are missing."""

    name = "pi.load"
    permissions = iam("pi:GetResourceMetrics", "rds:DescribeDBClusters DescribeDBInstances")

    def observe(self, scope: Scope, params: DatabaseLoadParams, at: datetime) -> Finding:
        instance = found(self.clients, scope.environment.databases[params.database]).instance
        if not instance.get("PerformanceInsightsEnabled"):
            return unknown(
                f"{params.database}: Performance Insights is off; enable-insights switches it on",
                {"database": params.database, "enabled": False},
            )
        pages = Pages(
            self.clients.client("pi").get_resource_metrics,
            most=_PAGES,
            ServiceType="RDS",
            Identifier=instance["DbiResourceId"],
            MetricQueries=[{"Metric": "db.load.avg"}],
            StartTime=at - _WINDOW,
            EndTime=at,
            PeriodInSeconds=60,
        )
        points = [point for metric in pages.items("MetricList") for point in metric["DataPoints"]]
        read = [(point["Timestamp"], point["Value"]) for point in points if point.get("Value") is not None]
        unread = sum(point.get("Value") is None and point["Timestamp"] < at - _LATE for point in points)
        facts: dict[str, Any] = {"database": params.database, "enabled": True, "datapoints": len(read)}
        facts |= {"unread": unread, "truncated": pages.truncated}
        if not read:
            return unknown(f"{params.database}: no load figures yet", facts)
        most, newest = max(value for _, value in read), max(when for when, _ in read)
        facts |= {"maximum": most, "newest_at": stamp_to_second(newest)}
        summary = f"{params.database}: at most {most:.1f} active sessions on average in half an hour"
        summary += f"; {unread} minutes without a figure" if unread else ""
        summary += "; there are more figures than were read" if pages.truncated else ""
        summary += f"; none since {short_time(newest)}" if newest < at - _LATE else ""
        unsure = unread or pages.truncated or newest < at - _LATE
        return suspect_if(most > params.sessions, summary, facts, unsure=unsure)
