"""What a role may do beyond its own is found where it may do it on another role's conditions alone; what hangs on a
condition that nobody can simulate is neither held nor lacking."""

import json
from typing import Any

import pytest
from moto.iam.models import iam_backends

from activities.permissions.roles import LEDGER
from activities.permissions.statements import role_name, statements
from activities.preflight.check import Verdict
from activities.preflight.roles import role
from deploy.policies.documents import control_policy
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE
from sandbox.aws.iam import control_policies
from sandbox.runtime.aws_world import World
from tests.sandbox.preflight_rooms import room_of


def test_each_condition_of_each_statement_is_tried(world: World) -> None:
    """Keys are told apart by their aliases, items of the ledger by how their keys begin: one try is not enough."""
    room, missed = room_of(world.environment), []
    assert role(room, NOTIFY_QUEUE).status == "ok"
    name = role_name(NOTIFY_QUEUE, world.environment)
    for other in (DIAGNOSE_QUEUE, FORENSICS_QUEUE, LEDGER):
        for one in statements(other, world.environment):
            if not one.conditions:
                continue
            added = json.dumps({"Version": "2012-10-17", "Statement": [one.document()]})
            world.client("iam").put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=added)
            if "it may also" not in role(room, NOTIFY_QUEUE).detail:
                missed.append((other, one.actions))
    assert missed == []


OFFICE = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def looked(world: World) -> Verdict:
    return role(room_of(world.environment), NOTIFY_QUEUE)


def added(world: World, **statement: Any) -> str:
    """Give the role one more policy of its own."""
    name = role_name(NOTIFY_QUEUE, world.environment)
    document = json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING | statement]})
    world.client("iam").put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=document)
    return name


def test_a_right_on_a_condition_that_nobody_gives_is_not_said_to_be_lacking(world: World) -> None:
    """Somebody let the role do more from the office: no simulation shows it, and no row says that it may not."""
    added(world, Action="ecs:UpdateService", Condition=OFFICE)
    seen = looked(world)
    assert (seen.status, "aws:SourceIp" in seen.detail) == ("unknown", True)


def test_conditions_of_other_statements_hide_no_fault(world: World) -> None:
    """AWS names the keys of all of a role's statements, whatever is asked: those of its own it is always given."""
    iam, name = world.client("iam"), role_name(DIAGNOSE_QUEUE, world.environment)
    document = iam.get_role_policy(RoleName=name, PolicyName=DIAGNOSE_QUEUE)["PolicyDocument"]
    text = json.dumps(document).replace('"ecs:DescribeServices", ', "")
    iam.put_role_policy(RoleName=name, PolicyName=DIAGNOSE_QUEUE, PolicyDocument=text)
    seen = role(room_of(world.environment), DIAGNOSE_QUEUE)
    assert (seen.status, "it may not ecs:DescribeServices;" in seen.detail) == ("wrong", True)


@pytest.mark.parametrize(
    ("statements", "status"),
    [
        ([EVERYTHING], "ok"),
        ([EVERYTHING | {"Condition": {"StringEquals": {"aws:RequestedRegion": "ap-southeast-2"}}}], "ok"),
        ([EVERYTHING | {"Condition": OFFICE}], "unknown"),
        ([EVERYTHING | {"Action": "iam:*"}], "unknown"),
    ],
)
def test_what_a_boundary_refuses_may_hang_on_a_condition(world: World, statements: list[Any], status: str) -> None:
    """The simulator does not say which keys it lacks there (IAM API EvaluationResult, MissingContextValues)."""
    iam, text = world.client("iam"), json.dumps({"Version": "2012-10-17", "Statement": statements})
    arn = iam.create_policy(PolicyName="bound", PolicyDocument=text)["Policy"]["Arn"]
    name = role_name(NOTIFY_QUEUE, world.environment)
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
    seen = looked(world)
    assert (seen.status, "boundary" in seen.detail) == (status, status != "ok"), seen


def test_a_service_control_policy_is_met_by_who_the_role_is(world: World) -> None:
    """The one that is shipped refuses by the name of the principal; one on another key cannot be told."""
    environment = world.environment
    held = control_policies(iam_backends[environment.account]["aws"])
    held.append(control_policy(environment))
    assert looked(world).status == "ok"
    held.append({"Statement": [{**EVERYTHING, "Effect": "Deny", "Condition": {"Null": {"aws:SourceVpc": "true"}}}]})
    seen = looked(world)
    assert (seen.status, "service control policy" in seen.detail) == ("unknown", True), seen
