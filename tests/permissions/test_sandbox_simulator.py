"""The sandbox's policy simulator decides every cell of the matrix as it must be: what `make policies` asks of
iam-simulate, conditions and all."""

import json

import pytest

from sandbox.aws.iam import decide
from tests.permissions.matrix import Cell, cells, policy_text
from tests.permissions.unmade import UNMADE

pytestmark = pytest.mark.xdist_group("recorded-calls")


def _decided(cell: Cell) -> str:
    context = {key: [value] if isinstance(value, str) else list(value) for key, value in cell.request.context}
    return decide(json.loads(policy_text(cell))["Statement"], cell.request.action, cell.request.resource, context)


def test_each_call_is_allowed_to_its_own_role_alone() -> None:
    """Each request under each role, with the values that the call sets conditions on."""
    wrong = [
        f"{cell}: {_decided(cell)}"
        for cell in cells()
        if (cell.role, cell.request.action) not in UNMADE and (_decided(cell) == "allowed") != cell.allowed
    ]
    assert wrong == []
