"""Tell which jobs of AWS Backup failed."""

from collections import Counter
from datetime import datetime, timedelta

from pydantic import Field

from activities.action import Params, ProbeAction, iam
from activities.aws.shared.findings import suspect_if, unknown
from activities.aws.shared.pages import Pages
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_BAD = ("FAILED", "ABORTED", "EXPIRED", "PARTIAL")
_DONE = "COMPLETED"
_PAGES = 20


class FailedJobsParams(Params):
    """`window` ends at the look; AWS Backup keeps jobs for 30 days."""

    window: Duration = Field(default=timedelta(days=2), gt=timedelta(0), le=timedelta(days=30))


class FailedJobs(ProbeAction[FailedJobsParams]):
    """Counts jobs of AWS Backup that did not end well, by state and kind of resource.

    Without a failed one it asks whether any was completed: where no job ran at all, none could fail, which is unknown.
    """

    name = "backup.failed_jobs"
    permissions = iam("backup:ListBackupJobs")

    def observe(self, scope: Scope, params: FailedJobsParams, at: datetime) -> Finding:
        # AWS Backup takes one state a question
        asked = [self._jobs(state, at - params.window) for state in _BAD]
        listed = [job for pages in asked for job in pages.items("BackupJobs")]
        jobs = [job for job in listed if job.get("State") in _BAD]
        truncated, unread = any(pages.truncated for pages in asked), len(listed) - len(jobs)
        completed = bool(jobs) or any(self._jobs(_DONE, at - params.window).items("BackupJobs"))
        states = Counter(job["State"] for job in jobs)
        last = max((job["CreationDate"] for job in jobs if "CreationDate" in job), default=None)
        counts = ", ".join(f"{count} {state.lower()}" for state, count in states.most_common())
        window = f"in the last {spoken(params.window)}"
        facts = {
            "count": len(jobs),
            "states": dict(states),
            "resources": dict(Counter(job.get("ResourceType", "unknown") for job in jobs)),
            "last_at": stamp_to_second(last),
            "unread": unread,
            "truncated": truncated,
        }
        when = f", the last {short_time(last)}" if last else ""
        summary = f"jobs {window}: {counts}{when}" if jobs else f"no job failed {window}"
        summary += f"; {unread} could not be read" if unread else ""
        summary += "; there are more than were read" if truncated else ""
        if not completed:
            return unknown(f"{summary}; and none was completed: are there any?", facts)
        return suspect_if(jobs, summary, facts, unsure=unread or truncated)

    def _jobs(self, state: str, since: datetime) -> Pages:
        return Pages(self.clients.client("backup").list_backup_jobs, most=_PAGES, ByState=state, ByCreatedAfter=since)
