import re
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from moto import mock_aws
from moto.ec2.models import ec2_backends
from pydantic import ValidationError

from activities.action import PartlyDoneError, RuleError
from activities.aws.network.ec2_restrict_network import RestrictNetwork, RestrictParams
from activities.aws.network.ingress_rules import IngressRule, refuse_no_room
from activities.aws.observability.logging_extend import ExtendLogging, ExtendLoggingParams
from activities.changes.runner import ChangeRunner
from domain.config.environment import Protected
from domain.model.calls import ApplyCall, PlanCall
from domain.model.plan import Plan
from tests.activities.change_worlds import ChangeWorld
from tests.activities.scopes import ACCOUNT, NOW, REGION
from tests.activities.security_worlds import ATTACKERS, logging, restriction
from tests.activities.world import WIRE


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def planned(world: ChangeWorld, **params: Any) -> Plan:
    return ChangeRunner(world.clients).plan(world.change, asked(world, params)).plan


def asked(world: ChangeWorld, params: dict[str, Any], generation: int = 1, undo: Plan | None = None) -> PlanCall:
    return PlanCall(scope=world.scope, step="s", generation=generation, params=params, undo=undo)


def carry_out(world: ChangeWorld, generation: int = 1, undo: Plan | None = None) -> Plan:
    runner = ChangeRunner(world.clients)
    plan = runner.plan(world.change, asked(world, world.params, generation, undo)).plan
    call = ApplyCall(
        scope=world.scope,
        step="s",
        generation=generation,
        plan=plan,
        action_id=str(generation),
        holder="h",
        approvers=(),
    )
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    return plan


def rules(world: ChangeWorld) -> list[dict[str, Any]]:
    group = world.scope.environment.security_groups["tasks"]
    found = world.clients.inner.client("ec2").describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )
    return [rule for rule in found["SecurityGroupRules"] if not rule["IsEgress"]]


def test_only_the_named_rule_is_revoked() -> None:
    """Source and port together name one of four rules; the others stay, among them one that lets everything in."""
    world = restriction()
    plan = carry_out(world)
    revoked = [name for name in plan.before if " tcp " in name]
    assert [name.split(" ", 1)[1] for name in revoked] == ["tcp 22-22 0.0.0.0/0"]
    assert len(rules(world)) == 3


def test_rules_are_named_by_id_source_or_port() -> None:
    """Each way finds what it says; a rule for all traffic spans every port."""
    world = restriction()
    (portal,) = [rule["SecurityGroupRuleId"] for rule in rules(world) if rule["FromPort"] == 443]
    for given, count in (({"rules": [portal]}, 1), ({"cidr": "0.0.0.0/0"}, 2), ({"port": 22}, 3), ({"port": 80}, 1)):
        assert len(planned(world, security_group="tasks", **given).before) == count


def test_entries_take_free_numbers_and_known_ones_stay() -> None:
    """Somebody's entry 10 keeps its number; an address that is denied there already is not denied twice."""
    world = restriction()
    plan = planned(world, network_acl="edge", addresses=["203.0.113.200", *ATTACKERS])
    acl = world.scope.environment.network_acls["edge"]
    assert {name: value is None for name, value in plan.before.items()} == {
        f"{acl} ingress 10": False,
        f"{acl} ingress 11": True,
        f"{acl} ingress 12": True,
    }
    assert plan.target.endswith(acl)
    assert len(plan.locks) == 1


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({}, "name rules, cidr or port"),
        ({"security_group": "tasks"}, "name rules, cidr or port"),
        ({"port": 22}, "security_group"),
        ({"addresses": ["198.51.100.7"]}, "network_acl"),
        ({"security_group": "tasks", "cidr": "192.0.2.0/24"}, "no ingress rule"),
        ({"security_group": "tasks", "rules": ["sgr-0000000000000000a"]}, "no such ingress rule: sgr-"),
        ({"network_acl": "edge", "addresses": ["10.0.0.0/16"]}, "private or reserved"),
        ({"network_acl": "edge", "addresses": ["203.0.113.64/28"]}, "names it as ours"),
    ],
)
def test_what_must_not_be_or_finds_nothing_is_refused(params: dict[str, Any], reason: str) -> None:
    """The refusal says which; nothing is written."""
    world = restriction()
    ours = world.scope.environment.model_copy(update={"protected": Protected(addresses=("203.0.113.64/28",))})
    world.scope = world.scope.model_copy(update={"environment": ours})
    with pytest.raises(RuleError, match=reason):
        planned(world, **params)
    assert world.clients.writes == []


