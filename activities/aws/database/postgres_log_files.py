"""The files of PostgreSQL's log on RDS: read by the format that the environment declares, and counted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from activities.aws.shared.pages import Pages
from domain.config.log_formats import DatabaseLog
from domain.rules.log_lines import Line, Unread, read_line

PREFIX = "error/postgresql.log"
_CSV = ".csv"
_PORTIONS = 30
_PORTION_BYTES = 1_000_000
_LAST_LINES = 10_000
_DURATION = re.compile(r"[^\W\d_]+ ?: (\d+(?:\.\d+)?) ms\b")
_SLOTS_CODES, _LOCKS_CODES = {"53300"}, {"40P01", "55P03"}
_SLOTS = ("remaining connection slots are reserved", "sorry, too many clients already", "too many connections for")
_LOCKS = ("deadlock detected", "still waiting for", "canceling statement due to lock timeout")
_ROW_BEGINS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \S+,")


@dataclass
class Complaints:
    """What a stretch of the log holds. `entries` were understood and lie within it; `unread` were not understood.

    `truncated` tells that there was more to read.
    """

    files: int = 0
    entries: int = 0
    unread: int = 0
    errors: int = 0
    panics: int = 0
    slots: int = 0
    locks: int = 0
    slow: int = 0
    slowest_ms: float = 0
    first: datetime | None = None
    last: datetime | None = None
    truncated: bool = False

    @property
    def whole(self) -> bool:
        """Whether all of it was read and understood, and there was something."""
        return self.entries > 0 and not self.unread and not self.truncated

    def take(self, line: Line, slow: timedelta) -> None:
        """Count one entry, by its SQLSTATE where it has one, else by PostgreSQL's English words."""
        code, text = line.fields.get("sqlstate"), str(line.fields.get("message"))
        duration = _DURATION.match(text) if line.level == "LOG" else None
        is_slow = duration is not None and float(duration[1]) >= slow / timedelta(milliseconds=1)
        is_slots = line.error and (code in _SLOTS_CODES or text.startswith(_SLOTS))
        says_locks = line.level in {"ERROR", "LOG"} and any(term in text for term in _LOCKS) and not duration
        is_lock = code in _LOCKS_CODES or says_locks
        self.entries += 1
        self.errors += line.error
        self.panics += line.level == "PANIC"
        self.slots += is_slots
        self.locks += is_lock
        self.slow += is_slow
        if duration is not None and is_slow:
            self.slowest_ms = max(self.slowest_ms, float(duration[1]))
        if line.at is not None and (line.error or is_lock or is_slow):
            self.first, self.last = min(self.first or line.at, line.at), max(self.last or line.at, line.at)


class Stretch(NamedTuple):
    """From when to when, both included, and from when on a statement is slow."""

    since: datetime
    until: datetime
    slow: timedelta


def complaints(rds: Any, identifier: str, declared: DatabaseLog | None, stretch: Stretch) -> Complaints:
    """Read the log files of the declared format that were written to since then, and count what they complain of.

    The newest come first, each from its beginning while thirty portions last; of a file that is too big for them its
    end is read, the newest 10,000 lines. Nothing is read where no format is declared (`rds:DescribeDBLogFiles`,
    `DownloadDBLogFilePortion`).
    """
    seen, left = Complaints(), _PORTIONS
    if declared is None:
        return seen
    files = _written_since(rds, identifier, declared, stretch.since)
    seen.files = len(files)
    for file in files:
        if left == 0:
            seen.truncated = True
            break
        where = {"DBInstanceIdentifier": identifier, "LogFileName": file["LogFileName"]}
        too_big = file.get("Size", 0) > left * _PORTION_BYTES
        first = {"NumberOfLines": _LAST_LINES} if too_big else {"Marker": "0"}
        portions = _Portions(rds, where, left, first)
        (_take_end if too_big else _take_file)(portions, declared, stretch, seen)
        left -= portions.asked
        if seen.truncated:
            break
    return seen


def _written_since(rds: Any, identifier: str, declared: DatabaseLog, since: datetime) -> list[dict[str, Any]]:
    """The files of the format that were written to since then, newest first.

    AWS could filter by name and time; it is done here, so that nothing depends on how it reads a filter. A csvlog is
    written beside the usual files, under names that end in `.csv` (RDS user guide, "Parameters that affect logging").
    """
    pages = Pages(rds.describe_db_log_files, cursor="Marker", DBInstanceIdentifier=identifier)
    wanted = [
        one
        for one in pages.items("DescribeDBLogFiles")
        if is_of(declared, one["LogFileName"]) and one["LastWritten"] >= since.timestamp() * 1000
    ]
    return sorted(wanted, key=lambda one: (one["LastWritten"], one["LogFileName"]), reverse=True)


def is_of(declared: DatabaseLog, name: str) -> bool:
    """Whether a file of this name is of PostgreSQL's log in that format."""
    return name.startswith(PREFIX) and name.endswith(_CSV) == (declared.format == "csvlog")


class _Portions:
    """A file's text, portion by portion from what is `first` asked for: its beginning, or its last lines.

    A portion has 1 MB at most, so the last lines may come in several, too.
    """

    def __init__(self, rds: Any, where: dict[str, str], most: int, first: dict[str, Any]) -> None:
        self._rds = rds
        self._where = where
        self._most = most
        self._next = first
        self.asked = 0
        self.more = False

    def lines(self) -> Iterator[str]:
        rest = ""
        while self._next:
            if self.asked == self._most:
                self.more = True
                break
            portion = self._rds.download_db_log_file_portion(**self._where, **self._next)
            self.asked += 1
            *lines, rest = (rest + (portion.get("LogFileData") or "")).split("\n")
            yield from lines
            pending = portion.get("AdditionalDataPending") and portion.get("Marker")
            self._next = {"Marker": portion["Marker"]} if pending else {}
        yield rest


def _take_file(portions: _Portions, declared: DatabaseLog, stretch: Stretch, seen: Complaints) -> None:
    for row in records(portions.lines(), declared):
        _take(read_line(declared, row), stretch, seen)
    seen.truncated |= portions.more


def _take_end(portions: _Portions, declared: DatabaseLog, stretch: Stretch, seen: Complaints) -> None:
    """Take the last lines of a file, from the first whole entry on: all of the stretch, if that is older than it."""
    entries = (read_line(declared, row) for row in records(portions.lines(), declared))
    first = next((one for one in entries if isinstance(one, Line) and one.at is not None), None)
    if first is not None:
        _take(first, stretch, seen)
    for entry in entries:
        _take(entry, stretch, seen)
    older = first is not None and first.at is not None and first.at < stretch.since
    seen.truncated |= portions.more or not older


def records(lines: Iterator[str], declared: DatabaseLog) -> Iterator[str]:
    """Lines that hold something; of a csvlog, rows, which go on while a quote is open, but not into the next row."""
    row = ""
    for line in lines:
        if declared.format != "csvlog":
            if line.strip():
                yield line
            continue
        if row and _ROW_BEGINS.match(line):
            yield row
            row = ""
        row += line + "\n" if row or line else ""
        if row and row.count('"') % 2 == 0:
            yield row
            row = ""
    if row:
        yield row


def _take(found: Line | Unread, stretch: Stretch, seen: Complaints) -> None:
    """Count an entry of the stretch; what continues another, which may hold a statement, counts nothing."""
    if isinstance(found, Unread):
        seen.unread += 1
    elif found.at is not None and stretch.since <= found.at <= stretch.until:
        seen.take(found, stretch.slow)
