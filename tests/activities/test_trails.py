"""A trail that logs may still leave out what matters."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.aws.observability.cloudtrail_logging import StartLogging, StartLoggingParams, TrailParams, TrailStatus
from activities.aws.observability.trail_coverage import uncovered
from domain.model.finding import FindingStatus
from sandbox.aws import cloudtrail
from tests.activities.aws_calls import RecordedAws
from tests.activities.scopes import ACCOUNT, REGION, environment, scope

WHERE = scope(environment=environment(trails={"account": "axis-trail"}))
MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


def basic(**changes: Any) -> dict[str, Any]:
    return {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True} | changes]}


def advanced(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"AdvancedEventSelectors": [{"FieldSelectors": list(fields)}]}


def together(*several: dict[str, Any]) -> dict[str, Any]:
    """A trail with all of their selectors."""
    return {name: [one for each in several for one in each[name]] for name in several[0]}


READS: dict[str, Any] = {"Field": "readOnly", "Equals": ["true"]}
WRITES: dict[str, Any] = {"Field": "readOnly", "Equals": ["false"]}
IAM: dict[str, Any] = {"Field": "eventSource", "Equals": ["iam.amazonaws.com"]}


@pytest.mark.parametrize(
    ("selectors", "told"),
    [
        (basic(), []),
        (basic(IncludeManagementEvents=False), ["records no management events"]),
        ({"EventSelectors": [], "AdvancedEventSelectors": None}, ["records no management events"]),
        (basic(ReadWriteType="WriteOnly"), ["records WriteOnly events alone"]),
        (basic(ExcludeManagementEventSources=["kms.amazonaws.com"]), ["leaves out kms.amazonaws.com"]),
        (advanced(MANAGEMENT), []),
        (advanced({"Field": "eventCategory", "Equals": ["Data"]}), ["records no management events"]),
        (advanced(MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}), ["records ReadOnly events alone"]),
        (
            advanced(MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}),
            ["leaves out kms.amazonaws.com"],
        ),
        (
            advanced(MANAGEMENT, {"Field": "eventSource", "Equals": ["iam.amazonaws.com"]}),
            ["records a part alone, by eventSource"],
        ),
        (together(basic(ReadWriteType="ReadOnly"), basic(ReadWriteType="WriteOnly")), []),
        (
            together(
                basic(ReadWriteType="ReadOnly", ExcludeManagementEventSources=["kms.amazonaws.com"]),
                basic(ReadWriteType="WriteOnly"),
            ),
            ["leaves out kms.amazonaws.com"],
        ),
        (together(advanced(MANAGEMENT, READS), advanced(MANAGEMENT, WRITES)), []),
        (
            together(advanced(MANAGEMENT, READS), advanced(MANAGEMENT, WRITES, IAM)),
            ["records a part alone, by eventSource"],
        ),
        (
            together(advanced(MANAGEMENT, READS), advanced(MANAGEMENT, READS, IAM)),
            ["records ReadOnly events alone"],
        ),
        (
            together(
                advanced(MANAGEMENT, {"Field": "eventSource", "NotEquals": ["iam.amazonaws.com"]}),
                advanced(MANAGEMENT, IAM),
            ),
            [],
        ),
        (
            together(advanced(MANAGEMENT, IAM), advanced({"Field": "eventCategory", "Equals": ["Data"]}, READS)),
            ["records a part alone, by eventSource"],
        ),
    ],
)
def test_what_the_selectors_leave_out_is_told(selectors: dict[str, Any], told: list[str]) -> None:
    """Emptied selectors, excluded services and halves are named; what records everything leaves nothing out."""
    assert uncovered(selectors) == told


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with mock_aws():
        aws = RecordedAws()
        cloudtrail.install()
        for bucket in ("axis-audit-logs", "elsewhere"):
            located: dict[str, Any] = {"LocationConstraint": REGION}
            aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=located)
        aws.client("cloudtrail").create_trail(Name="axis-trail", S3BucketName="axis-audit-logs")
        aws.client("cloudtrail").start_logging(Name="axis-trail")
        yield aws


def look(aws: RecordedAws, **params: Any) -> Any:
    asked = TrailParams.model_validate({"trail": "account", "bucket": "audit-logs"} | params)
    return TrailStatus(aws).observe(WHERE, asked, datetime.now(UTC))


def test_a_trail_that_records_everything_is_well(aws: RecordedAws) -> None:
    """By default all management events are recorded."""
    assert look(aws).status is FindingStatus.OK


def test_a_trail_that_was_moved_is_suspect(aws: RecordedAws) -> None:
    """It logs and delivers, but not where anybody looks."""
    aws.client("cloudtrail").update_trail(Name="axis-trail", S3BucketName="elsewhere")
    finding = look(aws)
    assert (finding.status, "delivers to elsewhere" in finding.summary) == (FindingStatus.SUSPECT, True)


def test_what_is_left_out_on_purpose_is_not_suspect(aws: RecordedAws) -> None:
    """Excluding KMS is a choice that the runbook can name; what it does not name is suspect."""
    left_out = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    selectors = [left_out | {"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]
    aws.client("cloudtrail").put_event_selectors(TrailName="axis-trail", EventSelectors=selectors)
    assert look(aws).status is FindingStatus.SUSPECT
    assert look(aws, left_out=["kms.amazonaws.com"]).status is FindingStatus.OK


def test_a_trail_of_another_region_is_not_started_here(aws: RecordedAws) -> None:
    """CloudTrail starts a trail in its home region alone, and the plan says so."""
    found = {"TrailARN": f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/axis-trail", "HomeRegion": "us-east-1"}
    aws.answer("GetTrail", lambda _: {"Trail": found})
    with pytest.raises(RuleError, match="it can be started there alone"):
        StartLogging(aws).plan(WHERE, StartLoggingParams(trail="account"))


def test_an_old_delivery_is_suspect(aws: RecordedAws) -> None:
    """Logging alone proves nothing; how long ago it was is told, and not how long it may be."""
    long_ago = {"IsLogging": True, "LatestDeliveryTime": datetime.now(UTC) - timedelta(hours=3, minutes=5)}
    aws.answer("GetTrailStatus", lambda _: long_ago)
    finding = look(aws)
    assert finding.status is FindingStatus.SUSPECT
    assert finding.summary.endswith("has delivered nothing for 3h 5m")
