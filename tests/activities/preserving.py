"""What tests of the copying of logs share."""

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

from activities.changes.runner import ChangeRunner
from domain.model.calls import ApplyCall
from tests.activities.change_worlds import ChangeWorld
from tests.activities.evidence_worlds import DECLARED, VAULT, stored
from tests.activities.scopes import NOW
from tests.activities.test_change_catalogue import planned

INSIDE = DECLARED - timedelta(hours=3)
PIECE = 5 * 2**20
LARGE = 3 * PIECE + 1


def applied(runner: ChangeRunner, world: ChangeWorld, generation: int = 1) -> ApplyCall:
    call = planned(runner, world, generation)
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    return call


def manifest(s3: Any, call: ApplyCall) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    """The manifest's head, its lines, and its hash."""
    answer = s3.get_object(Bucket=VAULT, Key=call.plan.after["manifest"])
    assert answer["ObjectLockMode"] == "COMPLIANCE"
    content = answer["Body"].read()
    head, *lines = [json.loads(line) for line in content.splitlines()]
    return head, lines, sha256(content).hexdigest()


def copies(world: ChangeWorld) -> list[str]:
    return [key for key in stored(world.clients) if key.startswith("evidence/")]


def uploads(s3: Any) -> list[Any]:
    found: list[Any] = s3.list_multipart_uploads(Bucket=VAULT).get("Uploads", [])
    return found
