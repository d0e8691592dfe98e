"""A service's log is read the same way on the server as here, and a query is looked after until it ends."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from activities.action import RuleError
from activities.aws.shared import logs_insights
from activities.aws.shared.error_mapping import kind_of
from activities.aws.shared.logs_insights import Answer, QueryEndedError, StillRunningError
from activities.aws.shared.service_log import Counted, ServiceLog
from activities.aws.shared.windows import Window
from activities.heartbeat import keeping, last_progress
from domain.config.log_formats import LineFormat, LogFormat
from domain.values.errors import ErrorKind
from tests.activities.given import Stubbed
from tests.activities.log_worlds import GROUP, log_of
from tests.activities.scopes import NOW, environment, scope
from tests.domain.log_samples import (
    APPLICATION,
    DEFAULTED,
    FIRELENS_DEFAULTED,
    FIRELENS_LOGFMT,
    LOGFMT_DEFAULTED,
    PLAIN_JSON,
    TRACEBACK,
    UNFIT,
    Sample,
)

WINDOW = Window.before(NOW, NOW - NOW.replace(hour=2))
_WITHOUT_LEVEL = {
    "json": (DEFAULTED, '{"a":{"b":["}",{}]},"n":%d}'),
    "empty": (DEFAULTED, "{ }"),
    "inside": (FIRELENS_DEFAULTED, '{"log":"{\\"a\\":{\\"b\\":\\"}\\"},\\"n\\":%d}\\r\\n","source":"stdout"}'),
    "logfmt": (LOGFMT_DEFAULTED, "n=%d duration=8ms"),
    "logfmt inside": (FIRELENS_LOGFMT, '{"log":"n=%d msg=\\"no tide\\" a=8ms\\n","source":"stdout"}'),
}


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How long a query was waited for; nobody waits."""
    waits: list[float] = []
    monkeypatch.setattr("activities.aws.shared.logs_insights.time.sleep", waits.append)
    with mock_aws():
        yield waits


def log(clients: Any, *formats: LogFormat) -> ServiceLog:
    declared = [one.model_dump() for one in formats or (PLAIN_JSON, TRACEBACK)]
    backend = environment().services["backend"].model_dump() | {"log_formats": declared}
    return ServiceLog(clients, scope(environment=environment(services={"backend": backend})), "backend", WINDOW)


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("sample", APPLICATION.values(), ids=APPLICATION)
def test_the_server_understands_what_we_understand(sample: Sample, busy: bool) -> None:
    """Each real shape of a line, counted by Logs Insights and read by us; a traceback's within one."""
    belongs = sample.format is TRACEBACK and not sample.error
    begun = [(6.0, "Traceback (most recent call last):")] if belongs else []
    counted = log(log_of(*begun, (5.0, sample.line), busy=busy), sample.format).counted("o")
    (tally,) = (one for one in counted.tallies if one.error == sample.error)
    assert (tally.format, tally.error) == (sample.format.format, sample.error)
    assert (tally.hit, tally.lines, tally.stream) == ("o" in sample.line, 1, "app/app/1")
    assert tally.first == tally.last == NOW - (NOW - NOW.replace(minute=25))


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize(("declared", "line"), UNFIT)
def test_neither_understands_what_does_not_fit(declared: LogFormat, line: str, busy: bool) -> None:
    """It counts as unread."""
    counted = log(log_of((5, line), busy=busy), declared).counted()
    assert (counted.lines, counted.unread, counted.blind) == (1, 1, True)


@pytest.mark.parametrize(
    ("declared", "line"),
    [
        (DEFAULTED, '{"a":' * 9 + "1" + "}" * 9 + ',"level":"error"}'),
        (DEFAULTED, '{"level":""}'),
        (
            LineFormat(format="json", level="log.level", level_if_absent="info"),
            '{"log":{"a":' + '{"b":' * 9 + "1" + "}" * 10 + ',"level":"Error"}}',
        ),
        (LOGFMT_DEFAULTED, 'a="b level=error'),
    ],
)
def test_a_level_that_the_server_does_not_find_is_not_the_default(declared: LogFormat, line: str) -> None:
    """Where a line has the key anywhere it may say anything: it is unread."""
    counted = log(log_of((5, line), busy=True), declared).counted()
    assert (counted.lines, counted.unread) == (1, 1)


