"""Preflight finds every fault that is planted in an account, tells each at its place, and invents none."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.route53resolver.models import route53resolver_backends
from moto.ses.models import ses_backends
from moto.sesv2.models import sesv2_backends

from activities.permissions.statements import heartbeat_alarm
from activities.preflight.check import Check, Room, Row, ok
from activities.preflight.roles import role
from activities.preflight.run import run
from activities.preflight.table import CHECKS, WRITES
from domain.config.environment import Environment
from sandbox.aws.messages_account import standing
from sandbox.aws.resolver_firewall import Group, rule_groups
from sandbox.aws.sms_voice import sms_voice_backends
from sandbox.runtime.aws_world import World
from tests.aws import aws_clients
from tests.sandbox.preflight_rooms import room_of

ACL = "acl-0a1b2c3d4e5f60001"


def looked(environment: Environment, checks: Any = CHECKS, off: timedelta = timedelta(), **given: Any) -> list[Row]:
    """Preflight's rows, with this machine's clock `off`."""
    return list(run(checks, room_of(environment, off, given.pop("acting", None)), **given))


def not_ok(rows: list[Row]) -> dict[tuple[str, str], str]:
    return {(row.check, row.target): row.status for row in rows if row.status != "ok"}


def test_a_sandbox_is_ready(world: World) -> None:
    """A seeded account is ok in every check, the locked object too, which a second run finds as it stands."""
    under: list[str] = []

    def acting(arn: str) -> Any:
        under.append(arn)
        return aws_clients(world.environment.region)

    for checks in ((*CHECKS, *WRITES), WRITES):
        assert not_ok(looked(world.environment, checks, acting=acting)) == {}
    # the bucket's policy lets nobody else put evidence
    assert set(under) == {"arn:aws:iam::123456789012:role/incident-sandbox-forensics"}
    bucket = world.environment.evidence
    assert bucket is not None
    versions = world.client("s3").list_object_versions(Bucket=bucket.bucket, Prefix="evidence/preflight/")["Versions"]
    assert len(versions) == 1
    with pytest.raises(ClientError):
        world.client("s3").delete_object(
            Bucket=bucket.bucket, Key=versions[0]["Key"], VersionId=versions[0]["VersionId"]
        )


def test_every_planted_fault_is_found_and_none_invented(world: World) -> None:
    """Some thirty faults at once: each row that is not ok is one of theirs.

    A role's says which action is lacking, which is too much, and what no simulation sees.
    """
    environment = planted(world)
    rows = looked(environment, off=timedelta(minutes=1))
    assert not_ok(rows) == {
        ("arn", "certificates.portal"): "wrong",
        ("certificate", "certificates.portal"): "missing",
        ("service", "services.frontend"): "missing",
        ("log group", "web_acls.portal.log_group"): "missing",
        ("database", "databases.replica"): "wrong",
        ("load balancer", "load_balancers.portal"): "wrong",
        ("bucket", "buckets.forensics"): "missing",
        ("security group", "security_groups.backend"): "missing",
        ("dashboard", "dashboards.primary"): "missing",
        ("parameter", "database_endpoints.primary"): "missing",
        ("alarms", "region"): "wrong",
        ("heartbeat", "notify"): "missing",
        ("ledger table", "ledger_table"): "wrong",
        ("evidence bucket", "evidence.bucket"): "wrong",
        ("key", "evidence.signing_key"): "wrong",
        ("trail", "trails.account"): "wrong",
        ("log format", "services.frontend"): "wrong",
        ("WAF log", "web_acls.portal"): "missing",
        ("WAF record", "web_acls.portal"): "missing",
        ("flow log", "networks.main"): "missing",
        ("flow record", "networks.main"): "missing",
        ("text messages", "notifications"): "wrong",
        ("sender id", "notifications.sms_sender"): "wrong",
        ("sender number", "notifications.voice_sender"): "wrong",
        ("text events", "notifications.text_configuration_set"): "wrong",
        ("opt-out", "contacts.security-lead.channels[0]"): "wrong",
        ("mail", "notifications"): "wrong",
        ("mail sender", "notifications.mail_sender"): "wrong",
        ("suppression", "contacts.cto.channels[0]"): "wrong",
        ("clock", "this machine"): "wrong",
        ("ACL entries", "network_acls.application"): "wrong",
        ("group rules", "security_groups.backend"): "missing",
        ("role", "remediate-ecs"): "wrong",
        ("role", "remediate-network"): "wrong",
        ("role", "diagnose"): "wrong",
        ("role", "notify"): "wrong",
        ("role", "remediate-recovery"): "wrong",  # by a file without a replica there is none to make anew
        ("role", "console"): "missing",
    }
    said = {row.target: row.detail for row in rows if row.check == "role"}
    assert said["remediate-ecs"] == "it may not ecs:UpdateService; give it its policy as `make iam` writes it"
    lacking = "sts:SetSourceIdentity, sts:TagSession"
    assert said["remediate-network"] == f"its trust lacks {lacking}; give it that, or deploy the stack anew"
    assert said["console"].endswith("; create the stack of `make iam`, which makes it")
    assert "it may also ecs:DescribeTaskDefinition, ecs:StopServiceDeployment, ecs:UpdateService;" in said["diagnose"]
    assert said["remediate-recovery"].startswith("it may also ec2:AuthorizeSecurityGroupIngress, ")
    assert said["notify"].startswith("it may ses:SendEmail elsewhere too; ")
    assert "not seen: bucket, key and session policies" in said["ledger"]


def planted(world: World) -> Environment:
    """Plant them, and give the file as it names what is not there."""
    _in_places(world)
    _in_channels(world)
    _in_roles(world)
    content = world.environment.model_dump(mode="json")
    content["certificates"]["portal"] = content["certificates"]["portal"].replace(":123456789012:", ":210987654321:")
    content["databases"]["replica"]["replica_of"] = None
    content["services"]["frontend"]["log_formats"] = [{"format": "logfmt"}]
    return Environment.model_validate(content)


def _in_places(world: World) -> None:
    client, environment = world.client, world.environment
    frontend = environment.services["frontend"]
    client("ecs").delete_service(cluster=frontend.cluster, service=frontend.service, force=True)
    acl = environment.web_acls["portal"]
    arn = next(one["ARN"] for one in client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"])
    client("wafv2").delete_logging_configuration(ResourceArn=arn)
    client("logs").delete_log_group(logGroupName=acl.log_group)
    client("cloudwatch").delete_dashboards(DashboardNames=[*environment.dashboards.values()])
    client("ssm").delete_parameter(Name=environment.database_endpoints["primary"].parameter)
    client("sns").delete_topic(TopicArn=environment.arn("sns", "alarms"))
    client("cloudwatch").delete_alarms(AlarmNames=[heartbeat_alarm(environment)])
    off = {"PointInTimeRecoveryEnabled": False}
    client("dynamodb").update_continuous_backups(
        TableName=environment.ledger_table, PointInTimeRecoverySpecification=off
    )
    client("s3").delete_bucket(Bucket=environment.buckets["forensics"])
    assert environment.evidence is not None
    client("s3").delete_public_access_block(Bucket=environment.evidence.bucket)
    client("elbv2").delete_rule(RuleArn=environment.load_balancers["portal"].rule_arns[0])
    client("ec2").delete_security_group(GroupId=environment.security_groups["backend"])
    key = client("kms").describe_key(KeyId=environment.evidence.signing_key)["KeyMetadata"]["KeyId"]
    client("kms").disable_key(KeyId=key)
    none = [{"ReadWriteType": "All", "IncludeManagementEvents": False}]
    client("cloudtrail").put_event_selectors(TrailName=environment.trails["account"], EventSelectors=none)
    logs = [one["FlowLogId"] for one in client("ec2").describe_flow_logs()["FlowLogs"]]
    client("ec2").delete_flow_logs(FlowLogIds=logs)
    for number in range(1, 18):
        client("ec2").create_network_acl_entry(
            NetworkAclId=ACL,
            RuleNumber=number,
            Protocol="-1",
            RuleAction="deny",
            Egress=False,
            CidrBlock=f"198.51.100.{number}/32",
        )


def _in_channels(world: World) -> None:
    account, region = world.environment.account, world.environment.region
    texts, mails = sms_voice_backends[account][region], standing(sesv2_backends[account][region])
    texts.tier, texts.opted_out["Default"] = "SANDBOX", {"+61491570157"}
    texts.senders["AxisImaging", "AU"] = False
    texts.numbers["+61255501234"]["Status"] = "PENDING"
    texts.sets["incidents"][0]["MatchingEventTypes"] = ["TEXT_DELIVERED", "TEXT_BLOCKED"]
    mails.mail_sandbox, mails.suppressed = True, {"cto@axisimaging.com.au": "BOUNCE"}
    sender = ses_backends[account][region].email_identities[world.environment.notifications.mail_sender]
    sender.verified_for_sending_status = False


def _in_roles(world: World) -> None:
    """One may do less, one more, one the same elsewhere too, one is of an older stack, and one is not there."""
    iam = world.client("iam")

    def changed(of: str, old: str, new: str) -> None:
        name = f"incident-sandbox-{of}"
        text = json.dumps(iam.get_role_policy(RoleName=name, PolicyName=of)["PolicyDocument"])
        assert old in text
        iam.put_role_policy(RoleName=name, PolicyName=of, PolicyDocument=text.replace(old, new))

    changed("remediate-ecs", '"ecs:UpdateService"', '"ecs:UpdateServicePrimaryTaskSet"')
    changed("diagnose", '"ecs:DescribeServices"', '"ecs:*"')
    changed("notify", "identity/incidents@axisimaging.com.au", "identity/*")
    older = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": world.environment.arn("iam", "root")}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": older})
    iam.update_assume_role_policy(RoleName="incident-sandbox-remediate-network", PolicyDocument=trust)
    iam.delete_role(RoleName="incident-sandbox-console")


def test_a_condition_that_cannot_be_simulated_is_unknown(world: World) -> None:
    """A policy that hangs on a key whose value nobody gives is neither allowed nor refused."""
    iam, name = world.client("iam"), "incident-sandbox-worker"
    document = iam.get_role_policy(RoleName=name, PolicyName="worker")["PolicyDocument"]
    document["Statement"][0]["Condition"] = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    iam.put_role_policy(RoleName=name, PolicyName="worker", PolicyDocument=json.dumps(document))
    assert role(room_of(world.environment), "worker").status == "unknown"


def test_what_cannot_be_read_is_unknown_with_the_reason(world: World) -> None:
    """A refusal, a silence and a bug in a look hide no other row, and none of them is ok."""

    def denied(room: Room, _: str) -> Any:
        room.client("s3").exceptions  # noqa: B018
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "secret"}}, "DescribeKey")

    def broken(_: Room, __: str) -> Any:
        raise KeyError("KeyMetadata")

    def silent(_: Room, __: str) -> Any:
        time.sleep(1)
        return ok("too late")

    def fine(_: Room, __: str) -> Any:
        return ok("seen")

    looks: tuple[Callable[..., Any], ...] = (denied, broken, silent, fine)
    checks = [Check(one.__name__, lambda _: {"it": ""}, one, ("kms:DescribeKey",)) for one in looks]
    rows = looked(world.environment, checks, patience=timedelta(seconds=0.3))
    assert [row.status for row in rows] == ["unknown", "unknown", "unknown", "ok"]
    assert "AccessDenied" in rows[0].detail
    assert "allow whoever runs preflight kms:DescribeKey" in rows[0].detail
    assert "secret" not in rows[0].detail
    assert "KeyError" in rows[1].detail
    assert "no answer within" in rows[2].detail


def test_what_is_in_cloudfront_s_region_and_what_dns_is_cut_by(world: World) -> None:
    """A web ACL of a distribution is looked for in its scope; a DNS firewall's rule group is there or missing."""
    content = world.environment.model_dump(mode="json")
    content["web_acls"]["portal"]["scope"] = "CLOUDFRONT"
    content["networks"]["main"]["dns_firewall"] = "rslvr-frg-0000000000000000"
    environment = Environment.model_validate(content)
    named = {"web ACL", "IP set", "log group", "WAF log", "DNS firewall"}
    checks = [one for one in CHECKS if one.name in named]
    assert not_ok(looked(environment, checks)) == {
        ("web ACL", "web_acls.portal"): "missing",
        ("IP set", "web_acls.portal.ip_set"): "missing",
        ("IP set", "web_acls.portal.ip_set_v6"): "missing",
        ("log group", "web_acls.portal.log_group"): "missing",
        ("WAF log", "web_acls.portal"): "missing",
        ("DNS firewall", "networks.main.dns_firewall"): "missing",
    }
    rule_groups(route53resolver_backends[environment.account][environment.region])["rslvr-frg-0000000000000000"] = (
        Group()
    )
    assert ("DNS firewall", "networks.main.dns_firewall") not in not_ok(looked(environment, checks))


def test_an_empty_log_and_an_undeclared_one_are_not_ok(world: World) -> None:
    """Where no line was read, nothing is known of the format; where none is declared, one is missing."""
    content = world.environment.model_dump(mode="json")
    group = world.environment.services["backend"].log_group
    world.client("logs").delete_log_group(logGroupName=group)
    world.client("logs").create_log_group(logGroupName=group)
    content["services"]["frontend"]["log_formats"] = []
    content["databases"]["replica"]["log"] = None
    named = {"log format", "database log"}
    checks = [one for one in CHECKS if one.name in named]
    assert not_ok(looked(Environment.model_validate(content), checks)) == {
        ("log format", "services.backend"): "unknown",
        ("log format", "services.frontend"): "missing",
        ("database log", "databases.replica"): "missing",
    }
