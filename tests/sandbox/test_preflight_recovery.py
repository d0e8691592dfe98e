"""Preflight looks at what drills and recovery tests use, counts what changes fill, and tries what roles may."""

import re
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.awslambda.models import lambda_backends
from moto.ec2.models import ec2_backends
from moto.rds.models import rds_backends

from activities.aws.shared.clients import AwsClients
from activities.catalogue import CHANGES
from activities.preflight.check import Row
from activities.preflight.dry_runs import calls
from activities.preflight.run import run
from activities.preflight.table import ASSUMED, CHECKS
from sandbox.runtime.aws_world import World
from tests.sandbox.preflight_rooms import room_of

ACL = "acl-0a1b2c3d4e5f60001"
COUNT = "axis-imaging-recovery-count"


def rows(world: World, check: str) -> dict[str, Row]:
    """The rows of a check, by their targets."""
    found = run([one for one in CHECKS if one.name == check], room_of(world.environment))
    return {row.target: row for row in found}


@pytest.mark.parametrize(
    ("state", "status"), [("Active", "ok"), ("Failed", "wrong"), ("Pending", "unknown"), ("Inactive", "unknown")]
)
def test_a_function_must_be_there_and_would_run(world: World, state: str, status: str) -> None:
    """Lambda shows it while it is being made, when that failed, and when it sleeps."""
    functions = lambda_backends[world.environment.account][world.environment.region]
    functions.get_function(COUNT).state = state
    seen = rows(world, "function")
    assert seen["recovery.count_function"].status == status
    assert {row.status for name, row in seen.items() if name.startswith("faults.")} == {"ok"}
    assert len(seen) == 1 + len(world.environment.faults)


def test_a_function_that_is_not_there_is_missing(world: World) -> None:
    """Nobody learns of it in the hour of the drill, or of the restore."""
    for name in {COUNT, *world.environment.faults.values()}:
        world.client("lambda").delete_function(FunctionName=name)
    assert {row.status for row in rows(world, "function").values()} == {"missing"}


def test_copies_reach_nothing_from_their_place(world: World) -> None:
    """They hold production's data: EC2 gives each new group a rule that lets everything out."""
    place, ec2 = world.environment.recovery, world.client("ec2")
    assert place is not None
    [seen] = rows(world, "recovery group").values()
    assert seen.status == "ok"
    inside = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": place.security_group}]}
    ec2.authorize_security_group_egress(GroupId=place.security_group, IpPermissions=[inside])
    [seen] = rows(world, "recovery group").values()
    assert seen.status == "ok"
    out = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_egress(GroupId=place.security_group, IpPermissions=[out])
    [seen] = rows(world, "recovery group").values()
    assert (seen.status, "10.0.0.0/8" in seen.detail) == ("wrong", True)


def test_what_a_restore_would_be_refused_for_is_found_before(world: World) -> None:
    """Its subnet group, a snapshot, and its key."""
    environment = world.environment
    place, rds, kms = environment.recovery, world.client("rds"), world.client("kms")
    assert place is not None
    assert [row.status for row in rows(world, "recovery source").values()] == ["ok"]
    kms.disable_key(KeyId=kms.describe_key(KeyId=place.kms_key)["KeyMetadata"]["KeyId"])
    assert rows(world, "key")["recovery.kms_key"].status == "wrong"
    rds.delete_db_subnet_group(DBSubnetGroupName=place.subnet_group)
    assert [row.status for row in rows(world, "recovery source").values()] == ["missing"]
    rds_backends[environment.account][environment.region].database_snapshots.clear()
    [seen] = rows(world, "recovery source").values()
    assert (seen.status, "there is no snapshot" in seen.detail) == ("wrong", True)


def test_rules_of_a_security_group_are_counted(world: World) -> None:
    """A full one takes none that is to come back after an incident, and lets no responder in."""
    ec2, group = world.client("ec2"), world.environment.security_groups["backend"]
    standing = rows(world, "group rules")["security_groups.backend"]
    assert standing.status == "ok"
    used, most = map(int, re.findall(r"\d+", standing.detail))
    for number in range(used, most):
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": f"10.9.{number}.0/24"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    assert rows(world, "group rules")["security_groups.backend"].status == "wrong"


def test_flow_logs_of_a_network_are_counted(world: World) -> None:
    """Of two that deliver nothing EC2 makes no third."""
    environment, network = world.environment, world.environment.networks["main"]
    assert rows(world, "flow logs")["networks.main"].status == "ok"
    world.client("ec2").create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[network.vpc_id],
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination=environment.arn("s3", environment.buckets["audit-logs"]),
    )
    for one in ec2_backends[environment.account][environment.region].flow_logs.values():
        one.deliver_logs_status = "FAILED"
    assert rows(world, "flow logs")["networks.main"].status == "wrong"


def test_every_write_to_ec2_is_tried_as_a_dry_run(world: World) -> None:
    """What a change comes to write tomorrow as well; tags go with the rule that they are of."""
    declared = {one for change in CHANGES.values() for one in change.permissions if one.startswith("ec2:")}
    writes = {one for one in declared if not one.startswith("ec2:Describe")} - {"ec2:CreateTags"}
    tried = {call.operation.replace("_", "") for call in calls(room_of(world.environment)).values()}
    assert {one.removeprefix("ec2:").lower() for one in writes} == {one for one in tried if "describe" not in one}


def test_aws_decides_dry_runs_under_the_roles(world: World) -> None:
    """Nothing is done; a refusal of EC2's or Lambda's own is wrong, and a role that may not be assumed unknown."""
    environment = world.environment
    before = world.client("ec2").describe_network_acls(NetworkAclIds=[ACL])["NetworkAcls"]
    room = room_of(environment)
    seen = list(run(ASSUMED, room))
    assert {row.status for row in seen} == {"ok"}
    assert [row.target for row in seen] == [
        "diagnose describe_vpcs",
        "diagnose describe_flow_logs",
        "remediate-network authorize_security_group_ingress",
        "remediate-network revoke_security_group_ingress",
        "remediate-network create_network_acl_entry",
        "remediate-network delete_network_acl_entry",
        "remediate-observability create_flow_logs",
        "remediate-observability delete_flow_logs",
        "remediate axis-imaging-drill-faults",
        f"remediate-recovery {COUNT}",
    ]
    for code, operation, status in (
        ("AccessDenied", "AssumeRole", "unknown"),
        ("UnauthorizedOperation", "CreateFlowLogs", "wrong"),
        ("AccessDeniedException", "Invoke", "wrong"),
    ):
        acting = refusing(environment.region, code, operation)
        found = list(run(ASSUMED, replace(room, acting=acting)))
        assert {row.status for row in found if code in row.detail or row.status == "wrong"} == {status}, found
    assert world.client("ec2").describe_network_acls(NetworkAclIds=[ACL])["NetworkAcls"] == before


def refusing(region: str, code: str, operation: str) -> Any:
    """Clients under any role, of which AWS refuses an operation, or all where the role may not be assumed."""

    def refuse(model: Any, **_: Any) -> Any:
        if operation in {"AssumeRole", model.name}:
            raise ClientError({"Error": {"Code": code}}, operation)

    def acting(_: str) -> Any:
        clients = AwsClients(boto3.Session("testing", "testing", region_name=region), region)
        for service in ("ec2", "lambda"):
            clients.client(service).meta.events.register("before-call", refuse)
        return clients

    return acting
