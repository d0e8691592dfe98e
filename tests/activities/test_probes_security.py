import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activities.aws.identity.cloudtrail_privilege_changes import PrivilegeChanges, PrivilegeChangesParams
from activities.aws.shared.error_mapping import kind_of
from domain.model.finding import FindingStatus
from domain.values.errors import ErrorKind
from tests.activities.given import Stubbed
from tests.activities.scopes import NOW, scope

BAD = "198.51.100.61"


class Trail(Stubbed):
    """CloudTrail's clients of the one region in which IAM's events are."""

    def client(self, service: str) -> Any:
        assert service == "cloudtrail@us-east-1"
        return super().client("cloudtrail")


def changed(
    name: str = "CreateAccessKey",
    arn: str = "arn:aws:iam::1:user/jane.doe",
    error: str | None = None,
    address: str = BAD,
) -> Any:
    record = {"userIdentity": {"type": "IAMUser", "arn": arn}, "sourceIPAddress": address, "errorCode": error}
    return {"EventId": "e", "EventName": name, "EventTime": NOW, "CloudTrailEvent": json.dumps(record)}


@pytest.fixture
def paces(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the probe waited between pages; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr("activities.aws.shared.pages.time.sleep", waited.append)
    return waited


def test_every_page_of_iam_events_is_read_at_two_a_second(paces: list[float]) -> None:
    """CloudTrail throttles faster readers; empty pages are read past."""
    aws = Trail("cloudtrail")
    asked = {
        "LookupAttributes": [{"AttributeKey": "EventSource", "AttributeValue": "iam.amazonaws.com"}],
        "StartTime": NOW - timedelta(hours=2),
        "EndTime": NOW,
        "MaxResults": 50,
    }
    aws.answer("lookup_events", {"Events": [changed("ListUsers")], "NextToken": "1"}, asked)
    aws.answer("lookup_events", {"Events": [], "NextToken": "2"}, asked | {"NextToken": "1"})
    aws.answer("lookup_events", {"Events": [changed(), changed(error="AccessDenied")]}, asked | {"NextToken": "2"})
    finding = PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(), NOW)
    aws.all_asked()
    assert paces == [0.5, 0.5]
    assert finding.status is FindingStatus.SUSPECT
    assert (finding.facts["changes"], finding.facts["refused"]) == (1, 1)
    assert "jane" not in json.dumps(finding.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("event", "expected"),
    [(changed(arn="arn:aws:iam::1:role/release"), ("arn:aws:iam::*:role/release",)), (changed(error="Denied"), ())],
)
def test_expected_and_refused_changes_are_not_suspect(event: Any, expected: tuple[str, ...]) -> None:
    """The delivery pipeline's own changes raise no alarm, and what AWS refused did not happen."""
    aws = Trail("cloudtrail")
    aws.answer("lookup_events", {"Events": [event]})
    finding = PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(expected=expected), NOW)
    assert finding.status is FindingStatus.OK


@pytest.mark.parametrize(
    ("address", "words"),
    [(BAD, BAD), ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com"), ("Jo Example's laptop", None)],
)
def test_where_a_change_came_from_is_an_address_or_a_service(address: str, words: str | None) -> None:
    """Whatever else stands there is not told."""
    aws = Trail("cloudtrail")
    aws.answer("lookup_events", {"Events": [changed(address=address)]})
    finding = PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(), NOW)
    assert finding.facts["events"][0]["address"] == words


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ThrottlingException", ErrorKind.TRANSIENT), ("InvalidTimeRangeException", ErrorKind.INVALID_REQUEST)],
)
def test_a_trail_that_does_not_answer_is_an_error_of_its_kind(code: str, kind: str) -> None:
    """The event history throttled, or asked wrongly, is no finding."""
    aws = Trail("cloudtrail")
    for _ in range(3):
        aws.stubber.add_client_error("lookup_events", code)
    with pytest.raises(ClientError) as failed:
        PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(), NOW)
    assert kind_of(failed.value) is kind


def test_the_search_for_iam_events_ends(paces: list[float]) -> None:
    """After 40 pages the probe stops within its time and says that there is more."""
    aws = Trail("cloudtrail")
    for number in range(40):
        aws.answer("lookup_events", {"Events": [], "NextToken": str(number)})
    finding = PrivilegeChanges(aws).observe(scope(), PrivilegeChangesParams(), NOW)
    assert (finding.status, finding.facts["truncated"]) == (FindingStatus.UNKNOWN, True)
    assert sum(paces) < 30
