"""Read the log that PostgreSQL writes on RDS, and count what it complains of; never what a statement says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import DatabaseName, Params, ProbeAction, iam
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus
from domain.values.durations import Duration, spoken
from domain.values.timestamps import stamp_to_second

_PREFIX = "error/postgresql.log"
_PORTIONS = 30
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC:.*?:\[\d+\]:([A-Z]+\d?):\s+(.*)")
_DURATION = re.compile(r"duration: (\d+(?:\.\d+)?) ms")
_SLOTS = ("remaining connection slots are reserved", "sorry, too many clients already", "too many connections for")
_LOCKS = ("deadlock detected", "still waiting for", "canceling statement due to lock timeout")


@dataclass
class Complaints:
    """What a stretch of the log holds, in lines; `truncated` tells that there was more to read."""

    files: int = 0
    errors: int = 0
    panics: int = 0
    slots: int = 0
    locks: int = 0
    slow: int = 0
    slowest_ms: float = 0
    first: datetime | None = None
    last: datetime | None = None
    truncated: bool = False

    def take(self, line: str, since: datetime, until: datetime, slow: timedelta) -> None:
        """Count one line; continuation lines, which may hold a statement, and lines of other times count nothing."""
        found = _LINE.match(line)
        if not found:
            return
        moment = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        if not since <= moment <= until:
            return
        level, text = found[2], found[3]
        duration = _DURATION.match(text) if level == "LOG" else None
        is_slow = duration is not None and float(duration[1]) >= slow / timedelta(milliseconds=1)
        is_slots = level in {"FATAL", "ERROR"} and text.startswith(_SLOTS)
        is_lock = level in {"ERROR", "LOG"} and any(term in text for term in _LOCKS) and not duration
        is_error = level in {"ERROR", "FATAL", "PANIC"}
        self.errors += is_error
        self.panics += level == "PANIC"
        self.slots += is_slots
        self.locks += is_lock
        self.slow += is_slow
        if duration is not None and is_slow:
            self.slowest_ms = max(self.slowest_ms, float(duration[1]))
        if is_error or is_lock or is_slow:
            self.first = min(self.first or moment, moment)
            self.last = max(self.last or moment, moment)


class PostgresLogParams(Params):
    """`slow` is from when on a statement counts as slow; fewer than `threshold` errors or slow ones are no suspect."""

    database: DatabaseName
    window: Duration = Field(default=timedelta(hours=1), gt=timedelta(0), le=timedelta(days=3))
    slow: Duration = Field(default=timedelta(seconds=1), gt=timedelta(0))
    threshold: int = Field(default=10, ge=1)


class PostgresLog(ProbeAction[PostgresLogParams]):
    """Counts errors, refused connections, lock waits and slow statements in the log of `window` up to `at`.

    Statements may hold personal information: only counts, times and the file names leave this probe. The files
    are `error/postgresql.log.<date>-<hour>`, kept three days; slow statements stand there only where
    `log_min_duration_statement` is set. Reads at most 30 portions; `truncated` then says that there is more. Unknown
    where no file was written.
    """

    name = "rds.postgres_log"
    permissions = iam("rds:DescribeDBLogFiles DownloadDBLogFilePortion")

    def observe(self, scope: Scope, params: PostgresLogParams, at: datetime) -> Finding:
        identifier = scope.environment.databases[params.database].identifier
        window = Window.before(at, params.window)
        seen = complaints(self.clients.client("rds"), identifier, window.start, window.end, params.slow)
        return Finding(
            status=_status(seen, params.threshold),
            summary=_summary(params, seen),
            facts={
                "database": params.database,
                "files": seen.files,
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
            evidence=window.of(f"{identifier}:{_PREFIX}"),
        )


def complaints(rds: Any, identifier: str, since: datetime, until: datetime, slow: timedelta) -> Complaints:
    """Read the log files written to since `since`, the newest first, and count what they complain of."""
    names = _written_since(rds, identifier, since)
    seen, left = Complaints(files=len(names)), _PORTIONS
    for name in names:
        rest = ""
        for portion in _portions(rds, identifier, name):
            if left == 0:
                seen.truncated = True
                return seen
            left -= 1
            *lines, rest = (rest + (portion.get("LogFileData") or "")).split("\n")
            for line in lines:
                seen.take(line, since, until, slow)
        seen.take(rest, since, until, slow)
    return seen


def _written_since(rds: Any, identifier: str, since: datetime) -> list[str]:
    """Name the log files that were written to since then, newest first.

    AWS could filter by name and time; it is done here, so that nothing depends on how it reads a filter.
    """
    pages = Pages(rds.describe_db_log_files, cursor="Marker", DBInstanceIdentifier=identifier)
    wanted = [
        (one["LastWritten"], one["LogFileName"])
        for one in pages.items("DescribeDBLogFiles")
        if one["LogFileName"].startswith(_PREFIX) and one["LastWritten"] >= since.timestamp() * 1000
    ]
    return [name for _, name in sorted(wanted, reverse=True)]


def _portions(rds: Any, identifier: str, name: str) -> Iterator[dict[str, Any]]:
    """Download a file from its beginning; without a marker AWS gives the end of it alone."""
    marker = "0"
    while True:
        portion = rds.download_db_log_file_portion(DBInstanceIdentifier=identifier, LogFileName=name, Marker=marker)
        yield portion
        if not portion.get("AdditionalDataPending") or not portion.get("Marker"):
            return
        marker = portion["Marker"]


def _status(seen: Complaints, threshold: int) -> FindingStatus:
    if seen.panics or seen.slots or seen.locks or max(seen.errors, seen.slow) >= threshold:
        return FindingStatus.SUSPECT
    return FindingStatus.OK if seen.files and not seen.truncated else FindingStatus.UNKNOWN


def _summary(params: PostgresLogParams, seen: Complaints) -> str:
    window = f"the last {spoken(params.window)}"
    if not seen.files:
        return f"{params.database}: no log file was written in {window}"
    least = "at least " if seen.truncated else ""
    slow = f"{seen.slow} slow statements" + (f", the slowest {seen.slowest_ms / 1000:.1f} s" if seen.slow else "")
    return (
        f"{params.database}: {least}{seen.errors} errors in the log of {window}, "
        f"{seen.slots} of them refused connections; {seen.locks} lock waits; {slow}"
    )
