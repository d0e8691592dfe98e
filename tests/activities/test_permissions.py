"""What an action says it may do in AWS: all that it does, and all that docs/security.md grants its queue."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.changes.runner import ChangeRunner
from tests.activities.catalogue_worlds import world_of
from tests.activities.scopes import NOW
from tests.activities.test_change_catalogue import planned, verified
from tests.activities.wire import READS
from tests.activities.world import WIRE
from tests.iam import needed

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
_TABLE = {f"dynamodb:{name}Item" for name in ("ConditionCheck", "Delete", "Get", "Put")} | {"dynamodb:Query"}
WORKER: dict[str, set[str]] = {
    "diagnose": set(),
    "remediate": _TABLE,
    "forensics": _TABLE | {"kms:Sign", "kms:GetPublicKey"},
    "notify": {"sns:Publish", "ses:SendEmail"},
}
"""What the worker does on each queue beside actions: locks and intents, the ledger, pages."""


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_change_does_nothing_that_it_does_not_name(change: str) -> None:
    """From plan to undo, every operation is among the permissions of the action."""
    with mock_aws():
        world = world_of(change)
        runner = ChangeRunner(world.clients)
        with WIRE.listening() as sent:
            call = planned(runner, world)
            runner.apply(world.change, call, NOW)
            with WIRE.deaf():
                world.settle()
            verified(runner, world, call)
            if call.plan.reversible:
                runner.apply(world.change, planned(runner, world, generation=2, undo=call.plan), NOW)
        made = {f"{one.service}:{one.operation}" for one in sent}
    assert needed(made) - set(CHANGES[change].permissions) == set()


def test_the_document_grants_what_actions_need() -> None:
    """It names nothing that no action of the queue needs, every write that one does, and every service that is read."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for queue, known in _queues().items():
        granted = _permissions(text.split(f"**`{queue}`**")[1].split("\n**`")[0].split("\nThe `forensics` role")[0])
        assert granted - known == set(), f"{queue}: no action needs these"
        missing = known - granted
        assert {one for one in missing if not one.split(":")[1].startswith(READS)} == set(), queue
        assert {one.split(":")[0] for one in missing} <= {one.split(":")[0] for one in granted}, queue


def _queues() -> dict[str, set[str]]:
    of: dict[str, list[type[Any]]] = {
        "diagnose": list(PROBES.values()),
        "remediate": [change for change in CHANGES.values() if not change.evidence],
        "forensics": [change for change in CHANGES.values() if change.evidence],
        "notify": list(NOTICES.values()),
    }
    return {queue: _all(actions) | WORKER[queue] for queue, actions in of.items()}


def _all(actions: Iterable[type[Any]]) -> set[str]:
    return {permission for action in actions for permission in action.permissions}


def _permissions(table: str) -> set[str]:
    """The permissions in the rows of a table; one without a service is of the service before it."""
    found, service = set(), ""
    for row in table.splitlines():
        if row.startswith("|"):
            for one in re.findall(r"`((?:[a-z0-9-]+:)?[A-Z]\w+)`", row.rsplit("|", 2)[0]):
                service = one.split(":")[0] if ":" in one else service
                found.add(f"{service}:{one.split(':')[-1]}")
    return found - {"dynamodb:LeadingKeys"}  # a condition, no permission
