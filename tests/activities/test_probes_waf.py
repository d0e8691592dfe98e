import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.aws.network.wafv2_requests import Requests, RequestsParams
from activities.aws.shared.error_mapping import kind_of
from domain.model.finding import Finding, FindingStatus
from domain.values.errors import ErrorKind
from tests.activities.given import Stubbed
from tests.activities.scopes import NOW, environment, scope

GROUP = "aws-waf-logs-axis"
GROUP_ARN = f"arn:aws:logs:ap-southeast-2:123456789012:log-group:{GROUP}"
ACL = "arn:aws:wafv2:ap-southeast-2:123456789012:regional/webacl/axis-waf/1"
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


class Aws(Stubbed):
    """The web ACL's log, and AWS WAF, which tells where it goes and what of it."""

    def __init__(self, **logging: Any) -> None:
        super().__init__("logs")
        self.waf = Stubbed("wafv2")
        listed = {"Name": "axis-waf", "Id": "1", "ARN": ACL, "LockToken": "token"}
        self.waf.answer("list_web_acls", {"WebACLs": [listed]})
        config = {"ResourceArn": ACL, "LogDestinationConfigs": [GROUP_ARN], **logging}
        if GROUP_ARN in config["LogDestinationConfigs"]:
            self.answer("describe_log_groups", {"logGroups": []})
        self.waf.answer("get_logging_configuration", {"LoggingConfiguration": config}, {"ResourceArn": ACL})

    def client(self, service: str) -> Any:
        return self.waf.client(service) if service == "wafv2" else super().client(service)


def seen(
    *pages: list[dict[str, Any]],
    protected: tuple[str, ...] = (),
    logging: dict[str, Any] | None = None,
    **params: Any,
) -> Finding:
    logs = Aws(**logging or {})
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
    assert "allowed 1 request and blocked 1 time" in finding.summary


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
    assert finding.facts["unread"] == len(events)


@pytest.mark.parametrize("missing", ["timestamp", "action", "httpRequest", "clientIp"])
def test_one_null_among_the_rest_is_counted(missing: str) -> None:
    """A record that lacks what it takes spoils none of the others, counts for no address, and is not taken for well."""
    event = line("192.0.2.5")
    record = json.loads(event["message"])
    (record if missing in record else record["httpRequest"])[missing] = None
    bad = {**event, "message": json.dumps(record)}
    finding = seen([line("192.0.2.4"), bad])
    assert finding.status is FindingStatus.UNKNOWN
    assert (finding.facts["unread"], finding.facts["requests"], finding.facts["addresses"]) == (1, 1, 1)
    assert "1 lines could not be read" in finding.summary
    trouble = seen([line("198.51.100.23", ago=one) for one in range(120)], [bad])
    assert (trouble.status, trouble.facts["unread"]) == (FindingStatus.SUSPECT, 1)


def only(behavior: str, *actions: str, requirement: str = "MEETS_ANY") -> dict[str, Any]:
    conditions = [{"ActionCondition": {"Action": action}} for action in actions]
    return {"Behavior": behavior, "Requirement": requirement, "Conditions": conditions}


LABEL = {"LabelNameCondition": {"LabelName": "awswaf:seen"}}


@pytest.mark.parametrize(
    ("filters", "default", "dropped"),
    [
        ([only("KEEP", "BLOCK")], "DROP", True),
        ([only("KEEP", "BLOCK", "ALLOW")], "DROP", False),
        ([only("DROP", "ALLOW")], "KEEP", True),
        ([only("DROP", "BLOCK")], "KEEP", False),
        ([only("DROP", "COUNT")], "KEEP", True),
        ([only("DROP", "EXCLUDED_AS_COUNT", "BLOCK")], "KEEP", True),
        ([only("DROP", "COUNT", "BLOCK", requirement="MEETS_ALL")], "KEEP", False),
        ([{**only("DROP", "BLOCK"), "Conditions": [LABEL]}], "KEEP", True),
        (
            [{**only("KEEP", requirement="MEETS_ALL"), "Conditions": [*only("KEEP", "ALLOW")["Conditions"], LABEL]}],
            "DROP",
            True,
        ),
    ],
)
def test_a_log_that_drops_allowed_requests_is_not_well(filters: list[Any], default: str, dropped: bool) -> None:
    """What was allowed is what a breach shows in: where it is filtered out, nobody who stands out is no proof."""
    finding = seen(
        [line("192.0.2.9", "BLOCK")], logging={"LoggingFilter": {"Filters": filters, "DefaultBehavior": default}}
    )
    assert ("leaves out allowed requests" in finding.summary) == dropped
    assert (finding.status is FindingStatus.UNKNOWN) == bool(finding.facts["hides"])


