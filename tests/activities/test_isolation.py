from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from moto.ec2.models import ec2_backends
from moto.ecs.models import ecs_backends

from activities.action import RuleError
from activities.aws.ecs.ecs_stop_service import _AT_REST, StopParams, StopService
from activities.aws.network.network_isolate import IsolateNetwork, IsolateParams
from activities.changes.runner import ChangeRunner
from domain.model.plan import Plan
from sandbox.aws.rollout import rollouts
from tests.activities.breach_worlds import BALANCER, SERVICES, Estate, isolated, stop
from tests.activities.change_worlds import ChangeWorld
from tests.activities.fake_ecs import CLUSTER
from tests.activities.scopes import ACCOUNT, NOW, REGION, environment, scope
from tests.activities.test_change_catalogue import planned as of_runner
from tests.activities.test_change_catalogue import verified
from tests.activities.world import LostError


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def planned(world: ChangeWorld, **instead: Any) -> Plan:
    params = IsolateParams.model_validate({**world.params, **instead})
    return IsolateNetwork(world.clients).plan(world.scope, params)


def deny(estate: Estate) -> list[tuple[int, bool, str]]:
    found = estate.client.describe_network_acls(NetworkAclIds=[estate.acl])["NetworkAcls"][0]["Entries"]
    return sorted(
        (entry["RuleNumber"], entry["Egress"], entry.get("CidrBlock") or entry["Ipv6CidrBlock"])
        for entry in found
        if entry["RuleAction"] == "deny" and entry["RuleNumber"] < 100
    )


def test_everything_is_cut() -> None:
    """No request passes the web ACL by default, nothing passes the subnets either way, no group lets anything in."""
    world, waf, estate = isolated()
    rules = waf.read()["WebACL"]["Rules"]
    plan = planned(world)
    world.change.act(world.scope, plan)
    now = waf.read()["WebACL"]
    assert now["DefaultAction"] == {"Block": {}}
    assert (now["Rules"], now["Description"]) == (rules, "the portal")
    assert deny(estate) == [(1, False, "0.0.0.0/0"), (1, True, "0.0.0.0/0")]
    assert estate.ingress(estate.backend) == estate.ingress(estate.frontend) == []
    assert world.change.verify(world.scope, plan).done
    assert waf.client.get_web_acl_for_resource(ResourceArn=BALANCER)["WebACL"]["Name"] == now["Name"]


def test_requests_end_first_and_come_back_last() -> None:
    """In the order of the containment going in, the other way round coming out."""
    world, _, _ = isolated()
    plan = planned(world)
    world.change.act(world.scope, plan)
    there, world.clients.writes = list(world.clients.writes), []
    world.change.act(world.scope, plan.reversed())
    assert there[0] == "wafv2.update_web_acl"
    assert there[1:3] == ["ec2.create_network_acl_entry"] * 2
    assert world.clients.writes[-1] == "wafv2.update_web_acl"
    assert world.clients.writes[:2] == ["ec2.authorize_security_group_ingress"] * 2


def test_another_rule_in_the_web_acl_is_no_conflict() -> None:
    """Only the default action is ours: a rule that somebody adds between our read and our write is kept."""
    world, waf, _ = isolated()
    plan = planned(world)
    added = [*waf.read()["WebACL"]["Rules"], waf.rule(9, waf.arns()[0], "Count")]
    once = iter([True])

    def meddle() -> None:
        if next(once, False):
            waf.write(Rules=added)

    world.clients.before_write = meddle
    world.change.act(world.scope, plan)
    assert [rule["Name"] for rule in waf.read()["WebACL"]["Rules"]] == ["rule-0", "rule-1", "rule-9"]
    assert waf.read()["WebACL"]["DefaultAction"] == {"Block": {}}


@pytest.mark.parametrize("state", ["associating", "associated", "disassociating"])
def test_ipv6_is_cut_where_the_vpc_has_it(state: str) -> None:
    """Otherwise an attacker would come and go by IPv6, while the VPC gets or loses it too (EC2 VpcCidrBlockState)."""
    world, _, estate = isolated()
    estate.client.associate_vpc_cidr_block(VpcId=estate.vpc, AmazonProvidedIpv6CidrBlock=True)
    for block in ec2_backends[ACCOUNT][REGION].vpcs[estate.vpc].get_cidr_block_association_set(ipv6=True):
        block["cidr_block_state"]["state"] = state
    world.change.act(world.scope, planned(world))
    assert {(number, where) for number, _, where in deny(estate)} == {(1, "0.0.0.0/0"), (2, "::/0")}


