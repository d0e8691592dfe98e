"""What a service's log says of its errors, and whether it is written at all."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from pydantic import ValidationError

from activities.aws.observability.logs_lines import LastEvent, LastEventParams, LogErrors, LogErrorsParams
from domain.model.finding import Finding, FindingStatus
from tests.activities.given import Stubbed
from tests.activities.log_worlds import GROUP, Said, log_of, milliseconds, written
from tests.activities.scopes import NOW, environment, scope

APPLICATION_LINES = [
    '{"level":"error","msg":"db timeout"}',
    "Traceback (most recent call last):",
    'level=error msg="x"',
    '{"severity":"CRITICAL","message":"x"}',
]
"""Four ways in which applications say "error"."""
SHIPPED = [{"format": "json"}, {"format": "text", "pattern": "^(?<level>[A-Z]+) "}, {"format": "python-traceback"}]
_JSON_DEFAULTED = [{"format": "json", "level_if_absent": "info"}]
_LOGFMT_DEFAULTED = [{"format": "logfmt", "level_if_absent": "info"}]
HIDDEN: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "Node": (SHIPPED, ["Error: connect ECONNREFUSED", "    at TCPConnectWrap.afterConnect (node:net:1555:16)"]),
    "Java": (SHIPPED, ["java.sql.SQLException: pool is empty", "\tat tide.Pool.get(Pool.java:9)"]),
    "a host": (SHIPPED, ["10.0.1.12: connection refused"]),
    "a part": (SHIPPED, ["portal.db: deadlock detected"]),
    "indented": (SHIPPED, ["  ERROR listing failed", "  listing failed"]),
    "a text without levels": ([*SHIPPED[:2], {"format": "text", "pattern": r"^\s"}], ["  ERROR listing failed"]),
    "JSON, another key": (_JSON_DEFAULTED, [APPLICATION_LINES[3], '{"log":{"level":"error"}}', '{"Level":"Error"}']),
    "logfmt, another key": (_LOGFMT_DEFAULTED, ["severity=critical msg=x", "lvl=error msg=x"]),
    "logfmt, words": (
        _LOGFMT_DEFAULTED,
        ["ERROR something failed code=5", "panic: runtime error addr=0x1", "a=1 panic"],
    ),
}
"""Errors that no format declared beside them reads, and lines that belong to them."""
_WELL = {"json": '{"level":"info"}', "logfmt": "level=info msg=up"}
TRACEBACK_LINES = [
    "Traceback (most recent call last):",
    '  File "/app/tides.py", line 8, in listing',
    "    return pool.acquire(timeout=5)",
    "           ^^^^^^^^^^^^^^^^^^^^^^^",
    "  [Previous line repeated 3 more times]",
    "harbour.errors.PoolTimeout: FATAL: no connection within 5 s",
    "The above exception was the direct cause of the following exception:",
    "Traceback (most recent call last):",
    '  File "/app/tides.py", line 9, in listing',
    "KeyError: 'tide'",
]


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("activities.aws.shared.logs_insights.time.sleep", lambda _seconds: None)
    with mock_aws():
        yield


@pytest.fixture(params=[False, True], ids=["small", "busy"])
def busy(request: pytest.FixtureRequest) -> bool:
    """Whether Logs Insights reads the log."""
    return bool(request.param)


def looked(clients: Any, formats: list[dict[str, Any]] | None = None, **params: Any) -> Finding:
    backend = environment().services["backend"].model_dump() | ({"log_formats": formats} if formats else {})
    about = scope(environment=environment(services={"backend": backend}))
    return LogErrors(clients).observe(about, LogErrorsParams.model_validate({"service": "backend"} | params), NOW)


def last(clients: Any, **params: Any) -> Finding:
    return LastEvent(clients).observe(scope(), LastEventParams.model_validate({"service": "backend"} | params), NOW)


def test_errors_are_counted_where_and_when(busy: bool) -> None:
    """Over every stream and within the window, by the level that each line has."""
    clients = log_of((5, "ERROR one"), (20, "FATAL two"), (30, "INFO ERROR is only said here"), busy=busy)
    written(clients, [(50, '{"level":"critical"}'), (70, "ERROR too early")], stream="app/app/2")
    finding = looked(clients)
    assert finding.status is FindingStatus.SUSPECT
    assert finding.summary == (
        "backend: 3 errors in the logs of the last 1h, between 23 Nov 02:40 UTC and 23 Nov 03:25 UTC"
    )
    facts = finding.facts
    assert (facts["count"], facts["streams"], facts["lines"], facts["unread"], facts["truncated"]) == (
        3,
        2,
        4,
        0,
        False,
    )
    assert (facts["first_at"], facts["last_at"]) == ("2026-11-23T02:40:00Z", "2026-11-23T03:25:00Z")
    assert (facts["bytes_scanned"] is not None) is busy
    assert finding.evidence == "/ecs/axis-backend from 2026-11-23T02:30:00Z to 2026-11-23T03:30:00Z"
    assert facts["follow"] == "aws logs tail /ecs/axis-backend --follow --region ap-southeast-2"


def test_empty_pages_with_a_token_are_read_past() -> None:
    """CloudWatch may answer nothing and still have more: every page is read, the window in milliseconds."""
    aws = Stubbed("logs")
    aws.answer("describe_log_groups", {"logGroups": []}, {"logGroupNamePrefix": GROUP})
    asked = {
        "logGroupName": GROUP,
        "startTime": milliseconds(NOW - timedelta(hours=1)),
        "endTime": milliseconds(NOW),
    }
    event = {"timestamp": milliseconds(NOW), "message": "ERROR one", "logStreamName": "a"}
    aws.answer("filter_log_events", {"events": [], "nextToken": "1"}, asked | {"startFromHead": False})
    aws.answer("filter_log_events", {"events": [event], "nextToken": "2"}, asked | {"nextToken": "1"})
    aws.answer("filter_log_events", {"events": [event]}, asked | {"nextToken": "2"})
    assert looked(aws).facts["count"] == 2
    aws.all_asked()


@pytest.mark.parametrize("line", APPLICATION_LINES)
def test_what_the_declared_formats_do_not_read_is_never_well(line: str, busy: bool) -> None:
    """An application that says "error" its own way, where its environment does not say which."""
    declared = [{"format": "text", "pattern": "^(?<level>[A-Z]+) "}]
    finding = looked(log_of((5, line), (4, "INFO fine"), busy=busy), declared)
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 1)
    assert finding.summary.endswith("no errors in the logs of the last 1h; 1 of its 2 lines are not understood")


@pytest.mark.parametrize(("declared", "lines"), HIDDEN.values(), ids=HIDDEN)
def test_an_error_is_not_taken_for_what_follows_another_nor_for_the_default(
    declared: list[dict[str, Any]], lines: list[str], busy: bool
) -> None:
    """Nothing is begun that these lines could belong to, or they are not of the format, or say a level elsewhere."""
    finding = looked(log_of((9, _WELL[declared[0]["format"]]), *((5.0, line) for line in lines), busy=busy), declared)
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, len(lines))


def test_a_traceback_is_one_error_and_all_of_it_is_read(busy: bool) -> None:
    """A chained one is two; each ends in one exception, and a further line of that kind is another's."""
    clients = log_of(*((5.0, line) for line in TRACEBACK_LINES), busy=busy)
    finding = looked(clients, SHIPPED)
    assert (finding.status, finding.facts["count"], finding.facts["unread"]) == (FindingStatus.SUSPECT, 2, 0)
    assert looked(clients, SHIPPED, threshold=3).status is FindingStatus.OK


