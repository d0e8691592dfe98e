"""Preflight reads what AWS writes as probes do, counts as plans do, and asks what answers outside of AWS."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.rds.models import RDSBackend
from moto.route53resolver.models import route53resolver_backends

from activities.preflight.check import Room, Row
from activities.preflight.run import run
from activities.preflight.table import CHECKS
from activities.statuspage_client import StatusPageClient
from domain.config.environment import Environment
from sandbox.aws import cloudtrail
from sandbox.aws.resolver_firewall import Group, Rule, rule_groups
from sandbox.runtime.aws_world import World
from tests.sandbox.preflight_rooms import room_of, served
from tests.sandbox.worlds import shipped

FIREWALL = "rslvr-frg-0a1b2c3d4e5f6789"


def row(room: Room, check: str, target: str | None = None) -> Row:
    """The row of a check, or of one of its targets."""
    found = list(run([one for one in CHECKS if one.name == check], room))
    [seen] = [one for one in found if target in {None, one.target}]
    return seen


def changed(environment: Environment, **parts: Any) -> Environment:
    return Environment.model_validate(environment.model_dump(mode="json") | parts)


FIREWALLS = [
    (Group(), "ok", "blocks every name"),
    (Group([Rule(domains=("portal.example", "*"))]), "ok", "blocks every name"),
    (Group([Rule(domains=("bad.example",)), Rule()]), "ok", "blocks every name"),
    (Group([]), "wrong", "no rule"),
    (Group([Rule(domains=("*.example",))]), "wrong", "no rule"),
    (Group([Rule(action="ALERT")]), "wrong", "no rule"),
    (Group([Rule(more={"Qtype": "A"})]), "wrong", "no rule"),
    (Group([Rule(more={"Status": "CREATION_FAILED"})]), "wrong", "no rule"),
    (Group([Rule(action="ALLOW", domains=("portal.example",)), Rule()]), "wrong", "rule-0 let names through first"),
    (Group(status="UPDATING"), "unknown", "run preflight again"),
    (Group(status="DELETING"), "wrong", "make another"),
    (Group(shared="SHARED_WITH_ME"), "unknown", "make one here, or ask there"),
]


def test_a_dns_firewall_must_block_every_name(world: World, subtests: pytest.Subtests) -> None:
    """One that is there and lets names through would leave an isolation open."""
    groups = rule_groups(route53resolver_backends[world.environment.account][world.environment.region])
    for group, status, said in FIREWALLS:
        with subtests.test(group=group):
            groups[FIREWALL] = group
            seen = row(room_of(world.environment), "DNS firewall")
            assert (seen.status, said in seen.detail) == (status, True)


def test_a_network_has_room_for_its_dns_firewall(world: World) -> None:
    """As the plan counts them: five rule groups a VPC, and those that decide first are named."""
    resolver, vpc = world.client("route53resolver"), world.environment.networks["main"].vpc_id
    assert row(room_of(world.environment), "rule groups").status == "ok"
    asked = {"VpcId": vpc, "Name": "other", "CreatorRequestId": "1"}
    for number in range(5):
        resolver.associate_firewall_rule_group(FirewallRuleGroupId=f"g{number}", Priority=100 + number, **asked)
        seen = row(room_of(world.environment), "rule groups")
        assert seen.status == ("wrong" if number == 4 else "unknown"), seen
    assert "AWS allows 5" in seen.detail


def written(world: World, group: str, *messages: str, at: timedelta = timedelta(minutes=1)) -> None:
    """A log group holds these lines and no others."""
    logs, moment = world.client("logs"), int((datetime.now(UTC) - at).timestamp() * 1000)
    logs.delete_log_group(logGroupName=group)
    logs.create_log_group(logGroupName=group)
    if messages:
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        events = [{"timestamp": moment, "message": one} for one in messages]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


REQUEST = json.dumps({"timestamp": 1795404300000, "action": "ALLOW", "httpRequest": {"clientIp": "192.0.2.7"}})
FLOW = "2 123456789012 eni-1 10.0.1.5 10.0.2.4 49152 5432 6 12 840 1795404240 1795404300 ACCEPT OK"


def test_a_log_of_aws_s_own_is_read_as_the_probe_reads_it(world: World, subtests: pytest.Subtests) -> None:
    """What it does not understand is wrong; where nothing was written of late, nothing is known."""
    environment = world.environment
    for check, target, group, line in (
        ("WAF record", "web_acls.portal", environment.web_acls["portal"].log_group, REQUEST),
        ("flow record", "networks.main", environment.networks["main"].flow_log_group, FLOW),
    ):
        with subtests.test(check=check):
            for lines, status in (([line], "ok"), ([line, "something else"], "wrong"), ([], "unknown")):
                written(world, str(group), *lines)
                assert row(room_of(environment), check).status == status
            written(world, str(group), line, at=timedelta(hours=30))
            assert row(room_of(environment), check, target).status == "unknown"


def test_a_log_that_no_probe_can_read_is_wrong(world: World) -> None:
    """Of the class Infrequent Access; and a flow log without the fields that tell who was refused."""
    group = world.environment.web_acls["portal"].log_group
    world.client("logs").delete_log_group(logGroupName=group)
    world.client("logs").create_log_group(logGroupName=group, logGroupClass="INFREQUENT_ACCESS")
    assert "Infrequent Access" in row(room_of(world.environment), "WAF record").detail
    ec2, main = world.client("ec2"), world.environment.networks["main"]
    ec2.delete_flow_logs(FlowLogIds=[one["FlowLogId"] for one in ec2.describe_flow_logs()["FlowLogs"]])
    ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[main.vpc_id],
        TrafficType="ALL",
        LogGroupName=main.flow_log_group,
        LogFormat="${srcaddr} ${dstaddr} ${bytes}",
        DeliverLogsPermissionArn=world.environment.arn("iam", "role/vpc-flow-logs"),
    )
    assert "its format lacks action, log-status" in row(room_of(world.environment), "flow record").detail


def test_an_event_without_its_record_is_not_understood(world: World) -> None:
    """One null among the latest events is told."""
    environment = world.environment
    assert row(room_of(environment), "trail record").status == "ok"
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    broken = {"eventID": "e", "eventName": None, "eventSource": "iam.amazonaws.com", "eventTime": at}
    cloudtrail.record(environment.account, environment.region, broken)
    seen = row(room_of(environment), "trail record")
    assert seen.status == "wrong", seen


def test_snapshots_are_counted_by_kind_as_plans_count_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of clusters have a quota of their own, which counts where there is a cluster."""
    rooms = [room_of(world.environment), room_of(_with_a_cluster(world.environment))]
    assert [[one.target for one in rows] for rows in map(_snapshots, rooms)] == [
        ["instances"],
        ["instances", "clusters"],
    ]
    monkeypatch.setattr(RDSBackend, "SNAPSHOT_QUOTA", 4)
    assert {one.status for one in _snapshots(rooms[1])} == {"wrong"}


