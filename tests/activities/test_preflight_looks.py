"""Single looks of preflight: none says ok of what it has not seen, and none invents a fault."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.preflight.alarms import alarms, heartbeat
from activities.preflight.check import Room
from activities.preflight.logs import database_log, service_log
from activities.preflight.mail import CHECKS as MAIL
from activities.preflight.places import CHECKS as PLACES
from activities.preflight.places import arn, certificate, database, load_balancer, service
from activities.preflight.record import trail
from activities.preflight.waf import waf_log
from activities.statuspage_client import StatusPageClient
from sandbox.aws import logs_insights as sandbox_insights
from starters.files.organisation_folder import load_organisation
from starters.files.shipped import shipped_folder
from tests.activities.aws_calls import RecordedAws, balanced, recorded_aws
from tests.activities.fake_rds import CLUSTER, WRITER, FakeRds
from tests.activities.scopes import ACCOUNT, REGION, environment
from tests.activities.variant_worlds import of_member
from tests.domain import log_samples


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with recorded_aws() as aws:
        yield aws


def room(aws: RecordedAws, **changes: Any) -> Room:
    where = environment(**changes)
    return Room(
        aws,
        where,
        load_organisation(shipped_folder()),
        lambda: datetime.now(UTC),
        lambda _: aws,
        StatusPageClient("http://127.0.0.1:9", ""),
    )


def only(behavior: str, *actions: str) -> dict[str, Any]:
    conditions = [{"ActionCondition": {"Action": action}} for action in actions]
    return {"Behavior": behavior, "Requirement": "MEETS_ANY", "Conditions": conditions}


@pytest.mark.parametrize(
    ("filters", "default", "status"),
    [
        ([only("DROP", "ALLOW")], "KEEP", "wrong"),
        ([only("KEEP", "ALLOW")], "DROP", "ok"),
        ([only("KEEP", "BLOCK")], "DROP", "wrong"),
        ([only("DROP", "BLOCK")], "KEEP", "ok"),
    ],
)
def test_a_log_of_the_firewall_is_judged_by_its_whole_filter(
    aws: RecordedAws, filters: list[Any], default: str, status: str
) -> None:
    """Allowed requests are what counts; a log that leaves out others is not said to have every one."""
    acl = {"Name": "axis-waf", "Id": "1", "ARN": "arn:aws:wafv2:::webacl/axis-waf"}
    aws.answer("ListWebACLs", lambda _: {"WebACLs": [acl]})
    logging = {
        "LogDestinationConfigs": [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:aws-waf-logs-axis"],
        "LoggingFilter": {"Filters": filters, "DefaultBehavior": default},
    }
    aws.answer("GetLoggingConfiguration", lambda _: {"LoggingConfiguration": logging})
    seen = waf_log(room(aws), "portal")
    assert seen.status == status
    assert "every request" not in seen.detail


@pytest.mark.parametrize(
    ("selectors", "status"),
    [
        ([{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}], "ok"),
        ([{"ReadWriteType": "WriteOnly"}], "wrong"),
        ([{"ReadWriteType": "All", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}], "ok"),
        ([{"ReadWriteType": "All", "ExcludeManagementEventSources": ["iam.amazonaws.com"]}], "wrong"),
    ],
)
def test_what_a_trail_takes_is_what_its_selectors_take_together(
    aws: RecordedAws, selectors: list[Any], status: str
) -> None:
    """Two halves are a whole, and a source that is left out is told by its name; AWS offers to leave some out."""
    listed = {"TrailARN": "arn", "IsMultiRegionTrail": True, "LogFileValidationEnabled": True}
    aws.answer("DescribeTrails", lambda _: {"trailList": [listed]})
    aws.answer("GetTrailStatus", lambda _: {"IsLogging": True})
    given = [one | {"IncludeManagementEvents": True} for one in selectors]
    aws.answer("GetEventSelectors", lambda _: {"EventSelectors": given})
    seen = trail(room(aws), "account")
    assert seen.status == status
    assert all(one in seen.detail for one in selectors[0].get("ExcludeManagementEventSources", []))


HERE, HOME = f"{REGION}:{ACCOUNT}", f"us-east-1:{ACCOUNT}"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"arn:aws:rds:{HERE}:db:axis-db", "ok"),
        ("arn:aws:s3:::axis-maintenance", "ok"),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "ok"),
        ("arn:aws:ec2:*:*:instance/i-0a1b2c3d", "ok"),
        (f"arn:aws:acm:{HOME}:certificate/portal", "ok"),
        (f"arn:aws:rds:{HOME}:db:axis-db", "wrong"),
        (f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/portal", "wrong"),
        (f"arn:aws:rds:{REGION}:210987654321:db:axis-db", "wrong"),
        (f"arn:aws:rds:{REGION}::db:axis-db", "wrong"),
        ("arn:aws:rds", "wrong"),
    ],
)
def test_an_arn_is_of_another_place_only_where_it_names_one(aws: RecordedAws, given: str, status: str) -> None:
    """Buckets have no account, patterns name many, and a distribution's certificate is in CloudFront's region."""
    assert arn(room(aws), given).status == status


def test_what_is_there_and_not_in_force_is_not_ok(aws: RecordedAws, subtests: pytest.Subtests) -> None:
    """AWS shows what it is still making, or deleting, or could not set up, beside what serves."""
    there = room(aws)
    where = there.environment
    balancer = where.load_balancers["portal"]
    listener = {"ListenerArn": balancer.listener_arn, "LoadBalancerArn": balancer.arn}
    aws.answer("DescribeServices", balanced(status="DRAINING", runningCount=1, desiredCount=0))
    aws.answer("DescribeLoadBalancers", lambda _: {"LoadBalancers": [{"State": {"Code": "failed"}}]})
    aws.answer("DescribeListeners", lambda _: {"Listeners": [listener]})
    aws.answer("DescribeRules", lambda _: {"Rules": [{"RuleArn": rule} for rule in balancer.rule_arns]})
    aws.answer("DescribeCertificate", lambda _: {"Certificate": {"Status": "PENDING_VALIDATION"}})
    seen = [
        service(there, where.services["backend"]),
        load_balancer(there, balancer),
        certificate(there, f"arn:aws:acm:{HERE}:certificate/portal"),
    ]
    assert [one.status for one in seen] == ["wrong"] * 3, seen
    shown = {"DBInstanceIdentifier": "axis-db"}
    aws.answer("DescribeDBInstances", lambda _: {"DBInstances": [shown]})
    for state, status in (
        ("available", "ok"),
        ("modifying", "ok"),
        ("rebooting", "unknown"),
        ("deleting", "wrong"),
        ("storage-full", "wrong"),
    ):
        with subtests.test(state=state):
            shown["DBInstanceStatus"] = state
            assert database(there, where.databases["primary"]).status == status


def test_a_member_whose_cluster_the_file_does_not_name_is_wrong(aws: RecordedAws) -> None:
    """It could be looked at, but neither failed over nor kept; where the file names the cluster too it is well."""
    rds = FakeRds()
    rds.join()
    aws.answer("DescribeDBInstances", lambda asked: rds.describe_db_instances(**asked))
    aws.answer("DescribeDBClusters", lambda asked: rds.describe_db_clusters(**asked))
    for cluster, status in ((None, "wrong"), (CLUSTER, "ok")):
        where = of_member(WRITER, cluster)
        seen = database(room(aws, databases=where.databases), where.databases["primary"])
        assert (seen.status, f"member of cluster {CLUSTER}" in seen.detail) == (status, status == "wrong")


def test_a_certificate_is_looked_for_where_its_arn_says(aws: RecordedAws) -> None:
    """ACM knows those of its own region alone."""
    home = aws.client("acm@us-east-1")
    made = home.request_certificate(DomainName="portal.example")["CertificateArn"]
    check = next(one for one in PLACES if one.name == "certificate")
    assert "it is PENDING_VALIDATION" in check.look(room(aws), made).detail  # as ACM shows what was just asked for


@pytest.mark.parametrize(
    ("source", "status"),
    [("axis-db", "ok"), (f"arn:aws:rds:{HERE}:db:axis-db", "ok"), ("axis-other", "wrong"), (None, "wrong")],
)
def test_a_replica_s_source_is_known_by_its_arn_too(aws: RecordedAws, source: str | None, status: str) -> None:
    """RDS gives either (API DBInstance)."""
    named = {"ReadReplicaSourceDBInstanceIdentifier": source} if source else {}
    shown = {"DBInstanceIdentifier": "axis-db-replica", "DBInstanceStatus": "available", **named}
    aws.answer("DescribeDBInstances", lambda _: {"DBInstances": [shown]})
    there = room(aws)
    assert database(there, there.environment.databases["replica"]).status == status


def test_a_log_that_can_only_be_queried_is_unknown_and_says_what_to_do(aws: RecordedAws) -> None:
    """Preflight starts no query: they cost by the byte."""
    there = room(aws)
    one = there.environment.services["backend"]
    sandbox_insights.install()
    aws.client("logs").create_log_group(logGroupName=one.log_group, logGroupClass="INFREQUENT_ACCESS")
    seen = service_log(there, one)
    assert (seen.status, aws.sent("FilterLogEvents")) == ("unknown", [])
    assert "Logs Insights" in seen.detail


@pytest.mark.parametrize(
    ("named", "told", "status"),
    [
        (None, [], "missing"),
        ("incidents", ["BOUNCE"], "wrong"),
        ("incidents", ["BOUNCE", "COMPLAINT"], "ok"),
    ],
)
def test_mail_whose_failures_go_unseen_has_a_row(
    aws: RecordedAws, named: str | None, told: list[str], status: str
) -> None:
    """Whether a configuration set is named that tells nobody, or none is named at all."""
    destination = {"Name": "alarms", "Enabled": True, "MatchingEventTypes": told}
    aws.answer("GetConfigurationSetEventDestinations", lambda _: {"EventDestinations": [destination]})
    there = room(aws, notifications={"mail_sender": "incidents@example.com", "mail_configuration_set": named})
    check = next(one for one in MAIL if one.name == "mail events")
    rows = [(name, check.look(there, one).status) for name, one in check.targets(there).items()]
    assert rows == [("notifications.mail_configuration_set", status)]


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_csvlog_is_judged_from_its_first_whole_row_on(aws: RecordedAws, spoilt: bool) -> None:
    """The last lines of a file begin anywhere, in the middle of a statement too; what comes later must be read."""
    row = log_samples.DATABASE["csvlog"].line
    rest = 'where it""s = 1;",,,"exec_simple_query, postgres.c:1100","","client backend",,0'
    text = "\n".join([rest, row, *(["no row at all"] if spoilt else []), row, ""])
    name = "error/postgresql.log.2026-11-23-10.csv"
    aws.answer("DescribeDBLogFiles", lambda _: {"DescribeDBLogFiles": [{"LogFileName": name, "LastWritten": 1}]})
    aws.answer("DownloadDBLogFilePortion", lambda _: {"LogFileData": text, "AdditionalDataPending": False})
    aws.answer("DescribeDBInstances", lambda _: {"DBInstances": [{"DBInstanceIdentifier": "axis-db"}]})
    there = room(aws)
    declared = there.environment.databases["primary"].model_copy(update={"log": log_samples.CSVLOG})
    assert database_log(there, declared).status == ("wrong" if spoilt else "ok")


def test_a_topic_of_another_account_is_not_called_lost(aws: RecordedAws) -> None:
    """An alarm may tell topics of other accounts, which are not listed here (CloudWatch guide, "Alarm actions")."""
    arns = [f"arn:aws:sns:{REGION}:210987654321:alarms"]
    alarm: dict[str, Any] = {"AlarmName": "cpu", "AlarmActions": arns, "ActionsEnabled": True}
    aws.answer("DescribeAlarms", lambda _: {"MetricAlarms": [alarm], "CompositeAlarms": []})
    aws.answer("ListTopics", lambda _: {"Topics": []})
    assert alarms(room(aws), "*").status == "unknown"
    alarm["AlarmActions"] = [f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"]
    assert alarms(room(aws), "*").status == "wrong"


@pytest.mark.parametrize(
    ("changes", "subscription", "status"),
    [
        ({}, "arn:aws:sns:1", "ok"),
        ({"StateValue": "ALARM"}, "arn:aws:sns:1", "wrong"),
        ({"StateValue": "INSUFFICIENT_DATA"}, "arn:aws:sns:1", "unknown"),
        ({"TreatMissingData": "missing"}, "arn:aws:sns:1", "wrong"),
        ({"ActionsEnabled": False}, "arn:aws:sns:1", "wrong"),
        ({"AlarmActions": []}, "arn:aws:sns:1", "wrong"),
        ({}, "PendingConfirmation", "wrong"),
        (None, "", "missing"),
    ],
)
def test_an_alarm_on_the_heartbeat_must_ring_and_be_heard(
    aws: RecordedAws, changes: dict[str, Any] | None, subscription: str, status: str
) -> None:
    """Missing signs are trouble, and a mailbox whose owner never confirmed hears nothing."""
    topic = f"arn:aws:sns:{HERE}:heartbeat"
    well = {"StateValue": "OK", "TreatMissingData": "breaching", "ActionsEnabled": True, "AlarmActions": [topic]}
    found = [] if changes is None else [well | changes]
    aws.answer("DescribeAlarms", lambda _: {"MetricAlarms": found})
    aws.answer("ListSubscriptionsByTopic", lambda _: {"Subscriptions": [{"SubscriptionArn": subscription}]})
    assert heartbeat(room(aws), "incident-sandbox-heartbeat").status == status


def test_an_alarm_without_actions_needs_none_enabled(aws: RecordedAws) -> None:
    """A composite alarm's children tell nobody by themselves; one that would tell somebody and may not is wrong."""
    child: dict[str, Any] = {"AlarmName": "child", "ActionsEnabled": False, "AlarmActions": []}
    aws.answer("ListTopics", lambda _: {"Topics": []})
    aws.answer("DescribeAlarms", lambda _: {"MetricAlarms": [child], "CompositeAlarms": []})
    assert alarms(room(aws), "").status == "ok"
    child["AlarmActions"] = [f"arn:aws:ssm:{REGION}:{ACCOUNT}:opsitem:1"]
    assert alarms(room(aws), "").status == "wrong"