def test_a_log_that_drops_blocked_requests_is_not_well() -> None:
    """Whether an address was blocked before it was allowed is not seen then."""
    given = {"Filters": [only("KEEP", "ALLOW")], "DefaultBehavior": "DROP"}
    finding = seen([line("192.0.2.9")], logging={"LoggingFilter": given})
    assert (finding.status, finding.facts["hides"]) == (FindingStatus.UNKNOWN, ["leaves out blocked requests"])


def test_a_request_without_its_path_matches_none_and_is_not_well() -> None:
    """It may have been one of those that are asked for; without a path in question it counts."""
    bare = line("192.0.2.9")
    record = json.loads(bare["message"])
    record["httpRequest"]["uri"] = None
    bare = {**bare, "message": json.dumps(record)}
    assert seen([line("192.0.2.4"), bare], path=DOWNLOADS).facts["unread"] == 1
    assert seen([line("192.0.2.4"), bare]).status is FindingStatus.OK


@pytest.mark.parametrize("at", ["1e400", "9" * 30, '"soon"'])
def test_a_time_that_is_none_spoils_nothing(at: str) -> None:
    """One record cannot end the reading of the others."""
    bad = {
        **line("192.0.2.5"),
        "message": f'{{"timestamp": {at}, "action": "ALLOW", "httpRequest": {{"clientIp": "::1"}}}}',
    }
    assert seen([line("192.0.2.4"), bad]).facts["unread"] == 1


def test_paths_that_are_hidden_match_nothing() -> None:
    """Then a threshold for one path is never reached, whatever is downloaded."""
    hidden: dict[str, Any] = {"RedactedFields": [{"UriPath": {}}]}
    finding = seen([line("192.0.2.9")], path=DOWNLOADS, logging=hidden)
    assert finding.status is FindingStatus.UNKNOWN
    assert "hides paths" in finding.summary
    assert seen([line("192.0.2.9")], logging=hidden).status is FindingStatus.OK


@pytest.mark.parametrize(
    "place",
    ["arn:aws:s3:::aws-waf-logs-axis", "arn:aws:firehose:ap-southeast-2:123456789012:deliverystream/aws-waf-logs-a"],
)
def test_a_log_that_goes_elsewhere_is_named_and_not_read(place: str) -> None:
    """The finding leads to it; what once stood in the log group tells nothing of today."""
    aws = Aws(LogDestinationConfigs=[place])
    finding = Requests(aws).observe(scope(), RequestsParams(web_acl="portal"), NOW)
    assert (finding.status, finding.evidence) == (FindingStatus.UNKNOWN, place)
    aws.all_asked()


def test_a_web_acl_that_logs_nowhere_is_unknown() -> None:
    """Nothing is kept, so nothing can be looked up."""
    aws = Aws()
    aws.waf = Stubbed("wafv2")
    listed = {"Name": "axis-waf", "Id": "1", "ARN": ACL, "LockToken": "token"}
    aws.waf.answer("list_web_acls", {"WebACLs": [listed]})
    aws.waf.stubber.add_client_error("get_logging_configuration", "WAFNonexistentItemException")
    finding = Requests(aws).observe(scope(), RequestsParams(web_acl="portal"), NOW)
    assert finding.summary == "portal: the web ACL logs nowhere"


def test_a_busy_log_is_read_to_a_limit_and_that_is_said() -> None:
    """After fifty pages there is more to search: without a suspect that is unknown."""
    logs = Aws()
    for number in range(50):
        logs.answer("filter_log_events", {"events": [line(f"192.0.2.{number}")], "nextToken": str(number)})
    finding = Requests(logs).observe(scope(), RequestsParams(web_acl="portal"), NOW)
    assert finding.status is FindingStatus.UNKNOWN
    assert finding.facts["truncated"]
    logs.all_asked()


def test_only_the_window_is_asked_for() -> None:
    """The window ends at the given instant, which a retry repeats."""
    logs = Aws()
    end = int(NOW.timestamp() * 1000)
    expected = {"logGroupName": GROUP, "startTime": end - 600_000, "endTime": end, "startFromHead": False}
    logs.answer("filter_log_events", {"events": [line("192.0.2.4")]}, expected)
    Requests(logs).observe(scope(), RequestsParams(web_acl="portal", window=timedelta(minutes=10)), NOW)


def test_a_log_group_that_is_not_there_is_an_error_of_its_kind() -> None:
    """The workflow makes it unknown, and no retry helps."""
    aws = Aws()
    aws.stubber.add_client_error("filter_log_events", "ResourceNotFoundException")
    with pytest.raises(ClientError) as caught:
        Requests(aws).observe(scope(), RequestsParams(web_acl="portal"), NOW)
    assert kind_of(caught.value) is ErrorKind.NOT_FOUND
