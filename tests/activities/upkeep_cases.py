"""What the probes of trails, alarms, backups and the like may be shown that they cannot judge by."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sandbox.aws import cloudtrail
from tests.activities.aws_calls import RecordedAws
from tests.activities.scopes import ACCOUNT, NOW, REGION, environment, scope
from tests.activities.unread import Case, Look, ProbeCases

_WHERE = scope(
    environment=environment(
        trails={"account": "axis-trail"},
        certificates={"portal": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b2c3d"},
        dashboards={"main": "axis-main"},
        health={"api": {"url": "http://127.0.0.1:9/health", "attempts": 1, "timeout_seconds": 1}},
    )
)
_TYPED = "its answers are typed by AWS's API: no field that the probe reads can be of another kind"
_NOW_ALONE = "it asks for the state as it is now, which has no age"
_ONE = "it looks at one thing by its name, not at a list of records"


def _look(aws: Any, **params: Any) -> Look:
    return Look(aws, params, _WHERE)


def _answered(operation: str, answer: Callable[[dict[str, Any]], Any], **params: Any) -> Look:
    aws = RecordedAws()
    aws.answer(operation, answer)
    return _look(aws, **params)


def _trail(*, made: bool) -> Look:
    """A trail that somebody emptied the selectors of: it logs and delivers, and records nothing that is done."""
    aws = RecordedAws()
    cloudtrail.install()
    if made:
        located: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
        aws.client("s3").create_bucket(Bucket="axis-audit-logs", **located)
        client = aws.client("cloudtrail")
        client.create_trail(Name="axis-trail", S3BucketName="axis-audit-logs")
        client.start_logging(Name="axis-trail")
        none = [{"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": []}]
        client.put_event_selectors(TrailName="axis-trail", EventSelectors=none)
    return Look(aws, {"trail": "account"}, _WHERE, datetime.now(UTC))


def _event(name: str = "ListUsers", ago: int = 10, **changes: Any) -> None:
    event = {
        "eventID": f"{name}-{ago}",
        "eventName": name,
        "eventSource": "iam.amazonaws.com",
        "eventTime": f"{datetime.now(UTC) - timedelta(minutes=ago):%Y-%m-%dT%H:%M:%SZ}",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/somebody"},
        "sourceIPAddress": "198.51.100.61",
    }
    cloudtrail.record(ACCOUNT, "us-east-1", event | changes)


def _rights(*events: Callable[[], None], null: bool = False) -> Look:
    """The event history, with a record among it that is null, as real ones have been seen."""
    aws = RecordedAws()
    cloudtrail.install()
    for event in events:
        event()
    if null:
        cloudtrail.record(
            ACCOUNT, "us-east-1", {**cloudtrail.NULL, "eventTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        )
    return Look(aws, {}, _WHERE, datetime.now(UTC))


def _endless(asked: dict[str, Any]) -> dict[str, Any]:
    return {"Events": [], "NextToken": "more"}


def _alarms(state: str | None) -> Look:
    aws = RecordedAws()
    if state:
        aws.client("cloudwatch").put_metric_alarm(
            AlarmName="cpu",
            Namespace="AWS/ECS",
            MetricName="CPUUtilization",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Period=60,
            Threshold=80,
            Statistic="Average",
        )
        aws.client("cloudwatch").set_alarm_state(AlarmName="cpu", StateValue=state, StateReason="as the test wants it")
    return _look(aws)


def _ringing(asked: dict[str, Any]) -> dict[str, Any]:
    one = {"AlarmName": "cpu", "StateUpdatedTimestamp": NOW - timedelta(days=2), "ActionsEnabled": True}
    return {"MetricAlarms": [one], "CompositeAlarms": [], "NextToken": "more"}


def _dashboard(body: str | None) -> Look:
    if body is None:
        return _look(RecordedAws(), dashboard="main")
    return _answered("GetDashboard", lambda _: {"DashboardBody": body}, dashboard="main")


def _traces(*traces: dict[str, Any], more: bool = False) -> Look:
    page: dict[str, Any] = {"TraceSummaries": list(traces)} | ({"NextToken": "more"} if more else {})
    return _answered("GetTraceSummaries", lambda _: page)


def _objects(*ages: timedelta, more: bool = False) -> Look:
    listed: dict[str, Any] = {"Contents": [{"Key": "k", "LastModified": NOW - age} for age in ages]}
    listed |= {"NextContinuationToken": "more"} if more else {}
    return _answered("ListObjectsV2", lambda _: listed, bucket="audit-logs")


def _certificate(found: dict[str, Any] | None) -> Look:
    if found is None:
        return _look(RecordedAws(), certificate="portal")
    return _answered("DescribeCertificate", lambda _: {"Certificate": found}, certificate="portal")


_GOOD, _BAD = {"HasFault": False, "ResponseTime": 0.1}, {"HasFault": True, "ResponseTime": 9.0}
_HOURS = timedelta(hours=1)

PROBE_CASES: ProbeCases = {
    "cloudtrail.trail_status": {
        Case.NO_SOURCE: partial(_trail, made=False),
        Case.EMPTY: partial(_trail, made=True),
        Case.UNRECOGNISED: "a selector of an unknown kind counts as recording a part alone: test_trails shows each",
        Case.OLD: "a delivery that is too old is suspect, as test_trails shows",
        Case.ONE_UNREADABLE: _ONE,
        Case.CUT_OFF: _ONE,
        Case.TROUBLE_BESIDE_UNREADABLE: _ONE,
    },
    "cloudtrail.privilege_changes": {
        Case.NO_SOURCE: "the event history is there in every account, and cannot be switched off",
        Case.EMPTY: _rights,
        Case.UNRECOGNISED: partial(_rights, null=True),
        Case.OLD: partial(_rights, partial(_event, ago=600)),
        Case.ONE_UNREADABLE: partial(_rights, _event, null=True),
        Case.CUT_OFF: partial(_answered, "LookupEvents", _endless),
        Case.TROUBLE_BESIDE_UNREADABLE: partial(_rights, partial(_event, "CreateAccessKey"), null=True),
    },
    "cloudwatch.alarms": {
        Case.NO_SOURCE: partial(_alarms, None),
        Case.EMPTY: partial(_alarms, None),
        Case.UNRECOGNISED: partial(_alarms, "INSUFFICIENT_DATA"),
        Case.OLD: _NOW_ALONE,
        Case.ONE_UNREADABLE: _TYPED,
        Case.CUT_OFF: partial(_answered, "DescribeAlarms", _ringing),
        Case.TROUBLE_BESIDE_UNREADABLE: _TYPED,
    },
    "cloudwatch.dashboard": {
        Case.NO_SOURCE: partial(_dashboard, None),
        Case.EMPTY: partial(_dashboard, '{"widgets": []}'),
        Case.UNRECOGNISED: partial(_dashboard, "no JSON"),
        Case.OLD: _NOW_ALONE,
        Case.ONE_UNREADABLE: partial(_dashboard, '{"widgets": [{"type": "metric"}, null]}'),
        Case.CUT_OFF: _ONE,
        Case.TROUBLE_BESIDE_UNREADABLE: "it is never suspect: a dashboard that is missing harms nobody",
    },
    "xray.traces": {
        Case.NO_SOURCE: _traces,
        Case.EMPTY: _traces,
        Case.UNRECOGNISED: partial(_traces, {"Id": "1"}),
        Case.OLD: _traces,
        Case.ONE_UNREADABLE: partial(_traces, _GOOD, {"Id": "1"}),
        Case.CUT_OFF: partial(_traces, _GOOD, more=True),
        Case.TROUBLE_BESIDE_UNREADABLE: partial(_traces, _BAD, {"Id": "1"}),
    },
    "s3.newest_object": {
        Case.NO_SOURCE: lambda: _look(RecordedAws(), bucket="audit-logs"),
        Case.EMPTY: _objects,
        Case.UNRECOGNISED: "it reads when objects were written, whatever they are called or hold",
        Case.OLD: partial(_objects, 9 * _HOURS),
        Case.ONE_UNREADABLE: _TYPED,
        Case.CUT_OFF: partial(_objects, 9 * _HOURS, more=True),
        Case.TROUBLE_BESIDE_UNREADABLE: _TYPED,
    },
    "acm.certificate": {
        Case.NO_SOURCE: partial(_certificate, None),
        Case.EMPTY: partial(_certificate, {"Status": "PENDING_VALIDATION"}),
        Case.UNRECOGNISED: partial(_certificate, {"Status": "REVOKED", "NotAfter": NOW + timedelta(days=90)}),
        Case.OLD: partial(_certificate, {"Status": "EXPIRED", "NotAfter": NOW - _HOURS}),
        Case.ONE_UNREADABLE: _ONE,
        Case.CUT_OFF: _ONE,
        Case.TROUBLE_BESIDE_UNREADABLE: _ONE,
    },
    "http.health": {
        Case.NO_SOURCE: lambda: _look(RecordedAws(), endpoint="api"),
        Case.EMPTY: "an answer's body is not read: its status alone says whether the application answers",
        Case.UNRECOGNISED: "a status outside 2xx is a failure, as test_probes_health shows of each",
        Case.OLD: _NOW_ALONE,
        Case.ONE_UNREADABLE: _ONE,
        Case.CUT_OFF: _ONE,
        Case.TROUBLE_BESIDE_UNREADABLE: _ONE,
    },
}
