"""CloudWatch Logs Insights for the queries that our actions make; moto answers at once, knows no `stats` and no stop.

The shapes are those below, of the commands `parse`, `fields`, `filter`, `stats` and `sort` (user guide, "CloudWatch
Logs Insights language query syntax"; `like /(?i)…/` takes any case, as there under "filter"); any other is a
MalformedQueryException. A query runs until it has been looked at once, so that whoever takes the first answer for the
last one is found out.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.logs.models import logs_backends
from moto.logs.responses import LogsResponse

from sandbox.aws.moto_patch import patch

CONCURRENT = 100
"""How many queries of an account may run at once in a region (CloudWatch Logs API StartQuery)."""
_PAGE = 10_000
_MOST = 100_000
_QUERIES = "_insights_queries"
_CLASS = "_log_group_class"
_PAST = "_bytes_of_the_past"
_INFREQUENT = "INFREQUENT_ACCESS"
_TEXT = r'"((?:[^"\\]|\\.)*)"'
_PARSE = re.compile(r"parse @message /((?:[^/\\]|\\.)+)/ \| ")
_COUNT = re.compile(
    rf"(?:fields strcontains\(@message, {_TEXT}\) as hit \| )?"
    r"stats count\(\*\) as lines, min\(@timestamp\) as first, max\(@timestamp\) as last by ([\w@]+(?:, [\w@]+)*)"
)
_LIKE = r"@message like /\(\?i\)((?:[^/\\]|\\.)+)/"
_ROWS = re.compile(
    rf"fields @timestamp, @logStream, @message \| filter ({_LIKE}(?: or {_LIKE})*) \| sort @timestamp desc"
)
_moto_create, _moto_describe, _moto_filter = (
    LogsResponse.create_log_group,
    LogsResponse.describe_log_groups,
    LogsResponse.filter_log_events,
)
Row = dict[str, str]


@dataclass
class _Event:
    at: int
    stream: str
    message: str


@dataclass
class _Query:
    shape: "_Counts | _Rows"
    group: Any
    start: int
    end: int
    limit: int
    status: str = "Scheduled"
    rows: list[Row] = field(default_factory=list)
    statistics: dict[str, float] = field(default_factory=dict)

    def finish(self) -> None:
        """Times are seconds, both included (CloudWatch Logs API StartQuery)."""
        events = [
            _Event(event.timestamp, name, event.message)
            for name, stream in self.group.streams.items()
            for event in stream.events
            if self.start <= event.timestamp // 1000 <= self.end
        ]
        matched, rows = self.shape.of(events)
        self.status, self.rows = "Complete", rows[: self.limit]
        scanned = {"recordsScanned": len(events), "bytesScanned": sum(len(one.message.encode()) for one in events)}
        self.statistics = {"recordsMatched": matched, **{name: float(value) for name, value in scanned.items()}}


@dataclass
class _Counts:
    patterns: list[re.Pattern[str]]
    text: str | None
    by: list[str]

    def of(self, events: list[_Event]) -> tuple[int, list[Row]]:
        """One row a group; a field that the events of a group do not have is left out of its row."""
        lines: Counter[tuple[tuple[str, str], ...]] = Counter()
        times: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for event in events:
            group = tuple((name, value) for name, value in self._fields(event) if name in self.by)
            lines[group] += 1
            times.setdefault(group, []).append(event.at)
        rows = [
            {**dict(group), "lines": str(count), "first": str(min(times[group])), "last": str(max(times[group]))}
            for group, count in lines.most_common()
        ]
        return len(events), rows

    def _fields(self, event: _Event) -> Iterator[tuple[str, str]]:
        yield "@logStream", event.stream
        if self.text is not None:
            yield "hit", str(int(self.text in event.message))
        for pattern in self.patterns:
            if found := pattern.search(event.message):
                yield from ((name, value) for name, value in found.groupdict().items() if value is not None)


@dataclass
class _Rows:
    patterns: list[re.Pattern[str]]

    def of(self, events: list[_Event]) -> tuple[int, list[Row]]:
        found = [one for one in events if any(pattern.search(one.message) for pattern in self.patterns)]
        found.sort(key=lambda one: one.at, reverse=True)
        rows = [
            {"@timestamp": _written(one.at), "@logStream": one.stream, "@message": one.message, "@ptr": str(number)}
            for number, one in enumerate(found)
        ]
        return len(found), rows


def install() -> None:
    """Patch moto with these operations."""
    patch(
        LogsResponse,
        start_query=start_query,
        get_query_results=get_query_results,
        stop_query=stop_query,
        create_log_group=create_log_group,
        describe_log_groups=describe_log_groups,
        filter_log_events=filter_log_events,
    )


def has_past(account: str, region: str, group: str, stored_bytes: int) -> None:
    """Let a log group have stored so much before the sandbox began: a busy one."""
    vars(logs_backends[account][region].groups[group])[_PAST] = stored_bytes


def start_query(response: LogsResponse) -> str:
    """Start a query of one log group (`StartQuery`); at most 100 run at once."""
    group = response.logs_backend.groups.get(response._get_param("logGroupName"))
    if group is None:
        raise JsonRESTError("ResourceNotFoundException", "The specified log group does not exist.")
    limit = response._get_param("limit") or _PAGE
    if not 1 <= limit <= _MOST:
        raise JsonRESTError("InvalidParameterException", "The limit is from 1 to 100000.")
    shape = _shape(response._get_param("queryString"))
    queries = _queries(response)
    if sum(one.status in {"Scheduled", "Running"} for one in queries.values()) >= CONCURRENT:
        raise JsonRESTError("LimitExceededException", "Too many queries run at once.")
    known = f"query-{len(queries) + 1}"
    window = (response._get_param("startTime"), response._get_param("endTime"))
    queries[known] = _Query(shape, group, *window, limit)
    return json.dumps({"queryId": known})


def get_query_results(response: LogsResponse) -> str:
    """Give a page of what is there (`GetQueryResults`): nothing at the first look, everything from the second on."""
    query = _known(response)
    if query.status == "Running":
        query.finish()
    elif query.status == "Scheduled":
        query.status = "Running"
    most, token = response._get_param("maxItems") or _PAGE, response._get_param("nextToken") or "0"
    first, last = int(token), int(token) + min(most, _PAGE)
    page: dict[str, Any] = {
        "status": query.status,
        "results": [[{"field": k, "value": v} for k, v in row.items()] for row in query.rows[first:last]],
        "statistics": query.statistics,
    }
    return json.dumps(page | ({"nextToken": str(last)} if last < len(query.rows) else {}))


def stop_query(response: LogsResponse) -> str:
    """Stop a query (`StopQuery`); one that has ended already is an error."""
    query = _known(response)
    if query.status not in {"Scheduled", "Running"}:
        raise JsonRESTError("InvalidParameterException", "The specified query is not running.")
    query.status = "Cancelled"
    return json.dumps({"success": True})


def create_log_group(response: LogsResponse) -> str:
    """Remember the log class, which moto does not."""
    answer: str = _moto_create(response)
    made = response.logs_backend.groups[response._get_param("logGroupName")]
    vars(made)[_CLASS] = response._get_param("logGroupClass") or "STANDARD"
    return answer


def describe_log_groups(response: LogsResponse) -> str:
    """Show the log class, too, and bytes of a past that is not kept here (`DescribeLogGroups`)."""
    answer = json.loads(_moto_describe(response))
    for one in answer["logGroups"]:
        known = vars(response.logs_backend.groups[one["logGroupName"]])
        one["logGroupClass"] = known.get(_CLASS, "STANDARD")
        one["storedBytes"] += known.get(_PAST, 0)
    return json.dumps(answer)


def filter_log_events(response: LogsResponse) -> str:
    """Refuse the Infrequent Access class, which is read by Logs Insights alone (user guide, "Log classes")."""
    group = response.logs_backend.groups.get(response._get_param("logGroupName"))
    if group is not None and vars(group).get(_CLASS) == _INFREQUENT:
        raise JsonRESTError("InvalidParameterException", "The operation is not supported for this log class.")
    answer: str = _moto_filter(response)
    return answer


def _shape(text: str) -> _Counts | _Rows:
    if found := _ROWS.fullmatch(text):
        return _Rows([re.compile(one, re.IGNORECASE) for one in re.findall(_LIKE, found[1])])
    patterns, position = [], 0
    while parse := _PARSE.match(text, position):
        # Logs Insights writes a named group as `(?<name>`, Python as `(?P<name>`
        patterns.append(re.compile(re.sub(r"\(\?<(?=\w)", "(?P<", parse[1].replace("\\/", "/"))))
        position = parse.end()
    if patterns and (found := _COUNT.fullmatch(text, position)):
        return _Counts(patterns, None if found[1] is None else _unquoted(found[1]), found[2].split(", "))
    raise JsonRESTError("MalformedQueryException", "The query string is not valid.")


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _queries(response: LogsResponse) -> dict[str, _Query]:
    """The queries of one account and region; kept on moto's backend so that a moto reset clears them."""
    queries: dict[str, _Query] = response.logs_backend.__dict__.setdefault(_QUERIES, {})
    return queries


def _known(response: LogsResponse) -> _Query:
    query = _queries(response).get(response._get_param("queryId"))
    if query is None:
        raise JsonRESTError("ResourceNotFoundException", "The specified query does not exist.")
    return query


def _written(milliseconds: int) -> str:
    """A time as results show it, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
