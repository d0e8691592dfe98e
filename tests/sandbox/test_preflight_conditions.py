"""What a role may do beyond its own is found where it may do it on another role's conditions alone."""

import json

from activities.permissions.roles import LEDGER
from activities.permissions.statements import role_name, statements
from activities.preflight.roles import role
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE
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
