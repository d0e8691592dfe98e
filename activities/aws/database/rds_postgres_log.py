"""Read the log that PostgreSQL writes on RDS, and count what it complains of; never what a statement says."""

from datetime import datetime, timedelta

from pydantic import Field

from activities.action import LoggedDatabaseName, Params, ProbeAction, iam, needed
from activities.aws.database.described_database import instance_name
from activities.aws.database.postgres_log_files import PREFIX, Complaints, Stretch, complaints
from activities.aws.shared.findings import plural
from activities.aws.shared.windows import Window
from domain.config.log_formats import DatabaseLog
from domain.model.calls import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken
from domain.values.timestamps import stamp_to_second


class PostgresLogParams(Params):
    """`slow` is from when on a statement counts as slow; fewer than `threshold` errors or slow ones are no suspect."""

    database: LoggedDatabaseName
    window: Duration = Field(default=timedelta(hours=1), gt=timedelta(0), le=timedelta(days=3))
    slow: Duration = Field(default=timedelta(seconds=1), gt=timedelta(0))
    threshold: int = Field(default=10, ge=1)


class PostgresLog(ProbeAction[PostgresLogParams]):
    """Counts errors, refused connections, lock waits and slow statements in the log of `window` up to `at`.

    Statements may hold personal information: only counts, times and the file names leave this probe. The files
    are `error/postgresql.log.<date>-<hour>`, kept three days, and read by the format that the environment declares;
    slow statements stand there only where `log_min_duration_statement` is set. `ok` only where all was understood.
    """

    name = "rds.postgres_log"
    permissions = iam("rds:DescribeDBClusters DescribeDBInstances DescribeDBLogFiles DownloadDBLogFilePortion")

    def observe(self, scope: Scope, params: PostgresLogParams, at: datetime) -> Finding:
        database = scope.environment.databases[params.database]
        declared = needed(database.log, scope.environment, f"databases.{params.database}.log")
        window = Window.before(at, params.window)
        stretch = Stretch(window.start, window.end, params.slow)
        identifier = instance_name(self.clients, database)
        seen = complaints(self.clients.client("rds"), identifier, declared, stretch)
        return Finding(
            status=_status(seen, declared, params.threshold),
            summary=_summary(params, declared, seen),
            facts={
                "database": params.database,
                "files": seen.files,
                "entries": seen.entries,
                "unread": seen.unread,
                "errors": seen.errors,
                "panics": seen.panics,
                "connections_refused": seen.slots,
                "lock_waits": seen.locks,
                "slow_statements": seen.slow,
                "slowest_ms": seen.slowest_ms,
                "first_at": stamp_to_second(seen.first),
                "last_at": stamp_to_second(seen.last),
                "truncated": seen.truncated,
                **window.facts(),
            },
            evidence=window.of(f"{identifier}:{PREFIX}"),
        )


def _mute(declared: DatabaseLog) -> bool:
    """Whether errors say neither in English nor by a code what they are: refused connections would not be seen."""
    return bool(declared.severities) and declared.format == "postgres" and "%e" not in declared.prefix


def _status(seen: Complaints, declared: DatabaseLog, threshold: int) -> FindingStatus:
    if seen.panics or seen.slots or seen.locks or max(seen.errors, seen.slow) >= threshold:
        return FindingStatus.SUSPECT
    return FindingStatus.OK if seen.whole and not _mute(declared) else FindingStatus.UNKNOWN


def _summary(params: PostgresLogParams, declared: DatabaseLog, seen: Complaints) -> str:
    window = f"the last {spoken(params.window)}"
    if not seen.files:
        return f"{params.database}: no log file of format {declared.format} was written in {window}"
    least = "at least " if seen.truncated else ""
    slow = plural(seen.slow, "slow statement") + (f", the slowest {seen.slowest_ms / 1000:.1f} s" if seen.slow else "")
    told = "; there is more to read" if seen.truncated else ""
    told += f"; {seen.unread} lines are not understood" if seen.unread else ""
    told += "" if seen.entries or seen.unread else "; the files hold nothing of this time"
    told += (
        "; log_line_prefix has no %e, without which refusals are not told from other errors" if _mute(declared) else ""
    )
    return (
        f"{params.database}: {least}{plural(seen.errors, 'error')} in the log of {window}, "
        f"{seen.slots} of them refused connections; {plural(seen.locks, 'lock wait')}; {slow}{told}"
    )
