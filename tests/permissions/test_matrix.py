"""Every recorded call under every role: allowed to those who make it, denied to all others.

moto's enforcement is the judge here. It looks at action and resource alone, so conditions are taken out first; with
them, and with what bounds the roles, `make policies` tries the same cells.
"""

import json
from functools import cache

import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from activities.permissions.roles import permissions_of, roles
from tests.permissions import picture
from tests.permissions.matrix import Cell, cells, policy_text, rows, unconditioned
from tests.permissions.unmade import UNMADE

pytestmark = pytest.mark.xdist_group("recorded-calls")


def _judged(cell: Cell) -> PermissionResult:
    policy = _unconditioned(policy_text(cell))
    if policy is None:
        return PermissionResult.NEUTRAL
    found: PermissionResult = policy.is_action_permitted(cell.request.action, cell.request.resource)
    return found


@cache
def _unconditioned(text: str) -> IAMPolicy | None:
    document = json.loads(text)
    for statement in document["Statement"]:
        statement.pop("Condition", None)
    return IAMPolicy(json.dumps(document)) if document["Statement"] else None


def test_calls_are_allowed_to_their_own_role_alone() -> None:
    """Each cell of the matrix: no role is short of a right, and none has one that none of its actions uses."""
    wrong = [
        str(cell)
        for cell in cells()
        if (cell.role, cell.request.action) not in UNMADE
        and (_judged(cell) is PermissionResult.PERMITTED) != (cell.allowed or unconditioned(cell))
    ]
    assert wrong == []


def test_every_right_is_used() -> None:
    """What a role is given was seen to be used under it, but for what only trouble brings about."""
    used = {(role, action) for (action, _), asked in rows().items() for role in asked.makers}
    given = {(role, action) for role in roles() for action in permissions_of(role)}
    assert given - used == set(UNMADE)


def test_the_picture_is_current() -> None:
    """docs/images/permissions.svg shows these cells."""
    assert picture.FILE.read_text(encoding="utf-8") == picture.text(), "run: make iam"
