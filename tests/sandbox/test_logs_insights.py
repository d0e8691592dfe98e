"""Logs Insights of the sandbox answers as AWS documents it, to the queries that our actions make and to no other."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from activities.aws.shared.logs_queries import counting, reading
from domain.config.log_formats import LineFormat
from sandbox.aws import logs_insights
from tests.activities.log_worlds import GROUP, Said, log_of
from tests.activities.scopes import NOW

TEXT = LineFormat(format="text", pattern="^(?<level>[A-Z]+) ")
QUERY = counting((TEXT,), "tide")
LINES: tuple[Said, ...] = (
    (30, "INFO tide read"),
    (20, "ERROR no tide"),
    (10, "ERROR no tide"),
    (5, "tide"),
    (90, "INFO"),
)


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    with mock_aws():
        yield


def started(logs: Any, query: str = QUERY, **asked: Any) -> str:
    end = int(NOW.timestamp())
    asked = {"logGroupName": GROUP, "startTime": end - 3600, "endTime": end, "queryString": query} | asked
    return str(logs.start_query(**asked)["queryId"])


def finished(logs: Any, known: str, **asked: Any) -> dict[str, Any]:
    while (page := logs.get_query_results(queryId=known, **asked))["status"] != "Complete":
        assert page["results"] == []
    return dict(page)


def rows(page: dict[str, Any]) -> list[dict[str, str]]:
    return [{each["field"]: each["value"] for each in row} for row in page["results"]]


def test_a_query_runs_before_it_is_complete() -> None:
    """The first look finds nothing yet; lines are counted by what was found in them, within the window."""
    logs = log_of(*LINES).client("logs")
    known = started(logs)
    assert logs.get_query_results(queryId=known)["status"] == "Running"
    page = finished(logs, known)
    assert {(row.get("level0"), row["hit"], row["lines"]) for row in rows(page)} == {
        ("ERROR", "1", "2"),
        ("INFO", "1", "1"),
        (None, "1", "1"),
    }
    said = page["statistics"]
    assert (said["recordsMatched"], said["recordsScanned"], said["bytesScanned"]) == (4, 4, 44)


def test_rows_come_in_pages() -> None:
    """Of at most 10,000 rows each, the latest line first, as often as the answer has a token."""
    logs = log_of(*LINES).client("logs")
    known = started(logs, reading(("tide", "ERROR")))
    first = finished(logs, known, maxItems=3)
    second = logs.get_query_results(queryId=known, nextToken=first["nextToken"])
    assert [row["@message"] for row in rows(first)] == ["tide", "ERROR no tide", "ERROR no tide"]
    assert [row["@timestamp"] for row in rows(second)] == ["2026-11-23 03:00:00.000"]
    assert "nextToken" not in second


def test_a_limit_cuts_rows() -> None:
    """As many rows as were asked for; how many lines matched is said all the same."""
    logs = log_of(*LINES).client("logs")
    page = finished(logs, started(logs, reading(("tide",)), limit=2))
    assert (len(page["results"]), page["statistics"]["recordsMatched"]) == (2, 4)


@pytest.mark.parametrize(
    "query",
    [
        "fields @message",
        "stats count(*)",
        QUERY + " | sort @timestamp",
        "filter @message like /x/ | " + QUERY,
        reading(("x",)).replace("desc", "asc"),
        'SOURCE "x" | ' + QUERY,
    ],
)
def test_other_queries_are_malformed(query: str) -> None:
    """What no action asks is not answered, lest it be taken for what AWS would say."""
    with pytest.raises(ClientError, match="MalformedQueryException"):
        started(log_of().client("logs"), query)


def test_a_hundred_queries_run_at_once_and_no_more() -> None:
    """One that is stopped makes room; one that has ended cannot be stopped."""
    logs = log_of().client("logs")
    known = [started(logs) for _ in range(logs_insights.CONCURRENT)]
    with pytest.raises(ClientError, match="LimitExceededException"):
        started(logs)
    assert logs.stop_query(queryId=known[0])["success"]
    assert logs.get_query_results(queryId=known[0])["status"] == "Cancelled"
    last = started(logs)
    finished(logs, last)
    for ended in (known[0], last):
        with pytest.raises(ClientError, match="InvalidParameterException"):
            logs.stop_query(queryId=ended)


@pytest.mark.parametrize(
    ("asked", "code"),
    [({"logGroupName": "/none"}, "ResourceNotFoundException"), ({"limit": 100_001}, "InvalidParameterException")],
)
def test_what_aws_refuses_is_refused(asked: dict[str, Any], code: str) -> None:
    """A group that is not there, and more rows than there can be."""
    with pytest.raises(ClientError, match=code):
        started(log_of().client("logs"), **asked)


def test_infrequent_access_is_read_by_insights_alone() -> None:
    """FilterLogEvents refuses that class, and DescribeLogGroups shows it."""
    logs = log_of(*LINES, busy=True).client("logs")
    assert logs.describe_log_groups()["logGroups"][0]["logGroupClass"] == "INFREQUENT_ACCESS"
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.filter_log_events(logGroupName=GROUP)
