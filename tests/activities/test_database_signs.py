from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.aws.database.database_signs import Cause, Signs, classify

WELL = Signs("available", True, 100, 20, datetime(2026, 11, 23, tzinfo=UTC), 15, 60)


@pytest.mark.parametrize(
    ("signs", "cause", "suggests"),
    [
        ({}, Cause.UNCLEAR, None),
        ({"status": "failed"}, Cause.DOWN, "promote-replica"),
        ({"status": "inaccessible-encryption-credentials"}, Cause.DOWN, "promote-replica"),
        ({"status": "incompatible-network", "connections": 100}, Cause.DOWN, None),
        ({"status": "inaccessible-encryption-credentials-recoverable"}, Cause.DOWN, None),
        ({"status": "rebooting"}, Cause.DOWN, None),
        ({"status": "stopped"}, Cause.DOWN, None),
        ({"connections": 0}, Cause.DOWN, "failover"),
        ({"connections": None}, Cause.UNCLEAR, None),
        ({"connections": 0, "multi_az": False}, Cause.DOWN, None),
        ({"connections": None, "connected_until": None}, Cause.UNCLEAR, None),
        ({"status": "storage-full"}, Cause.STORAGE, None),
        ({"free_percent": 5, "connections": 100, "cpu_percent": 99}, Cause.STORAGE, None),
        ({"cpu_percent": 80}, Cause.CPU, "resize-instance"),
        ({"cpu_percent": 95, "connections": 100, "refused": 9}, Cause.CPU, "resize-instance"),
        ({"lock_waits": 5, "connections": 100}, Cause.LOCK, "restart-application"),
        ({"lock_waits": 4}, Cause.UNCLEAR, None),
        ({"connections": 90}, Cause.POOL, "restart-application"),
        ({"connections": 89}, Cause.UNCLEAR, None),
        ({"refused": 1}, Cause.POOL, "restart-application"),
    ],
)
def test_what_explains_the_rest_is_the_cause(signs: dict[str, Any], cause: Cause, suggests: str | None) -> None:
    """A full pool behind a busy processor or a lock is a symptom; an instance that is gone explains everything."""
    verdict = classify(replace(WELL, **signs))
    assert (verdict.cause, verdict.suggests) == (cause, suggests)
    assert verdict.suggests not in verdict.advises_against


def test_only_a_primary_that_failed_is_ever_replaced() -> None:
    """Whatever else ails a database, promoting its replica is advised against."""
    ailing: list[dict[str, Any]] = [
        {},
        {"connections": 100},
        {"cpu_percent": 99},
        {"lock_waits": 9},
        {"free_percent": 1},
    ]
    for signs in ailing:
        assert "promote-replica" in classify(replace(WELL, **signs)).advises_against
