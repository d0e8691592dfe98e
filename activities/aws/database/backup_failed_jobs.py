"""Tell which jobs of AWS Backup failed."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_BAD = ("FAILED", "ABORTED", "EXPIRED", "PARTIAL")
_PAGES = 20


class FailedJobsParams(Params):
    """`window` ends at the look; AWS Backup keeps jobs for 30 days."""

    window: Duration = Field(default=timedelta(days=2), gt=timedelta(0), le=timedelta(days=30))


class FailedJobs(ProbeAction[FailedJobsParams]):
    """Counts jobs of AWS Backup that did not end well, by state and kind of resource (`backup:ListBackupJobs`)."""

    name = "backup.failed_jobs"

    def observe(self, scope: Scope, params: FailedJobsParams, at: datetime) -> Finding:
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
            summary=f"backup jobs {window}: {told}, the last {short_time(last)}" if last else f"no job failed {window}",
            facts={
                "count": len(jobs),
                "states": dict(states),
                "resources": dict(Counter(job.get("ResourceType", "unknown") for job in jobs)),
                "last_at": stamp_to_second(last),
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