@pytest.mark.parametrize(("family", "status"), [("axis-backend", "ok"), ("axis-other", "wrong")])
def test_a_service_of_an_external_controller_is_known_by_its_task_set(
    aws: RecordedAws, family: str, status: str
) -> None:
    """Such a service names no task definition: its primary task set does, and an older one says nothing."""
    sets = [
        {"status": "ACTIVE", "taskDefinition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/axis-older:1"},
        {"status": "PRIMARY", "taskDefinition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}:7"},
    ]
    aws.answer("DescribeServices", balanced(taskSets=sets, runningCount=3, desiredCount=3))
    assert service(room(aws), environment().services["backend"]).status == status


def test_rules_of_later_pages_count(aws: RecordedAws) -> None:
    """A listener of many rules answers in pages."""
    one = environment().load_balancers["portal"]
    first, *others = [{"RuleArn": rule} for rule in one.rule_arns]
    listener = {"ListenerArn": one.listener_arn, "LoadBalancerArn": one.arn}
    aws.answer("DescribeLoadBalancers", lambda _: {"LoadBalancers": [{"State": {"Code": "active"}}]})
    aws.answer("DescribeListeners", lambda _: {"Listeners": [listener]})
    pages = {None: {"Rules": others, "NextMarker": "more"}, "more": {"Rules": [first]}}
    aws.answer("DescribeRules", lambda asked: pages[asked.get("Marker")])
    assert load_balancer(room(aws), one).status == "ok"
