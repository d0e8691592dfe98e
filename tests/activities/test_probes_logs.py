import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from activities.aws.observability.logs_errors import LogErrors, LogErrorsParams
from domain.model.finding import FindingStatus
from tests.activities.given import Stubbed, moto
from tests.activities.scopes import NOW, scope

PARAMS = LogErrorsParams(service="backend")


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def event(minutes_ago: float, stream: str = "a") -> dict[str, Any]:
    when = milliseconds(NOW - timedelta(minutes=minutes_ago))
    return {"timestamp": when, "message": "ERROR patient 4711", "logStreamName": stream, "eventId": f"{minutes_ago}"}


def test_empty_pages_with_a_token_are_read_past() -> None:
    """CloudWatch may answer nothing and still have more: every page is read, the window in milliseconds."""
    aws = Stubbed("logs")
    asked = {
        "logGroupName": "/ecs/axis-backend",
        "filterPattern": "ERROR",
        "startTime": milliseconds(NOW - timedelta(hours=1)),
        "endTime": milliseconds(NOW),
    }
    aws.answer("filter_log_events", {"events": [], "nextToken": "1"}, asked | {"startFromHead": False})
    aws.answer("filter_log_events", {"events": [event(5)], "nextToken": "2"}, asked | {"nextToken": "1"})
    aws.answer("filter_log_events", {"events": [], "nextToken": "3"}, asked | {"nextToken": "2"})
    aws.answer("filter_log_events", {"events": [event(50, "b"), event(20)]}, asked | {"nextToken": "3"})
    finding = LogErrors(aws).observe(scope(), PARAMS, NOW)
    aws.all_asked()
    assert finding.status is FindingStatus.SUSPECT
    assert finding.summary == (
        "backend: 3 ERROR in the logs of the last 1h, between 23 Nov 02:40 UTC and 23 Nov 03:25 UTC"
    )
    assert (finding.facts["count"], finding.facts["streams"], finding.facts["truncated"]) == (3, 2, False)
    assert (finding.facts["first_at"], finding.facts["last_at"]) == ("2026-11-23T02:40:00Z", "2026-11-23T03:25:00Z")
    assert finding.evidence == "/ecs/axis-backend from 2026-11-23T02:30:00Z to 2026-11-23T03:30:00Z"
    assert finding.facts["follow"] == "aws logs tail /ecs/axis-backend --follow --region ap-southeast-2"


def test_log_text_never_leaves_the_probe() -> None:
    """Log lines may hold health information: counts, times and a reference come back, no line."""
    aws = Stubbed("logs")
    aws.answer("filter_log_events", {"events": [event(5)]})
    finding = LogErrors(aws).observe(scope(), PARAMS, NOW)
    assert "4711" not in json.dumps(finding.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        ([event(5)], FindingStatus.SUSPECT, "at least 50 ERROR"),
        ([], FindingStatus.UNKNOWN, "no ERROR in the logs of the last 1h searched so far"),
    ],
)
def test_a_search_without_end_is_cut_and_says_so(
    found: list[dict[str, Any]], status: FindingStatus, words: str
) -> None:
    """After 50 pages the probe stops; a cut search that found nothing does not say that all is well."""
    aws = Stubbed("logs")
    for number in range(50):
        aws.answer("filter_log_events", {"events": found, "nextToken": str(number)})
    finding = LogErrors(aws).observe(scope(), PARAMS, NOW)
    assert finding.status is status
    assert finding.facts["truncated"]
    assert words in finding.summary


def test_fewer_errors_than_the_threshold_are_ok() -> None:
    """A service that always logs a few errors can be told apart from one that broke."""
    aws = Stubbed("logs")
    aws.answer("filter_log_events", {"events": [event(5), event(6)]})
    params = LogErrorsParams(service="backend", threshold=3)
    assert LogErrors(aws).observe(scope(), params, NOW).status is FindingStatus.OK


def test_errors_of_a_real_log_group_are_counted() -> None:
    """Only matching lines within the window count; a log group that is gone is an error, not a finding."""
    at = datetime.now(NOW.tzinfo)
    with moto() as aws:
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            LogErrors(aws).observe(scope(), PARAMS, at)
        logs = aws.client("logs")
        logs.create_log_group(logGroupName="/ecs/axis-backend")
        logs.create_log_stream(logGroupName="/ecs/axis-backend", logStreamName="a")
        lines = [(90, "ERROR too early"), (30, "ERROR one"), (20, "INFO fine"), (10, "ERROR two")]
        logs.put_log_events(
            logGroupName="/ecs/axis-backend",
            logStreamName="a",
            logEvents=[
                {"timestamp": milliseconds(at - timedelta(minutes=ago)), "message": line} for ago, line in lines
            ],
        )
        finding = LogErrors(aws).observe(scope(), PARAMS, at)
        assert (finding.status, finding.facts["count"]) == (FindingStatus.SUSPECT, 2)
        narrow = LogErrorsParams.model_validate({"service": "backend", "window": "15m"})
        assert LogErrors(aws).observe(scope(), narrow, at).facts["count"] == 1


@pytest.mark.parametrize("wrong", [{"window": "0m"}, {"pattern": ""}, {"threshold": 0}, {"since": "1h"}])
def test_parameters_that_would_find_nothing_are_refused(wrong: dict[str, Any]) -> None:
    """An empty window or pattern and unknown parameters are refused when the runbook is read."""
    with pytest.raises(ValidationError):
        LogErrorsParams.model_validate({"service": "backend"} | wrong)