@pytest.mark.parametrize(("declared", "line"), _WITHOUT_LEVEL.values(), ids=_WITHOUT_LEVEL)
def test_lines_of_the_default_level_are_one_kind(declared: LogFormat, line: str) -> None:
    """Whatever else they say: what the server counts by is no part of it that differs from line to line."""
    (tally,) = (
        log(log_of(*((5.0, line.replace("%d", str(number))) for number in range(3)), busy=True), declared)
        .counted()
        .tallies
    )
    assert (tally.format, tally.error, tally.lines) == (declared.format, False, 3)


def test_the_first_format_that_fits_counts_on_the_server_too() -> None:
    """A container writes JSON, and a traceback when it dies."""
    lines = [
        '{"level":"info"}',
        "Traceback (most recent call last):",
        '  File "/app/tides.py", line 8',
        "KeyError: 'x'",
        "listening",
    ]
    counted = log(log_of(*((5.0, line) for line in lines), busy=True)).counted()
    assert counted.by_format == {"json": 1, "python-traceback": 3}
    assert [one.error for one in counted.tallies if one.error] == [True]
    assert (counted.unread, counted.told()) == (1, "; 1 of its 5 lines are not understood")


def test_no_format_is_guessed() -> None:
    """A log that the environment's file says nothing of is not read."""
    backend = environment().services["backend"].model_dump() | {"log_formats": []}
    about = scope(environment=environment(services={"backend": backend}))
    with pytest.raises(RuleError, match=r"has no services\.backend\.log_formats"):
        ServiceLog(Stubbed("logs"), about, "backend", WINDOW)


def test_a_small_log_that_is_busy_now_is_counted_on_the_server() -> None:
    """What is stored says little of the last hour: after twenty pages the server counts."""
    aws = Stubbed("logs")
    aws.answer("describe_log_groups", {"logGroups": [{"logGroupName": GROUP, "storedBytes": 0}]})
    for number in range(20):
        aws.answer("filter_log_events", {"events": [], "nextToken": str(number)})
    aws.answer("start_query", {"queryId": "q"})
    aws.answer("get_query_results", complete())
    assert log(aws).counted().lines == 0
    aws.all_asked()


def complete(*rows: dict[str, str], matched: int = 0, **more: Any) -> dict[str, Any]:
    results = [[{"field": name, "value": value} for name, value in row.items()] for row in rows]
    return {"status": "Complete", "results": results, "statistics": {"recordsMatched": matched}, **more}


def server(*answers: dict[str, Any], start: bool = True) -> Stubbed:
    """CloudWatch Logs of a busy group, which answers so to looks at a query."""
    aws = Stubbed("logs")
    if start:
        aws.answer("start_query", {"queryId": "q"})
    for answer in answers:
        aws.answer("get_query_results", answer)
    return aws


def run(aws: Stubbed, most: int = 10) -> Answer:
    return logs_insights.run(aws.client("logs"), GROUP, "query", WINDOW, logs_insights.patience(), most)


RUNNING = {"status": "Running", "results": [[{"field": "lines", "value": "1"}]]}


def test_partial_results_are_waited_out(slept: list[float]) -> None:
    """What a running query shows is not the whole; the pauses grow."""
    aws = server({"status": "Scheduled", "results": []}, *[RUNNING] * 4, complete({"lines": "7"}))
    assert run(aws).rows == [{"lines": "7"}]
    assert slept == [0.2, 0.5, 1.0, 2.0, 2.0]


def test_every_page_of_results_is_read() -> None:
    """As long as there is a token; as many rows as can be are not all there are."""
    aws = server(complete({"n": "1"}, nextToken="a"), complete({"n": "2"}, nextToken="b"), complete({"n": "3"}))
    assert run(aws) == Answer([{"n": "1"}, {"n": "2"}, {"n": "3"}], truncated=False, matched=0, bytes_scanned=0)
    assert run(server(complete({"n": "1"})), most=1).truncated


