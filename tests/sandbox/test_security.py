"""The security fault as the real probes see it, and the effect of the runbook's changes on a seeded account."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from activities.aws.shared.clients import AwsClients
from activities.catalogue import CHANGES, PROBES
from activities.changes.runner import ChangeRunner
from domain.config.environment import Environment
from domain.model.calls import ApplyCall, PlanCall, Scope, VerifyCall
from domain.model.finding import Finding
from domain.values.severity import Severity
from sandbox.aws import cloudtrail
from sandbox.faults.inject import FAULTS
from sandbox.faults.security import ATTACKERS, TAKEN
from sandbox.runtime.aws_world import World
from sandbox.runtime.outbox import Outbox
from tests.aws import aws_clients
from tests.sandbox.worlds import other

FAULT = FAULTS["security-credential-stuffing"]
EXPECTED = ["arn:aws:iam::*:role/axis-imaging-deploy-*"]
PROBED: dict[str, dict[str, Any]] = {
    "wafv2.requests": {"web_acl": "portal"},
    "logs.failed_sign_ins": {"service": "backend"},
    "logs.privilege_escalation": {"service": "backend"},
    "cloudtrail.privilege_changes": {"expected": EXPECTED},
    "logs.data_access": {"service": "backend"},
}


@pytest.fixture
def clients(world: World) -> AwsClients:
    return aws_clients(world.environment.region)


@pytest.fixture
def scope(world: World) -> Scope:
    return Scope(
        incident="inc-20261123-7f3k",
        type="security",
        title="Strange sign-ins",
        severity=Severity.P1,
        mode="live",
        declared_at=datetime.now(UTC),
        environment=world.environment,
    )


@pytest.fixture
def observe(clients: AwsClients, scope: Scope) -> Callable[[str], Finding]:
    def look(name: str) -> Finding:
        probe = PROBES[name](clients)
        return probe.observe(scope, probe.params.model_validate(PROBED[name]), datetime.now(UTC))

    return look


def carry_out(clients: AwsClients, scope: Scope, name: str, given: dict[str, Any]) -> str:
    runner, action = ChangeRunner(clients), CHANGES[name](clients)
    plan = runner.plan(action, PlanCall(scope=scope, step=name, generation=1, params=given)).plan
    call = ApplyCall(scope=scope, step=name, generation=1, action_id="a", holder="h", plan=plan, approvers=())
    assert runner.apply(action, call, datetime.now(UTC)).outcome == "applied"
    verify = VerifyCall(scope=scope, step=name, generation=1, action_id="a", holder="h", plan=plan)
    return runner.verify(action, verify, datetime.now(UTC)).message


def test_probes_tell_the_attack_from_ordinary_use(world: World, observe: Callable[[str], Finding]) -> None:
    """Before the fault every probe is ok; after it every one is suspect, and names the five addresses."""
    assert {name: observe(name).status for name in PROBED} == dict.fromkeys(PROBED, "ok")
    FAULT(world)
    found = {name: observe(name) for name in PROBED}
    assert {name: finding.status for name, finding in found.items()} == dict.fromkeys(PROBED, "suspect")
    assert sorted(found["logs.failed_sign_ins"].facts["suspects"]) == list(ATTACKERS)
    assert found["logs.failed_sign_ins"].facts["takeovers"] == 3
    assert set(ATTACKERS) <= set(found["wafv2.requests"].facts["suspects"])
    assert found["logs.data_access"].facts["addresses"] == [ATTACKERS[0]]
    assert found["logs.data_access"].facts["reads"] == 42
    privileges = found["cloudtrail.privilege_changes"].facts
    assert (privileges["changes"], privileges["refused"], privileges["expected"]) == (1, 1, 1)


def test_no_finding_names_an_account(world: World, observe: Callable[[str], Finding]) -> None:
    """Probes report accounts and principals only as pseudonyms."""
    FAULT(world)
    said = json.dumps([observe(name).model_dump(mode="json") for name in PROBED])
    for name in (*TAKEN, "support-readonly", "release-41"):
        assert name not in said


def test_taken_accounts_are_locked_out(world: World, clients: AwsClients, scope: Scope, outbox: Outbox) -> None:
    """Accounts taken over are disabled and signed out; those whose password is reset get one code each."""
    users = {"user_pool": "patients", "users": list(TAKEN)}
    carry_out(clients, scope, "cognito.reset_passwords", users)
    carry_out(clients, scope, "cognito.disable_users", users)
    carry_out(clients, scope, "cognito.sign_out_users", users)
    pool = world.environment.user_pools["patients"]
    found = [world.client("cognito-idp").admin_get_user(UserPoolId=pool, Username=user) for user in TAKEN]
    assert {(one["Enabled"], one["UserStatus"]) for one in found} == {(False, "RESET_REQUIRED")}
    sent = [entry["to"] for entry in outbox.entries()]
    assert len(sent) == len(set(sent)) == len(TAKEN)


def test_the_network_can_be_restricted_and_the_logs_kept(world: World, clients: AwsClients, scope: Scope) -> None:
    """What the runbook's other two changes name exists."""
    restrict = {"security_group": "backend", "port": 9090, "network_acl": "application", "addresses": list(ATTACKERS)}
    assert carry_out(clients, scope, "ec2.restrict_network", restrict).startswith("6 of 6")
    extend = {"web_acl": "portal", "network": "main", "bucket": "forensics", "services": ["backend"]}
    carry_out(clients, scope, "logging.extend", extend)
    group = world.environment.services["backend"].log_group
    (kept,) = world.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert kept["retentionInDays"] == 2557


def test_another_organisation_can_be_attacked_too(seeded: Callable[[Environment], World]) -> None:
    """An environment without user pool and web ACL gets what it has: log lines and a trail."""
    assert "3 worked" in FAULT(seeded(other(web_acls={})))


def test_event_history_behaves_as_cloudtrail(world: World) -> None:
    """Events are found only in their region, latest first, 50 a page; what CloudTrail refuses is refused."""
    now = datetime.now(UTC)
    for number in range(60):
        at = now - timedelta(minutes=number)
        event = {"eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", "eventSource": "iam.amazonaws.com", "eventID": str(number)}
        cloudtrail.record(world.environment.account, "us-east-1", event | {"eventName": "CreateUser"})
    elsewhere = [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]
    assert world.client("cloudtrail").lookup_events(LookupAttributes=elsewhere)["Events"] == []
    client = boto3.client("cloudtrail", region_name="us-east-1")
    first = client.lookup_events()
    assert [one["EventId"] for one in first["Events"]] == [str(number) for number in range(50)]
    assert len(client.lookup_events(NextToken=first["NextToken"])["Events"]) == 10
    attribute: Any = {"AttributeKey": "EventName", "AttributeValue": "CreateUser"}
    with pytest.raises(ClientError, match="InvalidLookupAttributesException"):
        client.lookup_events(LookupAttributes=[attribute, attribute])
    with pytest.raises(ClientError, match="InvalidTimeRangeException"):
        client.lookup_events(StartTime=now, EndTime=now - timedelta(hours=1))
