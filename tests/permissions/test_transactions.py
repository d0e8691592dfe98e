"""Each item of a transaction is decided on by itself, by its own key: the whole call fails where one is denied."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.policies.documents import policy
from sandbox.aws.iam import decide
from tests.permissions.calls import Call
from tests.permissions.plays import recorded
from tests.permissions.resources import leading

pytestmark = pytest.mark.xdist_group("recorded-calls")
_WRITES = {"ConditionCheck": "ConditionCheckItem", "Delete": "DeleteItem", "Put": "PutItem", "Update": "UpdateItem"}


def _items(call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in call.asked["TransactItems"]:
        yield from ((f"dynamodb:{_WRITES[name]}", asked) for name, asked in item.items())


def test_every_item_is_allowed_to_the_role_that_writes_it() -> None:
    """By our own policies, with the key that their conditions look at (LeadingKeys)."""
    denied, judged = set(), set()
    for call in recorded():
        if call.operation != "TransactWriteItems":
            continue
        statements = json.loads(json.dumps(policy(call.role, call.environment)))["Statement"]
        for action, asked in _items(call):
            table = call.environment.arn("dynamodb", f"table/{asked['TableName']}")
            kind = (call.role, action, leading(asked).partition("#")[0])
            judged.add(kind)
            if decide(statements, action, table, {"dynamodb:LeadingKeys": [leading(asked)]}) != "allowed":
                denied.add(kind)
    assert denied == set()
    assert ("remediate", "dynamodb:ConditionCheckItem", "intent") in judged
