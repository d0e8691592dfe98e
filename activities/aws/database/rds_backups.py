"""Tell how far back a database can be restored."""

from datetime import datetime, timedelta

from pydantic import Field

from activities.action import DatabaseParams, ProbeAction, iam
from activities.aws.database.described_database import found
from activities.aws.shared.findings import suspect_if
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second


class BackupsParams(DatabaseParams):
    """Suspect from `lag` on, and where backups are kept for fewer than `days`; RDS ships logs every five minutes."""

    lag: Duration = Field(default=timedelta(minutes=30), gt=timedelta(0))
    days: int = Field(default=7, ge=1)


class Backups(ProbeAction[BackupsParams]):
    """Reads the latest time that a database can be restored to, and how long backups are kept: a cluster's own."""

    name = "rds.backups"
    permissions = iam("rds:DescribeDBClusters DescribeDBInstances")

    def observe(self, scope: Scope, params: BackupsParams, at: datetime) -> Finding:
        place = found(self.clients, scope.environment.databases[params.database])
        kept = place.cluster or place.instance
        latest: datetime | None = kept.get("LatestRestorableTime")
        days = int(kept.get("BackupRetentionPeriod", 0))
        troubles = []
        if not days:
            troubles.append("automated backups are off")
        elif days < params.days:
            troubles.append(f"backups are kept for {days} days, not {params.days}")
        if latest is None:
            troubles.append("it can be restored to no point in time")
        elif latest < at - params.lag:
            troubles.append(f"nothing after that can be restored, for more than {spoken(params.lag)}")
        until = f"can be restored up to {short_time(latest)}" if latest else "has no backup"
        return suspect_if(
            troubles,
            "; ".join([f"{params.database} {until}", *troubles]),
            {
                "database": params.database,
                "restorable_at": stamp_to_second(latest),
                "lag_seconds": round((at - latest).total_seconds()) if latest else None,
                "retention_days": days,
            },
        )
