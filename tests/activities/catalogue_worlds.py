"""Every change of the catalogue with its world: the suites over the catalogue run in these, and name no action."""

from collections.abc import Callable, Mapping
from typing import Any

from activities.catalogue import CHANGES
from tests.activities.breach_worlds import BREACH_WORLDS
from tests.activities.change_worlds import WORLDS, ChangeWorld
from tests.activities.database_worlds import DATABASE_WORLDS, DATABASE_WRITES
from tests.activities.evidence_worlds import EVIDENCE_WORLDS, EVIDENCE_WRITES
from tests.activities.security_worlds import SECURITY_WORLDS, SECURITY_WRITES
from tests.activities.upkeep_worlds import UPKEEP_WORLDS, UPKEEP_WRITES

ALL_WORLDS: dict[str, Callable[[], ChangeWorld]] = {
    **WORLDS,
    **BREACH_WORLDS,
    **SECURITY_WORLDS,
    **DATABASE_WORLDS,
    **EVIDENCE_WORLDS,
    **UPKEEP_WORLDS,
}
WRITES_OF = {
    "ecs.rollback_service": 1,
    "ecs.scale_service": 2,
    "ecs.stop_service": 3,
    "elbv2.maintenance_page": 3,
    "network.isolate": 5,
    "wafv2.block_addresses": 2,
    **SECURITY_WRITES,
    **DATABASE_WRITES,
    **EVIDENCE_WRITES,
    **UPKEEP_WRITES,
}
"""How many effects carrying out a world's change has, one a write."""


def world_of(name: str) -> ChangeWorld:
    """Make the world of a change anew, in whatever moto there is now."""
    assert name in ALL_WORLDS, missing_worlds({name: None})
    return ALL_WORLDS[name]()


def missing_worlds(changes: Mapping[str, Any] = CHANGES) -> str:
    """Say what has to be added for the changes that no suite could try; empty when all can be."""
    told = [f"{name}: a world (a function that gives a World)" for name in sorted(changes.keys() - ALL_WORLDS.keys())]
    told += [f"{name}: the number of its world's writes" for name in sorted(changes.keys() - WRITES_OF.keys())]
    return "; ".join(told) and f"add to tests/activities/*_worlds.py, by the name of the change: {'; '.join(told)}"
