import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.aws.network.wafv2_requests import Requests, RequestsParams
from activities.aws.shared.error_mapping import kind_of
from domain.model.finding import Finding, FindingStatus
from domain.values.errors import ErrorKind
from tests.activities.given import Stubbed, moto
from tests.activities.scopes import NOW, environment, scope

GROUP = "aws-waf-logs-axis"
DOWNLOADS = "/api/studies/*/download"


def line(address: str, action: str = "ALLOW", uri: str = "/api/studies/7/download", ago: int = 60) -> dict[str, Any]:
    """One line as AWS WAF writes it, cut down to what is read."""
    at = int((NOW - timedelta(seconds=ago)).timestamp() * 1000)
    record = {
        "timestamp": at,
        "action": action,
        "httpRequest": {"clientIp": address, "uri": uri, "args": "name=secret"},
    }
    return {"timestamp": at, "message": json.dumps(record)}


def seen(*pages: list[dict[str, Any]], protected: tuple[str, ...] = (), **params: Any) -> Finding:
    logs = Stubbed("logs")
    for number, events in enumerate(pages):
        token = {"nextToken": str(number)} if number < len(pages) - 1 else {}
        logs.answer("filter_log_events", {"events": events, **token})
    where = scope(environment=environment(protected={"addresses": list(protected)}))
    finding = Requests(logs).observe(where, RequestsParams(web_acl="portal", **params), NOW)
    logs.all_asked()
    return finding


def test_a_flood_of_downloads_is_suspect() -> None:
    """An address that was allowed a hundred of the requests in question stands out, with its counts and its peak."""
    ordinary = [line("192.0.2.4", uri="/"), line("192.0.2.4")]
    finding = seen([line("198.51.100.23", ago=one) for one in range(120)], ordinary, path=DOWNLOADS)
    assert finding.status is FindingStatus.SUSPECT
    assert finding.facts["suspects"] == ["198.51.100.23"]
    first = finding.facts["by_address"][0]
    assert (first["allowed"], first["matching"], first["blocked"], first["why"]) == (120, 120, 0, "volume")
    assert first["most_a_minute"] >= 59
    assert finding.facts["requests"] == 122
    assert "secret" not in finding.model_dump_json()


def test_blocked_and_allowed_of_one_address_is_suspect() -> None:
    """What was blocked is only what was stopped: the same address got through."""
    finding = seen([line("198.51.100.23", "BLOCK", ago=90), line("198.51.100.23"), line("192.0.2.9", "BLOCK")])
    assert finding.facts["suspects"] == ["198.51.100.23"]
    assert finding.facts["by_address"][0]["why"] == "blocked-and-allowed"
    assert "allowed 1 requests and blocked 1 times" in finding.summary


def test_addresses_stopped_or_ordinary_are_well() -> None:
    """Nobody who was only blocked got anything, and a few requests are what people make; other paths do not count."""
    others = [line("192.0.2.4", uri="/other") for _ in range(500)]
    finding = seen([line("192.0.2.9", "BLOCK"), *others, *[line("192.0.2.4")] * 99], path=DOWNLOADS)
    assert finding.status is FindingStatus.OK


def test_ours_are_counted_and_never_suspect() -> None:
    """Health checkers and offices make many requests."""
    finding = seen([line("203.0.113.70")] * 300, protected=("203.0.113.64/28",))
    assert finding.status is FindingStatus.OK
    assert finding.facts["by_address"][0]["ours"]


def test_ipv6_addresses_are_told_apart_however_written() -> None:
    """Two spellings are one address."""
    finding = seen([line("2001:DB8:0:0::23"), line("2001:db8::23", "BLOCK")])
    assert finding.facts["suspects"] == ["2001:db8::23"]


@pytest.mark.parametrize("events", [[], [{"timestamp": 1, "message": "not json"}, {"timestamp": 1, "message": "[1]"}]])
def test_a_silent_log_is_unknown(events: list[dict[str, Any]]) -> None:
    """No line that can be read does not mean that all is well: logging may have been switched off."""
    finding = seen(events)
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.facts["unreadable"] == len(events)


def test_a_busy_log_is_read_to_a_limit_and_that_is_said() -> None:
    """After fifty pages there is more to search: without a suspect that is unknown."""
    logs = Stubbed("logs")
    for number in range(50):
        logs.answer("filter_log_events", {"events": [line(f"192.0.2.{number}")], "nextToken": str(number)})
    finding = Requests(logs).observe(scope(), RequestsParams(web_acl="portal"), NOW)
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.facts["truncated"]
    logs.all_asked()


def test_only_the_window_is_asked_for() -> None:
    """The window ends at the given instant, which a retry repeats."""
    logs = Stubbed("logs")
    end = int(NOW.timestamp() * 1000)
    expected = {"logGroupName": GROUP, "startTime": end - 600_000, "endTime": end, "startFromHead": False}
    logs.answer("filter_log_events", {"events": [line("192.0.2.4")]}, expected)
    Requests(logs).observe(scope(), RequestsParams(web_acl="portal", window=timedelta(minutes=10)), NOW)


def test_a_log_group_that_is_not_there_is_an_error_of_its_kind() -> None:
    """The workflow makes it unknown, and no retry helps."""
    with moto() as clients, pytest.raises(ClientError) as caught:
        Requests(clients).observe(scope(), RequestsParams(web_acl="portal"), NOW)
    assert kind_of(caught.value) is ErrorKind.NOT_FOUND
