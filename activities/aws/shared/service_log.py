"""The log of a service, read by its declared formats: counted, or record by record; no line leaves the worker.

A small log is read line by line (`logs:FilterLogEvents`). One that is busy, or of the Infrequent Access class, which
FilterLogEvents cannot read, is counted on the server by CloudWatch Logs Insights.
"""

from datetime import datetime
from typing import Any, NamedTuple

from activities.action import Clients, needed
from activities.aws.shared import logs_insights, logs_queries
from activities.aws.shared.log_records import Record, described, events, kept_since, moment_of, only_queried, record
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.rules.log_lines import Line, Unread, first_read
from domain.rules.tracebacks import Part, orphans
from domain.values.timestamps import short_time, stamp_to_second

_SMALL_BYTES = 16 * 1024**2
_MOST_PAGES = 20
_MOST_KINDS = 10_000
_NO_HIT = frozenset({"0", "0.0", "false", ""})
LOG_PERMISSIONS = "logs:DescribeLogGroups FilterLogEvents StartQuery GetQueryResults StopQuery"
"""What reading a service's log takes."""


class Tally(NamedTuple):
    """Lines of one kind in one stream: `format` is None where none reads them, `hit` where they contain the text."""

    format: str | None
    error: bool
    hit: bool
    stream: str
    lines: int
    first: datetime
    last: datetime
    part: Part | None = None


class Counted(NamedTuple):
    """Every line of a window, by kind. `uncounted` lines are in no tally; with `truncated` there are others besides.

    `since` is from when on the log has lines, where it lacks the window's beginning.
    """

    tallies: list[Tally]
    uncounted: int = 0
    truncated: bool = False
    bytes_scanned: int | None = None
    partial: int = 0
    since: datetime | None = None

    @property
    def lines(self) -> int:
        return sum(one.lines for one in self.tallies) + self.uncounted

    @property
    def unread(self) -> int:
        """Lines that no declared format reads, and records that lack a field."""
        none = sum(one.lines for one in self.tallies if one.format is None)
        return none + self.uncounted + self.partial

    @property
    def with_events(self) -> int:
        """Lines that were understood and contain the text that was looked for."""
        return sum(one.lines for one in self.tallies if one.format and one.hit)

    @property
    def by_format(self) -> dict[str, int]:
        names = sorted({one.format for one in self.tallies if one.format})
        return {name: sum(one.lines for one in self.tallies if one.format == name) for name in names}

    @property
    def blind(self) -> bool:
        """Whether trouble could have gone unseen: nothing there, not all kept or read, or something not understood."""
        return self.truncated or self.unread > 0 or not self.lines or self.since is not None

    def facts(self) -> dict[str, Any]:
        """What findings say of it. `bytes_scanned` is what Logs Insights charges for; null where it was not asked."""
        return {
            "lines": self.lines,
            "formats": self.by_format,
            "unread": self.unread,
            "truncated": self.truncated,
            "bytes_scanned": self.bytes_scanned,
            "kept_since": stamp_to_second(self.since),
        }

    def without(self, partial: int) -> "Counted":
        """The same, with records that lack what tells them apart among what is not understood."""
        return self._replace(partial=self.partial + partial)

    def told(self) -> str:
        """What was not seen, for the end of a summary."""
        said = "" if self.lines else "; the log has no line in this time"
        said += f"; {self.unread} of its {self.lines} lines are not understood" if self.unread else ""
        said += f"; it has none from before {short_time(self.since)}" if self.since else ""
        return said + ("; there is more to search" if self.truncated else "")