def test_rules_that_still_let_through_are_named() -> None:
    """A rule that allows is decided before the default: who approves knows."""
    world, waf, _ = isolated()
    waf.write(Rules=[waf.rule(0, waf.arns()[0], "Allow")])
    assert "rule-0" in planned(world).impact


def test_without_a_network_acl_connections_live_on_and_that_is_said() -> None:
    """Security groups do not cut what is established."""
    world, _, estate = isolated()
    plan = planned(world, network_acl=None)
    assert "Connections that exist go on" in plan.impact
    world.change.act(world.scope, plan)
    assert deny(estate) == []


@pytest.mark.parametrize("what", ["backend", "acl", "vpc", "subnet", "arn", "interface"])
def test_what_is_ours_is_refused(what: str) -> None:
    """Nothing is isolated that the orchestrator itself, or anything protected, stands in."""
    world, _, estate = isolated()
    own = str(estate.client.create_security_group(GroupName="own", Description="o", VpcId=estate.vpc)["GroupId"])
    estate.client.create_network_interface(SubnetId=estate.subnet, Groups=[own])
    there = world.scope.environment
    protected = {
        "backend": estate.backend,
        "acl": estate.acl,
        "vpc": estate.vpc,
        "subnet": estate.subnet,
        "arn": f"arn:aws:ec2:{there.region}:{there.account}:security-group/{estate.backend}",
        "interface": own,
    }[what]
    shielded = there.model_dump() | {"protected": {"resources": [protected]}}
    world.scope = scope(environment=type(there).model_validate(shielded))
    with pytest.raises(RuleError, match="protected"):
        planned(world)
    assert world.clients.writes == []


def test_a_taken_rule_number_is_refused() -> None:
    """Somebody else's rule is never replaced."""
    world, _, estate = isolated()
    entry = {"NetworkAclId": estate.acl, "RuleNumber": 1, "Egress": False, "Protocol": "6"}
    estate.client.create_network_acl_entry(
        **entry, RuleAction="allow", CidrBlock="10.0.0.0/8", PortRange={"From": 22, "To": 22}
    )
    with pytest.raises(RuleError, match="is taken"):
        planned(world)


def test_a_web_acl_that_is_not_there_is_named() -> None:
    """A name that leads nowhere is the environment's mistake, and said so."""
    world, _, _ = isolated()
    where = world.scope.environment.model_dump()
    where["web_acls"]["portal"]["name"] = "another"
    world.scope = scope(environment=environment().model_validate(where))
    with pytest.raises(RuleError, match="no WebACL another"):
        planned(world)


def stopping(world: ChangeWorld, *services: str) -> Plan:
    return StopService(world.clients).plan(world.scope, StopParams(services=services or ("backend", "frontend")))


def test_autoscaling_is_suspended_before_tasks_end_and_resumed_after() -> None:
    """The other way round it would start them again, or fight what comes back."""
    world = stop()
    plan = stopping(world)
    world.change.act(world.scope, plan)
    assert world.clients.writes == ["application-autoscaling.register_scalable_target", *["ecs.update_service"] * 2]
    world.clients.writes.clear()
    world.change.act(world.scope, plan.reversed())
    assert world.clients.writes[:2] == ["ecs.update_service", "application-autoscaling.register_scalable_target"]


def count(world: ChangeWorld, set_to: int | None = None) -> int:
    """How many tasks of the backend there shall be; `set_to` is what autoscaling moves it to by itself."""
    ecs = world.clients.inner.client("ecs")
    if set_to is not None:
        ecs.update_service(cluster=CLUSTER, service=SERVICES[0], desiredCount=set_to)
    return int(ecs.describe_services(cluster=CLUSTER, services=[SERVICES[0]])["services"][0]["desiredCount"])


@pytest.mark.parametrize("lose", [0, 1, 2])
def test_a_stop_killed_halfway_and_tried_again_stops(lose: int) -> None:
    """The answer of a write is lost: the attempt after it starts no task again, whichever write it was."""
    world = stop()
    runner = ChangeRunner(world.clients)
    call = of_runner(runner, world)
    world.clients.lose = lose
    with pytest.raises(LostError):
        runner.apply(world.change, call, NOW)
    assert count(world) == 0
    made = len(world.clients.writes)
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    assert (count(world), len(world.clients.writes)) == (0, made)
    verified(runner, world, call)