def _snapshots(room: Room) -> list[Row]:
    return list(run([one for one in CHECKS if one.name == "snapshots"], room))


def _with_a_cluster(environment: Environment) -> Environment:
    replica = environment.databases["replica"].model_dump(mode="json")
    return changed(
        environment,
        databases={
            "replica": replica | {"cluster": True, "replica_of": None},
            "primary": environment.databases["primary"].model_dump(mode="json"),
        },
    )


@pytest.mark.parametrize(
    ("url", "status"),
    [("{page}/health", "ok"), ("{page}/failing", "wrong"), ("http://127.0.0.1:9/health", "unknown")],
)
def test_a_health_endpoint_must_answer(url: str, status: str) -> None:
    """What answers otherwise is wrong; what does not answer here may answer to workers."""
    room = room_of(shipped())
    health = {"api": room.environment.health["api"].model_copy(update={"url": url.format(page=served())})}
    seen = row(replace(room, environment=room.environment.model_copy(update={"health": health})), "health")
    assert (seen.target, seen.status) == ("health.api", status)


@pytest.mark.parametrize(
    ("key", "page", "components", "status", "said"),
    [
        ("key", "axis-imaging", ["portal-component"], "ok", "2 components"),
        ("key", "axis-imaging", ["portal-component", "other"], "missing", "no component for c1"),
        ("key", "other", [], "missing", "no such page"),
        ("", "axis-imaging", [], "unknown", "STATUSPAGE_API_KEY"),
        ("wrong", "axis-imaging", [], "unknown", "401"),
    ],
)
def test_the_status_page_has_what_the_file_names(
    key: str, page: str, components: Iterable[str], status: str, said: str
) -> None:
    """Without a key, or with one that is refused, nobody can tell."""
    named = {f"c{number}": one for number, one in enumerate(components)}
    environment = changed(shipped(), status_page={"page_id": page, "components": named})
    client = StatusPageClient(served(), key, interval=timedelta(0))
    seen = row(replace(room_of(environment), status_page=client), "status page")
    assert (seen.status, said in seen.detail) == (status, True), seen