@pytest.mark.parametrize("line", ["Error: connect ECONNREFUSED", "  ERROR listing failed", "  listing failed"])
def test_a_traceback_hides_no_other_error(line: str, busy: bool) -> None:
    """A threshold may let a traceback pass; what is beside it is unread all the same."""
    said = [(5.0, one) for one in [*TRACEBACK_LINES, line]]
    finding = looked(log_of(*said, busy=busy), SHIPPED, threshold=3)
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 1)


def test_an_exception_group_hides_no_other_error(busy: bool) -> None:
    """What ends it is indented."""
    group = ["  + Exception Group Traceback (most recent call last):", "  | ExceptionGroup: two (1 sub-exception)"]
    clients = log_of(*((5.0, line) for line in [*group, "Error: connect ECONNREFUSED"]), busy=busy)
    finding = looked(clients, SHIPPED, threshold=2)
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 1)


def test_a_traceback_of_one_stream_does_not_explain_the_lines_of_another(busy: bool) -> None:
    """Each task writes a stream of its own."""
    clients = log_of(*((5.0, line) for line in TRACEBACK_LINES), busy=busy)
    written(clients, [(5, "Error: connect ECONNREFUSED"), (5, "    at x")], stream="app/app/2")
    finding = looked(clients, SHIPPED, threshold=3)
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 2)


