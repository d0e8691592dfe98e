"""The smaller patches to moto, through boto3."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.rollout import set_defect
from sandbox.runtime.aws_world import World
from sandbox.runtime.outbox import Outbox
from tests.sandbox.worlds import rollouts_finish


def states(world: World) -> list[tuple[str, str | None]]:
    group = world.environment.services["backend"].target_group_arn
    answer = world.client("elbv2").describe_target_health(TargetGroupArn=group)
    healths = [one["TargetHealth"] for one in answer["TargetHealthDescriptions"]]
    return [(one["State"], one.get("Reason")) for one in healths]


def test_targets_follow_the_running_revision(world: World) -> None:
    """One target per running task: unhealthy while the running revision is defective, healthy once another runs."""
    backend = world.environment.services["backend"]
    assert states(world) == [("healthy", None)] * 3
    running = world.client("ecs").describe_task_definition(taskDefinition=backend.family)["taskDefinition"]
    set_defect(world.ecs.describe_task_definition(running["taskDefinitionArn"]), "after-start")
    assert states(world) == [("unhealthy", "Target.ResponseCodeMismatch")] * 3
    world.client("ecs").update_service(
        cluster=backend.cluster, service=backend.service, taskDefinition=f"{backend.family}:2", desiredCount=4
    )
    assert {state for state, _ in states(world)} == {"unhealthy"}
    rollouts_finish()
    assert states(world) == [("healthy", None)] * 4


def test_unknown_target_group_is_refused(world: World) -> None:
    """An unknown group is refused as AWS refuses it."""
    group = f"{world.environment.services['backend'].target_group_arn}0"
    with pytest.raises(ClientError) as refused:
        world.client("elbv2").describe_target_health(TargetGroupArn=group)
    assert refused.value.response["Error"]["Code"] == "TargetGroupNotFound"


def test_rules_can_be_changed_and_restored(world: World) -> None:
    """The environment's rules can be given other actions, by their own ARNs, and the old ones again."""
    elb = world.client("elbv2")
    (arn, *_) = world.environment.load_balancers["portal"].rule_arns
    (before,) = elb.describe_rules(RuleArns=[arn])["Rules"]
    closed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    elb.modify_rule(RuleArn=arn, Actions=[closed])
    assert elb.describe_rules(RuleArns=[arn])["Rules"][0]["Actions"][0]["Type"] == "fixed-response"
    elb.modify_rule(RuleArn=arn, Actions=before["Actions"])
    assert elb.describe_rules(RuleArns=[arn])["Rules"][0] == before


def test_percentiles_are_calculated(world: World) -> None:
    """A percentile of a period lies between the values that it is interpolated from."""
    metrics, at = world.client("cloudwatch"), datetime.now(UTC).replace(microsecond=0)
    for value in range(1, 102):
        metrics.put_metric_data(
            Namespace="Test", MetricData=[{"MetricName": "Size", "Value": float(value), "Timestamp": at}]
        )
    metric = {"Namespace": "Test", "MetricName": "Size"}
    asked = [
        {"Id": stat, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}} for stat in ("p50", "p95", "p100")
    ]
    answer = metrics.get_metric_data(MetricDataQueries=asked, StartTime=at, EndTime=at + timedelta(minutes=1))
    values = [result["Values"] for result in answer["MetricDataResults"]]
    assert [[round(value, 6) for value in one] for one in values] == [[51.0], [96.0], [101.0]]


def test_promoted_replica_is_no_replica(world: World) -> None:
    """Promoting detaches the replica from its source, once; a primary and a missing instance are refused."""
    rds = world.client("rds")
    databases = world.environment.databases
    primary, replica = databases["primary"].identifier, databases["replica"].identifier
    rds.promote_read_replica(DBInstanceIdentifier=replica)
    under_way = rds.describe_db_instances(DBInstanceIdentifier=replica)["DBInstances"][0]
    assert (under_way["DBInstanceStatus"], under_way["ReadReplicaSourceDBInstanceIdentifier"]) == ("modifying", primary)
    rollouts_finish()
    shown = {one["DBInstanceIdentifier"]: one for one in rds.describe_db_instances()["DBInstances"]}
    assert "ReadReplicaSourceDBInstanceIdentifier" not in shown[replica]
    assert shown[primary]["ReadReplicaDBInstanceIdentifiers"] == []
    for name, code in ((replica, "InvalidDBInstanceState"), ("nowhere", "DBInstanceNotFound")):
        with pytest.raises(ClientError) as refused:
            rds.promote_read_replica(DBInstanceIdentifier=name)
        assert refused.value.response["Error"]["Code"].startswith(code)


