from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from activities.action import NoParams, RuleError
from activities.aws.observability.support_cases import CaseParams, OpenCase, ResolveCase
from activities.statuspage_client import StatusPageClient
from domain.values.severity import Severity
from tests.activities.aws_calls import RecordedAws, recorded_aws
from tests.activities.scopes import scope


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with recorded_aws() as clients:
        clients.fail("DescribeSeverityLevels", "InternalServerError", 500)
        yield clients


def world(aws: RecordedAws) -> tuple[RecordedAws, StatusPageClient]:
    return aws, StatusPageClient("http://127.0.0.1:9", "")


def offers(aws: RecordedAws, *codes: str) -> None:
    aws.answer("DescribeSeverityLevels", lambda _: {"severityLevels": [{"code": code, "name": code} for code in codes]})


def test_opened_once(aws: RecordedAws) -> None:
    """A case is opened once, however often it is asked for, and found again by the id in its subject."""
    first = OpenCase(*world(aws)).send(scope(), CaseParams(), 1)
    again = OpenCase(*world(aws)).send(scope(), CaseParams(), 2)
    [case] = aws.sent("CreateCase")
    assert case["subject"].startswith("[inc-20261123-7f3k] ")
    assert again.reference == first.reference
    assert first.reference.startswith("case-")


def test_the_look_covers_resolved_cases_since_the_declaration(aws: RecordedAws) -> None:
    """The look before opening sees resolved cases too, back to an hour before the incident was declared."""
    OpenCase(*world(aws)).send(scope(), CaseParams(), 1)
    [look] = aws.sent("DescribeCases")
    assert look["includeResolvedCases"] is True
    assert datetime.fromisoformat(look["afterTime"]) < scope().declared_at


def test_found_on_a_later_page(aws: RecordedAws) -> None:
    """A case on a later page of the list is found as well."""
    pages: dict[str | None, dict[str, Any]] = {
        None: {"cases": [_case("case-1", "[inc-20261123-aaaa] P0", "opened")], "nextToken": "more"},
        "more": {"cases": [_case("case-2", "[inc-20261123-7f3k] P0", "resolved")]},
    }
    aws.answer("DescribeCases", lambda params: pages[params.get("nextToken")])
    assert OpenCase(*world(aws)).send(scope(), CaseParams(), 1).reference == "case-2"
    assert not aws.sent("CreateCase")


def test_a_lost_answer_is_looked_up(aws: RecordedAws) -> None:
    """Opening sends one request; when its answer is lost, the next attempt finds the case."""

    def lost(params: dict[str, Any]) -> Any:
        aws.answer("CreateCase", lambda _: None)
        aws.client("support").create_case(**params)
        raise ReadTimeoutError(endpoint_url="https://support.us-east-1.amazonaws.com")

    aws.answer("CreateCase", lost)
    with pytest.raises(ReadTimeoutError):
        OpenCase(*world(aws)).send(scope(), CaseParams(), 1)
    aws.calls.clear()
    assert OpenCase(*world(aws)).send(scope(), CaseParams(), 1).reference.startswith("case-")
    assert not aws.sent("CreateCase")


@pytest.mark.parametrize(
    ("severity", "offered", "expected"),
    [
        ("P0", ("low", "normal", "high", "urgent", "critical"), "critical"),
        ("P0", ("low", "normal", "high", "urgent"), "urgent"),
        ("P1", ("low", "normal", "high", "urgent", "critical"), "urgent"),
        ("P2", ("low", "normal", "high"), "normal"),
        ("P3", ("low", "normal"), "low"),
    ],
)
def test_severity(aws: RecordedAws, severity: str, offered: tuple[str, ...], expected: str) -> None:
    """A case is as grave as the incident, or as the plan allows."""
    offers(aws, *offered)
    OpenCase(*world(aws)).send(scope(severity=Severity(severity)), CaseParams(), 1)
    assert aws.sent("CreateCase")[0]["severityCode"] == expected


@pytest.mark.parametrize(("code", "status"), [("InternalServerError", 500), ("AccessDeniedException", 400)])
def test_severity_levels_unread(aws: RecordedAws, code: str, status: int) -> None:
    """A list of severities that cannot be read does not keep a case from being opened."""
    aws.fail("DescribeSeverityLevels", code, status)
    OpenCase(*world(aws)).send(scope(), CaseParams(), 1)
    assert aws.sent("CreateCase")[0]["severityCode"] == "urgent"


@pytest.mark.parametrize("operation", ["DescribeCases", "DescribeSeverityLevels", "CreateCase"])
def test_no_plan_is_refused(aws: RecordedAws, operation: str) -> None:
    """An account without a support plan that has the API is told so, and what to do instead."""
    aws.fail(operation, "SubscriptionRequiredException")
    with pytest.raises(RuleError, match=r"support plan has no Support API.*console"):
        OpenCase(*world(aws)).send(scope(), CaseParams(), 1)


def test_other_errors_pass(aws: RecordedAws) -> None:
    """Any other error keeps its code, which decides whether it is tried again."""
    aws.fail("CreateCase", "CaseCreationLimitExceeded")
    with pytest.raises(ClientError) as raised:
        OpenCase(*world(aws)).send(scope(), CaseParams(), 1)
    assert raised.value.response["Error"]["Code"] == "CaseCreationLimitExceeded"


def test_no_free_text_leaves(aws: RecordedAws) -> None:
    """Nothing that a person typed is sent to AWS Support."""
    OpenCase(*world(aws)).send(scope(title="file of bed 9"), CaseParams(), 1)
    assert "bed 9" not in str(aws.sent("CreateCase"))


def test_resolved(aws: RecordedAws) -> None:
    """Open cases of the incident are resolved, those of others and resolved ones are left alone."""
    cases = [
        _case("case-1", "[inc-20261123-aaaa] P0", "opened"),
        _case("case-2", "[inc-20261123-7f3k] P0", "opened"),
        _case("case-3", "[inc-20261123-7f3k] P0", "resolved"),
    ]
    aws.answer("DescribeCases", lambda _: {"cases": cases})
    aws.answer("ResolveCase", lambda _: {"finalCaseStatus": "resolved"})
    assert ResolveCase(*world(aws)).send(scope(), NoParams(), 1).reference == "case-2"
    assert aws.sent("ResolveCase") == [{"caseId": "case-2"}]


def test_nothing_to_resolve(aws: RecordedAws) -> None:
    """An incident that opened no case has none to resolve, which is no error."""
    assert ResolveCase(*world(aws)).send(scope(), NoParams(), 1).reference == "none"


def _case(case_id: str, subject: str, status: str) -> dict[str, Any]:
    return {"caseId": case_id, "subject": subject, "status": status}