@pytest.mark.parametrize("kind", ["security_groups", "network_acls"])
def test_protected_resources_are_refused(kind: str) -> None:
    """What the orchestrator itself runs on is never restricted."""
    world = restriction()
    (resource,) = getattr(world.scope.environment, kind).values()
    ours = world.scope.environment.model_copy(update={"protected": Protected(resources=(resource,))})
    world.scope = world.scope.model_copy(update={"environment": ours})
    with pytest.raises(RuleError, match="protected"):
        planned(world, **world.params)


@pytest.mark.parametrize("retention", [731, None])
def test_what_logs_already_stays_as_it_is(retention: int | None) -> None:
    """A web ACL that logs elsewhere keeps its destination; longer retention and for ever are never shortened."""
    world = logging()
    world.meddle()
    logs = world.clients.inner.client("logs")
    group = world.scope.environment.services["backend"].log_group
    logs.delete_retention_policy(logGroupName=group)
    if retention:
        logs.put_retention_policy(logGroupName=group, retentionInDays=retention)
    stood = world.snapshot()
    plan = carry_out(world)
    assert [name.split()[0] for name in plan.before if plan.before[name] != plan.after[name]] == ["flows"]
    assert (world.snapshot()[0], world.snapshot()[2]) == (stood[0], stood[2])


