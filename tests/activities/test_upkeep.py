"""What performance and the runbook's examples look at and change: limits, gates and broken sources."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.cloudwatch.models import cloudwatch_backends
from temporalio.exceptions import ApplicationError

from activities.action import ProbeAction, RuleError
from activities.aws.database.backup_failed_jobs import FailedJobs
from activities.aws.database.pi_load import DatabaseLoad
from activities.aws.database.rds_backups import Backups
from activities.aws.ecs.autoscaling_activities import ScalingActivities
from activities.aws.ecs.cloudwatch_service_load import ServiceLoad
from activities.aws.identity.cognito_pool_status import PoolStatus
from activities.aws.network.acm_certificate import Certificate
from activities.aws.network.cloudwatch_traffic import ErrorRate, ResponseTime
from activities.aws.observability.cloudtrail_logging import TrailStatus
from activities.aws.observability.cloudwatch_alarms import Alarms, AlarmsParams
from activities.aws.observability.logs_lines import LastEvent
from activities.aws.observability.s3_newest_object import NewestObject
from activities.aws.observability.xray_traces import Traces
from activities.catalogue import PROBES
from domain.config.approval import ApprovalClass
from domain.model.finding import Finding, FindingStatus
from sandbox.aws import alarm_mutes
from tests.activities.aws_calls import RecordedAws, balanced, recorded_aws
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import ACCOUNT, BACKEND_TARGETS, NOW, REGION, environment, scope
from tests.activities.trial import Trial
from tests.activities.upkeep_worlds import ALARMS, alarms, insights, scale_out

SERVICE, DATABASE = {"service": "backend"}, {"database": "primary"}
TRAFFIC = {"load_balancer": "portal", "service": "backend"}
OK, SUSPECT, UNKNOWN = FindingStatus.OK, FindingStatus.SUSPECT, FindingStatus.UNKNOWN
WHERE = scope(
    environment=environment(
        trails={"account": "axis-trail"},
        certificates={"portal": "arn:aws:acm:ap-southeast-2:123456789012:certificate/0a1b2c3d"},
        user_pools={"patients": "ap-southeast-2_Pool00001"},
    )
)
SOURCES: list[tuple[type[ProbeAction[Any]], dict[str, Any], str]] = [
    (ScalingActivities, SERVICE, "DescribeScalableTargets"),
    (ServiceLoad, SERVICE, "GetMetricData"),
    (ResponseTime, TRAFFIC, "GetMetricData"),
    (ErrorRate, TRAFFIC, "GetMetricData"),
    (DatabaseLoad, DATABASE, "DescribeDBInstances"),
    (Traces, {}, "GetTraceSummaries"),
    (TrailStatus, {"trail": "account"}, "GetTrailStatus"),
    (LastEvent, SERVICE, "FilterLogEvents"),
    (NewestObject, {"bucket": "audit-logs"}, "ListObjectsV2"),
    (PoolStatus, {"user_pool": "patients"}, "DescribeUserPool"),
    (Backups, DATABASE, "DescribeDBInstances"),
    (FailedJobs, {}, "ListBackupJobs"),
    (Certificate, {"certificate": "portal"}, "DescribeCertificate"),
    (Alarms, {}, "DescribeAlarms"),
]


def look(aws: Any, probe: type[ProbeAction[Any]], params: dict[str, Any]) -> Finding:
    return probe(aws).observe(WHERE, probe.params.model_validate(params), NOW)


def metrics(aws: RecordedAws, **series: list[float]) -> None:
    """Let CloudWatch answer these values, five minutes apart, the last of them five minutes before NOW.

    They are answered to every question whose id begins with their name.
    """

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        step = timedelta(minutes=5)
        results = []
        for one in asked["MetricDataQueries"]:
            values = next(values for name, values in series.items() if one["Id"].startswith(name))
            times = [NOW - step * (len(values) - n) for n in range(len(values))]
            results.append({"Id": one["Id"], "Values": values, "Timestamps": times})
        return {"MetricDataResults": results}

    aws.answer("GetMetricData", answer)


@pytest.mark.parametrize(("probe", "params", "operation"), SOURCES)
def test_a_broken_source_is_an_error(probe: type[ProbeAction[Any]], params: dict[str, Any], operation: str) -> None:
    """What AWS answers passes through, so that the finding becomes unknown and says why."""
    with recorded_aws() as aws:
        aws.answer("DescribeServices", balanced(BACKEND_TARGETS))
        aws.fail(operation, "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDenied"):
            look(aws, probe, params)
    assert PROBES[probe.name] is probe


@pytest.mark.parametrize(
    ("good", "tries", "status"), [(4, 5, OK), (3, 5, SUSPECT), (0, 4, UNKNOWN), (1, 2, UNKNOWN), (4, 4, OK)]
)
def test_too_few_sign_ins_that_fail_are_not_well(good: int, tries: int, status: FindingStatus) -> None:
    """At night nobody may get in, and four tries do not prove it."""
    with recorded_aws() as aws:
        aws.answer("DescribeUserPool", lambda _: {"UserPool": {}})
        aws.answer("ListUserPoolClients", lambda _: {"UserPoolClients": [{"ClientId": "web"}]})
        metrics(aws, good=[good], all=[tries], throttled=[])
        found = look(aws, PoolStatus, {"user_pool": "patients"})
    assert found.status is status
    assert ("too few" in found.summary) == (status is UNKNOWN)


@pytest.mark.parametrize(
    ("probe", "series", "status"),
    [
        (ResponseTime, {"p50": [0.1], "p95": [1.0], "p99": [9.0]}, OK),
        (ResponseTime, {"p50": [0.1], "p95": [1.001], "p99": [9.0]}, SUSPECT),
        (ResponseTime, {"p50": [], "p95": [], "p99": []}, UNKNOWN),
        (ErrorRate, {"requests": [100, 100], "target": [1, 0], "balancer": [0, 1]}, OK),
        (ErrorRate, {"requests": [100, 100], "target": [2, 0], "balancer": [0, 1]}, SUSPECT),
        (ErrorRate, {"requests": [], "target": [], "balancer": []}, UNKNOWN),
        (ServiceLoad, {"cpu": [95, 79], "memory": [40]}, OK),
        (ServiceLoad, {"cpu": [10, 10], "memory": [80]}, SUSPECT),
        (ServiceLoad, {"cpu": [], "memory": [79]}, UNKNOWN),
        (ServiceLoad, {"cpu": [], "memory": [80]}, SUSPECT),
        (ServiceLoad, {"cpu": [10], "memory": []}, UNKNOWN),
    ],
)
def test_limits_of_the_metrics(
    probe: type[ProbeAction[Any]], series: dict[str, list[float]], status: FindingStatus
) -> None:
    """The newest ten minutes count, at the limit it is well, and no data is not well."""
    with recorded_aws() as aws:
        aws.answer("DescribeServices", balanced(BACKEND_TARGETS))
        metrics(aws, **series)
        assert look(aws, probe, SERVICE if probe is ServiceLoad else TRAFFIC).status is status


@pytest.mark.parametrize(("days", "limit", "status"), [(31, 30, OK), (29, 30, SUSPECT), (3.5, 3, OK), (3, 3, SUSPECT)])
def test_a_certificate_is_suspect_by_the_days_left(days: float, limit: int, status: FindingStatus) -> None:
    """Within the limit it is suspect, and the reason why it is not renewed is told."""
    certificate = {"NotAfter": NOW + timedelta(days=days), "Status": "ISSUED", "Type": "AMAZON_ISSUED"}
    renewal = {"RenewalStatus": "FAILED", "RenewalStatusReason": "CAA_ERROR"}
    with recorded_aws() as aws:
        aws.answer("DescribeCertificate", lambda _: {"Certificate": certificate | {"RenewalSummary": renewal}})
        finding = look(aws, Certificate, {"certificate": "portal", "days": limit})
    assert finding.status is status
    assert "FAILED (CAA_ERROR)" in finding.summary


def test_silence_is_suspect_and_an_unfinished_search_unknown() -> None:
    """A log without a line for so long is suspect; one that was not searched to its end is unknown."""
    with recorded_aws() as aws:
        aws.answer("DescribeLogGroups", lambda _: {"logGroups": []})
        aws.answer("FilterLogEvents", lambda _: {"events": []})
        assert look(aws, LastEvent, SERVICE).status is SUSPECT
        line = {"timestamp": int(NOW.timestamp() * 1000), "message": "INFO tide read"}
        aws.answer("FilterLogEvents", lambda _: {"events": [line]})
        assert look(aws, LastEvent, SERVICE).status is OK
        busy = [{"logGroupName": "/ecs/axis-backend", "storedBytes": 10**12}]
        aws.answer("DescribeLogGroups", lambda _: {"logGroups": busy})
        aws.answer("StartQuery", lambda _: {"queryId": "q"})
        rows = [[{"field": "lines", "value": "1"}, {"field": "first", "value": "0"}, {"field": "last", "value": "0"}]]
        aws.answer("GetQueryResults", lambda _: {"status": "Complete", "results": rows * 10_000})
        assert look(aws, LastEvent, SERVICE).status is UNKNOWN


def test_the_newest_object_of_every_page_counts() -> None:
    """Pages are read to the end, of today and of yesterday."""
    pages = {
        None: {"Contents": [{"Key": "a", "LastModified": NOW - timedelta(hours=1)}], "NextContinuationToken": "2"},
        "2": {"Contents": [{"Key": "b", "LastModified": NOW - timedelta(hours=5)}]},
    }
    with recorded_aws() as aws:
        aws.answer("ListObjectsV2", lambda asked: pages[asked.get("ContinuationToken")])
        finding = look(aws, NewestObject, {"bucket": "audit-logs", "prefix": "AWSLogs/{account}/{day}/"})
        asked = [one["Prefix"] for one in aws.sent("ListObjectsV2")]
    assert finding.status is OK
    assert asked == ["AWSLogs/123456789012/2026/11/23/"] * 2 + ["AWSLogs/123456789012/2026/11/22/"] * 2


def test_performance_insights_that_is_off_is_unknown() -> None:
    """Nothing is asked of it, and the finding names the change that switches it on."""
    with recorded_aws() as aws:
        aws.answer("DescribeDBInstances", lambda _: {"DBInstances": [{"PerformanceInsightsEnabled": False}]})
        finding = look(aws, DatabaseLoad, DATABASE)
    assert (finding.status, "enable-insights" in finding.summary) == (UNKNOWN, True)


@pytest.mark.parametrize(
    ("cpu", "connections", "words"),
    [(69, 20, "would not help"), (95, 70, "would exhaust"), (None, 20, "not known"), (95, None, "not known")],
)
def test_more_tasks_only_where_they_help(cpu: float | None, connections: float | None, words: str) -> None:
    """Idle tasks, a nearly full database and missing figures refuse the plan, each with its reason."""
    with mock_aws():
        world = scale_out(cpu, connections)
        with pytest.raises(RuleError, match=words):
            plan_of(world)


@pytest.mark.parametrize("count", [1, 5, None])
def test_a_count_is_never_lowered(count: int | None) -> None:
    """Whoever asks for fewer gets what runs already."""
    with mock_aws():
        world = scale_out(running=5)
        plan = plan_of(world, count=count)
    assert plan.context["wanted"] >= 5
    assert plan.after["minimum"] >= plan.before["minimum"]


def test_pending_changes_ask_for_approval() -> None:
    """What is pending is applied with it and not undone: named, approved, and no undo."""
    with mock_aws():
        plan = plan_of(insights(DBInstanceClass="db.r6g.2xlarge"))
    with mock_aws():
        calm = plan_of(insights())
    assert (plan.approval_class, plan.reversible) == (ApprovalClass.A2, False)
    assert "DBInstanceClass" in plan.impact
    assert (calm.approval_class, calm.reversible) == (ApprovalClass.A1, True)


@pytest.mark.parametrize(
    ("named", "words"),
    [("", "say which"), ("backend-critical-down", "must always ring"), ("unheard-of", "no alarm unheard-of")],
)
def test_alarms_that_must_ring_are_not_silenced(named: str, words: str) -> None:
    """None, unknown ones and the gravest are refused."""
    with mock_aws(), pytest.raises(RuleError, match=words):
        plan_of(alarms(alarms=named))


def test_silence_ends_by_itself() -> None:
    """The plan names the end, and CloudWatch keeps it: the rule is over then, though nothing of ours runs any more."""
    with mock_aws():
        world = alarms(lasts="1h")
        trial = Trial(world)
        trial.apply()
        with pytest.raises(ApplicationError, match="0 of 3 alarms are silent yet"):
            trial.verify()
        world.settle()
        assert "3 of 3 alarms are silent until" in trial.verify().message
        (rule,) = alarm_mutes.rules(cloudwatch_backends[ACCOUNT][REGION]).values()
        until = datetime.fromisoformat(trial.call.plan.after["until"])
    assert "CloudWatch lets them act again by itself" in trial.call.plan.impact
    begin = datetime.strptime(rule["Rule"]["Schedule"]["Expression"], "at(%Y-%m-%dT%H:%M)").replace(tzinfo=UTC)
    minutes = int(rule["Rule"]["Schedule"]["Duration"].removeprefix("PT").removesuffix("M"))
    assert begin + timedelta(minutes=minutes) == until
    assert timedelta(minutes=58) <= until - datetime.now(UTC) <= timedelta(hours=1)


def test_alarms_that_came_to_ring_lately_make_a_storm() -> None:
    """Those that ring for long are told and make no storm."""
    now = datetime.now(UTC)
    with mock_aws():
        world = alarms()
        for name in ALARMS:
            world.clients.inner.client("cloudwatch").set_alarm_state(
                AlarmName=name, StateValue="ALARM", StateReason="high"
            )
        probe = Alarms(world.clients)
        storm = AlarmsParams(storm=3)
        new = probe.observe(WHERE, storm, now)
        old = probe.observe(WHERE, storm, now + timedelta(hours=1))
    assert (new.status, new.facts["recent"], new.facts["silenced"]) == (SUSPECT, 3, 1)
    assert (old.status, old.facts["ringing"], old.facts["recent"]) == (OK, 3, 0)


def test_alarms_without_data_are_told() -> None:
    """What they watch for cannot be seen: how many there are is said beside those that ring."""
    with mock_aws():
        world, (first, *others) = alarms(), ALARMS
        cloudwatch = world.clients.inner.client("cloudwatch")
        cloudwatch.set_alarm_state(AlarmName=first, StateValue="OK", StateReason="low")
        for name in others:
            cloudwatch.set_alarm_state(AlarmName=name, StateValue="INSUFFICIENT_DATA", StateReason="no data")
        finding = Alarms(world.clients).observe(WHERE, AlarmsParams(), NOW)
    assert (finding.status, finding.facts["without_data"]) == (OK, len(others))
    assert finding.summary.endswith(f"; {len(others)} alarms without data")


def plan_of(world: ChangeWorld, **changes: Any) -> Any:
    return world.change.plan(world.scope, world.change.params.model_validate(world.params | changes))
