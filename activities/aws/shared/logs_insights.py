"""CloudWatch Logs Insights: counting on the server, where a log is too busy to be read line by line.

A query is asynchronous. It is polled while the activity's heartbeats carry its id, so that an attempt after a cut
takes it up rather than paying for another; it is stopped when its activity is cancelled. AWS charges by the bytes
that it scans, all those of the group within the window: they are told.
"""

import hashlib
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil, floor
from typing import Any, NamedTuple

from temporalio.exceptions import CancelledError

from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from activities.heartbeat import last_progress, progress, taken_up_later

MOST_ROWS = 100_000
"""What a query gives at most (CloudWatch Logs API StartQuery)."""
_PATIENCE_SECONDS = 45
"""Less than an attempt has: the next one takes the query up."""
_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)
_RUNNING = frozenset({"Scheduled", "Running", "Unknown"})
Row = dict[str, str]


class StillRunningError(TimeoutError):
    """The query takes longer than an attempt: the next one takes it up."""


class QueryEndedError(TimeoutError):
    """The query failed, timed out or was cancelled by somebody: the next attempt starts another."""


class Answer(NamedTuple):
    """`matched` counts the events that a query looked at after its filters; `truncated` tells of rows left out."""

    rows: list[Row]
    truncated: bool
    matched: int
    bytes_scanned: int


def patience() -> float:
    """Until when an attempt that begins now waits for its queries, by the monotonic clock."""
    return time.monotonic() + _PATIENCE_SECONDS


def run(logs: Any, group: str, query: str, window: Window, until: float, most: int = MOST_ROWS) -> Answer:
    """Run a query over a window, in whole seconds, until it ends (`logs:StartQuery`, `GetQueryResults`, `StopQuery`).

    Raises `StillRunningError` and `QueryEndedError`, which pass; lets AWS's refusal of one query too many through.
    """
    start, end = floor(window.start.timestamp()), ceil(window.end.timestamp())
    key = hashlib.sha256(f"{group} {query} {start} {end}".encode()).hexdigest()[:16]
    known = last_progress()
    started: dict[str, str] = dict(known) if isinstance(known, dict) else {}
    asked = {"logGroupName": group, "queryString": query, "startTime": start, "endTime": end, "limit": most}
    try:
        if key not in started:
            started[key] = str(logs.start_query(**asked)["queryId"])
            progress(started)
        return _awaited(logs, started[key], until, most)
    except CancelledError:
        if key in started and not taken_up_later():
            _stop(logs, started[key])
        raise
    except QueryEndedError:
        progress({name: one for name, one in started.items() if name != key})
        raise


def moment(written: str) -> datetime:
    """A time of a row: a number of milliseconds, or UTC written out."""
    if re.fullmatch(r"[\d.]+(?:[Ee]\+?\d+)?", written):
        return datetime.fromtimestamp(float(written) / 1000, UTC)
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def _awaited(logs: Any, known: str, until: float, most: int) -> Answer:
    pauses = iter(_PAUSES_SECONDS)
    while (page := logs.get_query_results(queryId=known))["status"] in _RUNNING:
        if time.monotonic() > until:
            raise StillRunningError
        time.sleep(next(pauses, _PAUSES_SECONDS[-1]))
    if page["status"] != "Complete":
        raise QueryEndedError
    rows = list(_rows(logs, known, page))
    said = page.get("statistics", {})
    matched, scanned = int(said.get("recordsMatched", 0)), int(said.get("bytesScanned", 0))
    return Answer(rows, len(rows) >= most, matched, scanned)


def _rows(logs: Any, known: str, page: dict[str, Any]) -> Iterator[Row]:
    pages = [page]
    if token := page.get("nextToken"):
        pages += Pages(logs.get_query_results, cursor="nextToken", queryId=known, first={"nextToken": token})
    for one in pages:
        yield from ({each["field"]: each.get("value", "") for each in row} for row in one["results"])


def _stop(logs: Any, known: str) -> None:
    """Stop a query that nobody waits for; one that has ended by itself meanwhile needs no stop."""
    try:
        logs.stop_query(queryId=known)
    except logs.exceptions.InvalidParameterException:
        return