def test_flow_logs_come_back_after_an_undo() -> None:
    """A token that EC2 knows from a flow log deleted since does not keep a new one from being made."""
    world = logging()
    create = world.clients.inner.client("ec2").create_flow_logs
    seen: dict[str, Any] = {}

    class Ec2:
        """EC2, which answers a known token with what was made then."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.clients.inner.client("ec2"), name)

        def create_flow_logs(self, **given: Any) -> Any:
            token = given["ClientToken"]
            if token not in seen:
                seen[token] = create(**given)
            return seen[token]

    world.clients.instead["ec2"] = Ec2()
    stood = world.snapshot()
    done = carry_out(world)
    carry_out(world, 2, undo=done)
    assert world.snapshot() == stood
    carry_out(world, 3)
    assert len(world.snapshot()[1]) == 1
    assert len(seen) == 2


def test_a_flow_log_that_delivers_nothing_is_no_log() -> None:
    """EC2 calls it active all the same: another is made, and one of the same bucket, which none can be, is refused."""
    world = logging()
    ec2, where = world.clients.inner.client("ec2"), world.scope.environment
    made = {"ResourceType": "VPC", "ResourceIds": [where.networks["main"].vpc_id], "TrafficType": "ALL"}
    gone = {"LogGroupName": "gone", "DeliverLogsPermissionArn": where.arn("iam", "role/vpc-flow-logs")}
    ec2.create_flow_logs(**made, **gone)
    (shown,) = ec2.describe_flow_logs()["FlowLogs"]
    assert (shown["FlowLogStatus"], shown["DeliverLogsStatus"]) == ("ACTIVE", "FAILED")
    done = carry_out(world)
    assert len(ec2.describe_flow_logs()["FlowLogs"]) == 2
    assert world.change.verify(world.scope, done).done
    for log in ec2_backends[ACCOUNT][REGION].flow_logs.values():
        log.deliver_logs_status, log.deliver_logs_error_message = "FAILED", "Access error"
    assert not world.change.verify(world.scope, done).done
    with pytest.raises(RuleError, match=r"fl-\w+ goes to .*audit-logs.* and delivers nothing \(Access error\)"):
        planned(world, **world.params)


def test_a_flow_log_that_cannot_be_deleted_is_told() -> None:
    """EC2 answers with what it did not delete, not with an error; one that is gone by then is no such thing."""
    world = logging()
    real: Any = world.clients.inner.client("ec2")
    done = carry_out(world)
    codes = ["InvalidFlowLogId.NotFound", "OperationNotPermitted"]

    class Ec2:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def delete_flow_logs(self, **_: Any) -> Any:
            return {"Unsuccessful": [{"Error": {"Code": codes.pop(0)}, "ResourceId": "fl-1"}]}

    world.clients.instead["ec2"] = Ec2()
    carry_out(world, 2, undo=done)
    with pytest.raises(PartlyDoneError) as refused:
        world.change.act(world.scope, done.reversed())
    (error,) = refused.value.errors.values()
    assert isinstance(error, RuleError)
    assert re.search(r"deletes no flow log.*OperationNotPermitted", str(error))


def test_a_log_that_would_go_nowhere_is_refused() -> None:
    """A log group that is not there, a network without a bucket, and nothing at all."""
    world = logging()
    world.clients.inner.client("logs").delete_log_group(logGroupName="aws-waf-logs-axis")
    for params, reason in (
        ({"web_acl": "portal"}, "no log group"),
        ({"network": "main"}, "bucket"),
        ({}, "name a web_acl"),
    ):
        with pytest.raises(RuleError, match=reason):
            planned(world, **params)


def test_what_the_bucket_of_flow_logs_must_admit_is_told() -> None:
    """No role of ours reads or writes its policy, without which EC2 makes no flow log; other logs need none."""
    world = logging()
    bucket = world.scope.environment.buckets["audit-logs"]
    assert f"Whether bucket {bucket} admits flow logs is unknown" in planned(world, **world.params).impact
    assert "admits" not in planned(world, web_acl="portal", services=["backend"]).impact
    carry_out(world, 1)
    assert "admits" not in planned(world, **world.params).impact


@pytest.mark.parametrize("days", [0, 2, 2555, 3653])
def test_only_retentions_that_cloudwatch_takes(days: int) -> None:
    """2555 days, seven years to a layman, is none of them; 2557 is, and the most that is asked for."""
    with pytest.raises(ValidationError):
        ExtendLoggingParams(days=days)
    assert ExtendLoggingParams().days == 2557


def test_the_room_in_a_security_group_is_counted_by_family() -> None:
    """A rule for a group or a prefix list takes room of both; where the quota may not be read nothing is refused."""
    world = restriction()
    ec2, group = world.clients.inner.client("ec2"), world.scope.environment.security_groups["tasks"]
    ranges = [{"CidrIp": f"10.0.{number}.0/24"} for number in range(56)]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": ranges}])
    for more, full in (
        ({"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, None),
        ({"IpRanges": [{"CidrIp": "192.0.2.0/24"}]}, "60 of 60 ingress rules for IPv4, and 1 more"),
        ({"PrefixListIds": [{"PrefixListId": "pl-1"}]}, "60 of 60 ingress rules for IPv4, and 1 more"),
    ):
        with pytest.raises(RuleError, match=full) if full else nullcontext():
            refuse_no_room(world.clients, group, [{"IpProtocol": "-1", **more}])
    denied = WIRE.listening(lambda sent: "AccessDeniedException" if sent.operation == "GetServiceQuota" else None)
    with denied:
        refuse_no_room(world.clients, group, [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}])


@pytest.mark.parametrize("wrong", [{"port": 65536}, {"cidr": "here"}, {"addresses": ["1.2.3"]}, {"rule": ["sgr-1"]}])
def test_parameters_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    """Before any plan is made."""
    with pytest.raises(ValidationError):
        RestrictParams.model_validate(wrong)


def test_the_changes_say_what_they_are() -> None:
    """Restricting takes an approver; logging more does not."""
    assert (RestrictNetwork.classes, ExtendLogging.classes) == (("A2",), ("A1",))


def test_tags_of_aws_are_left_to_aws() -> None:
    """A rule that CloudFormation has made is written again without what only AWS may set: EC2 would refuse it."""
    rule = {"IpProtocol": "-1", "CidrIpv4": "10.0.0.0/8"}
    tags = [{"Key": "aws:cloudformation:stack-name", "Value": "portal"}, {"Key": "owner", "Value": "devops"}]
    assert IngressRule.value({**rule, "Tags": tags}) == IngressRule.value({**rule, "Tags": tags[1:]})
