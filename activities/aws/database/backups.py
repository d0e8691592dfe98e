"""Tell whether backups come about: how far a database can be restored to, and which jobs failed."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import DatabaseName, Params, Probe
from activities.aws.database.rds_status import described
from activities.aws.shared.finding_times import clock, optional
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken

_BAD = ("FAILED", "ABORTED", "EXPIRED", "PARTIAL")
_PAGES = 20


class BackupsParams(Params):
    """Suspect from `lag` on, and where backups are kept for fewer than `days`; RDS ships logs every five minutes."""

    database: DatabaseName
    lag: Duration = Field(default=timedelta(minutes=30), gt=timedelta(0))
    days: int = Field(default=7, ge=1)


class Backups(Probe[BackupsParams]):
    """Reads the latest time that an instance can be restored to, and how long backups are kept.

    `rds:DescribeDBInstances`; raises `DBInstanceNotFound`, which is final, and botocore's transient errors.
    """

    name = "rds.backups"
    params = BackupsParams

    def observe(self, scope: Scope, params: BackupsParams, at: datetime) -> Finding:
        instance = described(self.clients.client("rds"), scope.environment.databases[params.database].identifier)
        latest: datetime | None = instance.get("LatestRestorableTime")
        days = int(instance.get("BackupRetentionPeriod", 0))
        told = []
        if not days:
            told.append("automated backups are off")
        elif days < params.days:
            told.append(f"backups are kept for {days} days, not {params.days}")
        if latest is None:
            told.append("it can be restored to no point in time")
        elif latest < at - params.lag:
            told.append(f"nothing after that can be restored, for more than {spoken(params.lag)}")
        until = f"can be restored up to {clock(latest)}" if latest else "has no backup"
        return Finding(
            status=FindingStatus.SUSPECT if told else FindingStatus.OK,
            summary="; ".join([f"{params.database} {until}", *told]),
            facts={
                "database": params.database,
                "restorable_at": optional(latest),
                "lag_seconds": round((at - latest).total_seconds()) if latest else None,
                "retention_days": days,
            },
        )


class FailedJobsParams(Params):
    """`window` ends at the look; AWS Backup keeps jobs for 30 days."""

    window: Duration = Field(default=timedelta(days=2), gt=timedelta(0), le=timedelta(days=30))


class FailedJobs(Probe[FailedJobsParams]):
    """Counts jobs of AWS Backup that did not end well, by state and kind of resource (`backup:ListBackupJobs`)."""

    name = "backup.failed_jobs"
    params = FailedJobsParams

    def observe(self, scope: Scope, params: FailedJobsParams, at: datetime) -> Finding:  # noqa: ARG002
        backup = self.clients.client("backup")
        jobs: list[dict[str, Any]] = []
        truncated = False
        for state in _BAD:
            found, more = _jobs(backup, {"ByState": state, "ByCreatedAfter": at - params.window})
            jobs += found
            truncated = truncated or more
        states = Counter(job["State"] for job in jobs)
        last = max((job["CreationDate"] for job in jobs), default=None)
        told = ", ".join(f"{count} {state.lower()}" for state, count in states.most_common())
        window = f"in the last {spoken(params.window)}"
        return Finding(
            status=FindingStatus.SUSPECT if jobs else FindingStatus.OK,
            summary=f"backup jobs {window}: {told}, the last {clock(last)}" if last else f"no job failed {window}",
            facts={
                "count": len(jobs),
                "states": dict(states),
                "resources": dict(Counter(job.get("ResourceType", "unknown") for job in jobs)),
                "last_at": optional(last),
                "truncated": truncated,
            },
        )


def _jobs(backup: Any, ask: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    jobs: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        page = backup.list_backup_jobs(**ask, **token)
        jobs += page["BackupJobs"]
        if not page.get("NextToken"):
            return jobs, False
        token = {"NextToken": page["NextToken"]}
    return jobs, True