def test_support_case_stays_as_it_was_opened(world: World) -> None:
    """Describing a case does not change it; only resolving does."""
    support = world.client("support")
    support.create_case(subject="[inc-1] Outage", severityCode="critical", communicationBody="Down")
    for _ in range(3):
        (case,) = support.describe_cases(includeResolvedCases=True)["cases"]
        assert (case["status"], case["severityCode"]) == ("opened", "critical")
    support.resolve_case(caseId=case["caseId"])
    assert support.describe_cases(includeResolvedCases=False)["cases"] == []
    assert [one["code"] for one in support.describe_severity_levels()["severityLevels"]][-1] == "critical"


def text(data: str) -> dict[str, str]:
    return {"Data": data}


@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_texts_and_calls_reach_the_outbox(world: World, outbox: Outbox, channel: str) -> None:
    """Each is delivered once, with the role, incident and subject that it was sent with."""
    said = {"role": "devops-lead", "incident": "inc-1", "subject": "P0"}
    given = {"DestinationPhoneNumber": "+61491570006", "MessageBody": "Portal down", "Context": said}
    client, notifications = world.client("pinpoint-sms-voice-v2"), world.environment.notifications
    if channel == "sms":
        client.send_text_message(OriginationIdentity=notifications.sms_sender, **given)
    else:
        client.send_voice_message(OriginationIdentity=notifications.voice_sender, **given)
    (entry,) = outbox.entries()
    assert entry.pop("at").endswith("Z")
    assert entry == {
        "channel": channel,
        "to": "+61491570006",
        "role": "devops-lead",
        "subject": "P0",
        "body": "Portal down",
        "incident": "inc-1",
    }


@pytest.mark.parametrize("version", ["ses", "sesv2"])
def test_mail_reaches_the_outbox(world: World, outbox: Outbox, version: str) -> None:
    """An e-mail by either SES API is delivered once to each recipient, with role and incident from its tags."""
    sender, to = world.environment.notifications.mail_sender, {"ToAddresses": ["a@example.org", "b@example.org"]}
    tags = [{"Name": "role", "Value": "cto"}, {"Name": "incident", "Value": "inc-1"}]
    message: dict[str, Any] = {"Subject": text("P0"), "Body": {"Text": text("Portal down\u2028now")}}
    if version == "ses":
        world.client("ses").send_email(Source=sender, Destination=to, Message=message, Tags=tags)
    else:
        world.client("sesv2").send_email(
            FromEmailAddress=sender, Destination=to, Content={"Simple": message}, EmailTags=tags
        )
    entries = outbox.entries()
    assert [(one["channel"], one["to"]) for one in entries] == [("email", "a@example.org"), ("email", "b@example.org")]
    assert {(one["role"], one["incident"], one["subject"], one["body"]) for one in entries} == {
        ("cto", "inc-1", "P0", "Portal down\u2028now")
    }


def test_refused_mail_is_not_delivered(world: World, outbox: Outbox) -> None:
    """What SES refuses, here an unverified sender, is not in the outbox."""
    with pytest.raises(ClientError) as refused:
        world.client("sesv2").send_email(
            FromEmailAddress="nobody@example.org",
            Destination={"ToAddresses": ["a@example.org"]},
            Content={"Simple": {"Subject": text("x"), "Body": {"Text": text("x")}}},
        )
    assert refused.value.response["Error"]["Code"] == "MessageRejected"
    assert outbox.entries() == []