class ServiceLog:
    """One service's log in one window. Raises `RuleError` where the environment does not say how it is written."""

    def __init__(self, clients: Clients, scope: Scope, service: str, window: Window) -> None:
        found = scope.environment.services[service]
        self.group = found.log_group
        self.formats = needed(found.log_formats or None, scope.environment, f"services.{service}.log_formats")
        self._logs = clients.client("logs")
        self._window = window
        self._until = logs_insights.patience()
        self._since: datetime | None = None

    def counted(self, text: str | None = None) -> Counted:
        """Count every line of the window; `text` is looked for in each, with its case."""
        if (few := self._few()) is None:
            return self._counted_there(text)
        return self._counted([self._tally(event, text is not None and text in event["message"]) for event in few])

    def records(self, texts: tuple[str, ...]) -> tuple[list[Record], Counted]:
        """The records among the lines that name one of these events, and all lines counted: a hit is one with any.

        At most 100,000 records, the latest.
        """
        if (few := self._few()) is not None:
            tallies = [self._tally(event, self._says_event(event)) for event in few]
            return self._read(few, texts)[0], self._counted(tallies)
        counted = self._counted_there(None, of_events=True)
        answer = logs_insights.run(self._logs, self.group, logs_queries.reading(texts), self._window, self._until)
        found, unread = self._read([_event(row) for row in answer.rows], texts)
        return found, counted._replace(
            partial=max(0, unread - counted.unread),
            truncated=counted.truncated or answer.truncated,
            bytes_scanned=(counted.bytes_scanned or 0) + answer.bytes_scanned,
        )

    def _says_event(self, event: dict[str, Any]) -> bool:
        found = record(self.formats, event)
        return found is not None and found.says("event") is not None

    def _few(self) -> list[dict[str, Any]] | None:
        """All events of the window (`logs:DescribeLogGroups`, `FilterLogEvents`); None where they are too many."""
        group = described(self._logs, self.group) or {}
        self._since = kept_since(group, self._window)
        if group.get("storedBytes", 0) > _SMALL_BYTES or only_queried(group):
            return None
        pages = events(self._logs, self.group, "", self._window, _MOST_PAGES)
        found = list(pages.items("events"))
        return None if pages.truncated else found

    def _tally(self, event: dict[str, Any], hit: bool) -> Tally:
        line, at = first_read(self.formats, event["message"]), moment_of(event)
        return _tally(line, hit, event.get("logStreamName", ""), 1, at, at)

    def _read(self, found: list[dict[str, Any]], texts: tuple[str, ...]) -> tuple[list[Record], int]:
        """The records, and how many lines are none."""
        asked = [one for one in found if any(text.lower() in one["message"].lower() for text in texts)]
        read = [record(self.formats, one) for one in asked]
        return [one for one in read if one is not None], read.count(None)

    def _counted_there(self, text: str | None, *, of_events: bool = False) -> Counted:
        query = logs_queries.counting(self.formats, text, of_events=of_events)
        answer = logs_insights.run(self._logs, self.group, query, self._window, self._until, _MOST_KINDS)
        tallies = [self._kind(row) for row in answer.rows]
        uncounted = 0 if answer.truncated else max(0, answer.matched - sum(one.lines for one in tallies))
        return self._counted(tallies)._replace(
            uncounted=uncounted, truncated=answer.truncated, bytes_scanned=answer.bytes_scanned
        )

    def _counted(self, tallies: list[Tally]) -> Counted:
        return Counted(_without_orphans(tallies), since=self._since)

    def _kind(self, row: logs_insights.Row) -> Tally:
        """What a row's fields say of its lines, as `first_read` would say of each."""
        first, last = (logs_insights.moment(row[key]) for key in ("first", "last"))
        return _tally(
            logs_queries.first_judged(self.formats, row),
            row.get("hit", "0") not in _NO_HIT,
            row.get("@logStream", ""),
            int(float(row["lines"])),
            first,
            last,
        )


def _tally(line: Line | Unread, hit: bool, stream: str, lines: int, first: datetime, last: datetime) -> Tally:
    if isinstance(line, Unread):
        return Tally(None, False, hit, stream, lines, first, last)
    return Tally(line.format, line.error, hit, stream, lines, first, last, line.part)


def _without_orphans(tallies: list[Tally]) -> list[Tally]:
    """The same; what belongs to a traceback that has not begun is not understood."""
    lost = orphans((one.part, one.stream, one.lines) for one in tallies)
    split = [
        (one._replace(lines=one.lines - none), one._replace(format=None, lines=none))
        for one, none in zip(tallies, lost, strict=True)
    ]
    return [one for pair in split for one in pair if one.lines]


def _event(row: logs_insights.Row) -> dict[str, Any]:
    """A row as FilterLogEvents would have given its event."""
    at = logs_insights.moment(row["@timestamp"])
    return {"timestamp": at.timestamp() * 1000, "message": row["@message"]}