def test_whoever_registers_the_target_later_starts_nothing() -> None:
    """With the minimum at 0 too, autoscaling has no reason to start tasks of what is stopped."""
    world = stop()
    world.change.act(world.scope, stopping(world))
    target = {"ServiceNamespace": "ecs", "ResourceId": f"service/{CLUSTER}/{SERVICES[0]}", "MaxCapacity": 9}
    scaling = world.clients.inner.client("application-autoscaling")
    scaling.register_scalable_target(**target, ScalableDimension="ecs:service:DesiredCount")
    assert count(world) == 0


def test_any_count_is_stopped_and_the_last_one_comes_back() -> None:
    """Autoscaling moved it since the plan: that is no conflict; the undo restores what stood when it was stopped."""
    world = stop()
    runner = ChangeRunner(world.clients)
    call = of_runner(runner, world)
    count(world, 5)
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    verified(runner, world, call)
    undo = of_runner(runner, world, 2, call.plan)
    assert undo.plan.after["backend.desired"] == 5
    assert runner.apply(world.change, undo, NOW).outcome == "applied"
    assert count(world) == 5
    count(world, 6)
    assert verified(runner, world, undo)


def test_what_autoscaling_starts_since_the_plan_is_stopped() -> None:
    """Nothing ran when it was planned: the count is set all the same, and named where it is refused."""
    world = stop()
    count(world, 0)
    call = of_runner(runner := ChangeRunner(world.clients), world)
    count(world, 4)
    assert "backend.desired" in call.plan.changing
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    assert count(world) == 0
    verified(runner, world, call)


def test_what_ran_no_task_is_not_started_by_an_undo() -> None:
    """Its minimum would start some: that piece is refused and named, in the plan too, and the others come back."""
    world = stop()
    count(world, 0)
    call = of_runner(runner := ChangeRunner(world.clients), world)
    assert "No task of backend runs now: an undo leaves its autoscaling suspended" in call.plan.impact
    assert runner.apply(world.change, call, NOW).refused == {}
    undo = of_runner(runner, world, 2, call.plan)
    world.clients.writes.clear()
    undone = runner.apply(world.change, undo, NOW)
    assert "its minimum of 2 would start some" in undone.refused.pop("backend.scaling")
    assert (undone.refused, world.clients.writes) == ({}, ["ecs.update_service"])
    assert world.snapshot() == ([0, 3], [(0, 8, _AT_REST["suspended"])])


def test_a_daemon_is_not_stopped() -> None:
    """It has no count: refused, with what to do instead."""
    world = stop()
    ecs_backends[ACCOUNT][REGION].services[f"{CLUSTER}:{SERVICES[1]}"].scheduling_strategy = "DAEMON"
    with pytest.raises(RuleError, match="frontend is a daemon"):
        stopping(world)


def test_stopped_means_that_nothing_runs() -> None:
    """A desired count of 0 is not enough: tasks drain first."""
    world = stop()
    plan = stopping(world)
    world.change.act(world.scope, plan)
    assert world.change.verify(world.scope, plan).done
    rollouts(ecs_backends[ACCOUNT][REGION].services[f"{CLUSTER}:{SERVICES[1]}"]).running = 2
    seen = world.change.verify(world.scope, plan)
    assert (seen.done, seen.failed) == (False, False)
    assert "frontend: 2 tasks running" in seen.message


def test_counts_limits_and_suspensions_are_kept_for_the_undo() -> None:
    """The plan holds all that is needed to put it back, a suspension of somebody else's included."""
    before = stopping(stop()).before
    assert before["backend.desired"] == before["frontend.desired"] == 3
    assert before["backend.scaling"]["minimum"] == 2
    assert before["backend.scaling"]["suspended"]["DynamicScalingInSuspended"]
    assert not before["backend.scaling"]["suspended"]["DynamicScalingOutSuspended"]
    assert before["frontend.scaling"] is None


@pytest.mark.parametrize("resource", [SERVICES[0], CLUSTER])
def test_a_protected_service_is_not_stopped(resource: str) -> None:
    """By its own name or its cluster's."""
    world = stop()
    world.scope = scope(environment=environment(protected={"resources": [resource]}))
    with pytest.raises(RuleError, match="protected"):
        stopping(world)


def test_a_service_that_is_not_there_is_refused() -> None:
    """ECS does not call it an error; we do."""
    world = stop()
    world.clients.inner.client("ecs").delete_service(cluster=CLUSTER, service=SERVICES[1], force=True)
    with pytest.raises(RuleError, match="no active service"):
        stopping(world)