def test_every_way_to_say_error_is_read_once_it_is_declared(busy: bool) -> None:
    """Four formats in one log."""
    declared = [
        {"format": "json"},
        {"format": "json", "level": "severity"},
        {"format": "logfmt"},
        {"format": "python-traceback"},
    ]
    clients = log_of(*((5.0, line) for line in APPLICATION_LINES), busy=busy)
    finding = looked(clients, declared)
    assert (finding.status, finding.facts["count"], finding.facts["unread"]) == (FindingStatus.SUSPECT, 4, 0)


def test_a_text_is_looked_for_in_every_line(busy: bool) -> None:
    """Whatever its level, with its case, in lines that nobody understands as well."""
    lines = [(5.0, "INFO PoolTimeout"), (4.0, "pooltimeout"), (3.0, "<PoolTimeout>"), (2.0, "ERROR other")]
    finding = looked(log_of(*lines, busy=busy), pattern="PoolTimeout")
    assert (finding.facts["count"], finding.facts["unread"]) == (2, 2)
    assert "2 lines with PoolTimeout in the logs of the last 1h" in finding.summary


@pytest.mark.parametrize("text", ['"quoted"', "C:\\logs", "a | stats count(*)", "/path/", "été"])
def test_any_text_can_be_looked_for(text: str) -> None:
    """It is quoted for the server, and is no part of the query."""
    lines: list[Said] = [(5, f"INFO {text}"), (4, "INFO other")]
    assert looked(log_of(*lines, busy=True), pattern=text).facts["count"] == 1


def test_log_text_never_leaves_the_probe(busy: bool) -> None:
    """Log lines may hold health information: counts, times and a reference come back, no line."""
    assert "4711" not in looked(log_of((5, "ERROR patient 4711"), busy=busy)).model_dump_json()


def test_fewer_errors_than_the_threshold_are_ok(busy: bool) -> None:
    """A service that always logs a few errors can be told apart from one that broke."""
    clients = log_of((5, "ERROR one"), (6, "ERROR two"), busy=busy)
    assert looked(clients, threshold=3).status is FindingStatus.OK
    assert looked(clients, threshold=2).status is FindingStatus.SUSPECT


def test_a_log_group_that_is_gone_is_an_error() -> None:
    """It is no finding."""
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        looked(log_of(group="/ecs/other"))


@pytest.mark.parametrize("wrong", [{"window": "0m"}, {"window": "8d"}, {"pattern": ""}, {"threshold": 0}, {"x": 1}])
def test_parameters_that_would_find_nothing_are_refused(wrong: dict[str, Any]) -> None:
    """An empty window or text, more than a week, and unknown parameters are refused when the runbook is read."""
    with pytest.raises(ValidationError):
        LogErrorsParams.model_validate({"service": "backend"} | wrong)


@pytest.mark.parametrize(
    ("lines", "params", "status", "words"),
    [
        ([(5, "INFO a")], {}, FindingStatus.OK, "the log of backend: last written 23 Nov 03:25 UTC"),
        ([(16, "INFO a")], {}, FindingStatus.SUSPECT, "the log of backend: nothing in the last 15m"),
        ([(16, "INFO a")], {"silence": "20m"}, FindingStatus.OK, "last written 23 Nov 03:14 UTC"),
        ([(5, "listening")], {}, FindingStatus.UNKNOWN, "nothing that its declared formats read in the last 15m"),
        ([(5, "INFO a")], {"pattern": "b"}, FindingStatus.SUSPECT, "b in the log of backend: nothing"),
        ([(5, "INFO b"), (4, "c")], {"pattern": "b"}, FindingStatus.OK, "b in the log of backend: last written"),
        ([(5, "b"), (4, "INFO c")], {"pattern": "b"}, FindingStatus.UNKNOWN, "nothing that its declared formats read"),
    ],
)
def test_silence_is_told_from_what_is_not_understood(
    lines: list[Said], params: dict[str, str], status: FindingStatus, words: str, busy: bool
) -> None:
    """A log that is still written in another format is neither well nor silent."""
    finding = last(log_of(*lines, busy=busy), **params)
    assert finding.status is status
    assert words in finding.summary