def test_lines_in_no_row_are_not_understood() -> None:
    """Whether a group without a field has a row of its own is nothing to rely on."""
    row = {"level0": "info", "@logStream": "a", "lines": "3", "first": "1.7954043E12", "last": "1795404300000"}
    aws = Stubbed("logs")
    aws.answer("describe_log_groups", {"logGroups": [{"logGroupName": GROUP, "storedBytes": 10**9}]})
    aws.answer("start_query", {"queryId": "q"})
    aws.answer("get_query_results", complete(row, matched=5))
    counted = log(aws).counted()
    assert (counted.lines, counted.unread, counted.by_format) == (5, 2, {"json": 3})
    assert counted.tallies[0].first == counted.tallies[0].last


def test_an_attempt_after_a_cut_takes_the_query_up() -> None:
    """Another one would be paid for again, and would be as far as the first one was."""
    clock = iter([0.0, 1.0, 46.0])
    with keeping([]), pytest.MonkeyPatch.context() as patch:
        patch.setattr("activities.aws.shared.logs_insights.time.monotonic", lambda: next(clock))
        with pytest.raises(StillRunningError):
            run(server(RUNNING, RUNNING))
        before = last_progress()
    with keeping([before]):
        aws = server(complete({"n": "1"}), start=False)
        assert run(aws).rows == [{"n": "1"}]
        aws.all_asked()
    assert kind_of(StillRunningError()) is ErrorKind.TRANSIENT


@pytest.mark.parametrize("status", ["Failed", "Timeout", "Cancelled"])
def test_a_query_that_ended_without_result_is_started_anew(status: str) -> None:
    """By the next attempt, which does not take it up."""
    with keeping([]):
        with pytest.raises(QueryEndedError):
            run(server({"status": status, "results": []}))
        assert run(server(complete({"n": "1"}))).rows == [{"n": "1"}]


@pytest.mark.parametrize("shutdown", [False, True])
def test_a_query_is_stopped_when_its_activity_is_cancelled(shutdown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it, and it costs. Where only the worker ends, another one takes the query up."""
    aws, environment_ = server(RUNNING), ActivityEnvironment()
    if not shutdown:
        aws.answer("stop_query", {"success": True}, {"queryId": "q"})

    def cancelled(_seconds: float) -> None:
        details = ActivityCancellationDetails(cancel_requested=not shutdown, worker_shutdown=shutdown)
        environment_.cancel(details)
        raise CancelledError

    monkeypatch.setattr("activities.aws.shared.logs_insights.time.sleep", cancelled)
    with pytest.raises(CancelledError):
        environment_.run(lambda: run(aws))
    aws.all_asked()


def test_a_query_that_ended_meanwhile_needs_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS says that it is not running; any other refusal is an error."""
    environment_ = ActivityEnvironment()

    def cancelled(_seconds: float) -> None:
        environment_.cancel(ActivityCancellationDetails(cancel_requested=True))
        raise CancelledError

    monkeypatch.setattr("activities.aws.shared.logs_insights.time.sleep", cancelled)
    aws = server(RUNNING)
    aws.stubber.add_client_error("stop_query", "InvalidParameterException")
    with pytest.raises(CancelledError):
        environment_.run(lambda: run(aws))


def test_one_query_too_many_is_waited_for() -> None:
    """The quota is of all that run at once: it passes."""
    aws = Stubbed("logs")
    aws.stubber.add_client_error("start_query", "LimitExceededException")
    with pytest.raises(Exception, match="LimitExceeded") as refused:
        run(aws)
    assert kind_of(refused.value) is ErrorKind.WRONG_STATE


def test_nothing_is_not_well() -> None:
    """An empty log shows no trouble, and would not."""
    assert Counted([]).blind
    assert Counted([]).told() == "; the log has no line in this time"
