"""Every change of the catalogue with its world: the suites over the catalogue run in these, and name no action.

Worlds are found where they are: in any file here that has a table `CHANGE_WORLDS`, beside a change's own tests or not.
"""

from collections.abc import Mapping
from typing import Any

from activities.catalogue import CHANGES
from tests.activities.change_worlds import ChangeWorld, Worlds
from tests.activities.tables import gathered

_TABLE = "CHANGE_WORLDS"


def worlds() -> Worlds:
    """All of them."""
    return gathered(_TABLE, "Worlds")


def world_of(name: str) -> ChangeWorld:
    """Make the world of a change anew, in whatever moto there is now."""
    assert name in worlds(), missing_worlds({name: None})
    return worlds()[name][0]()


def writes_of(name: str) -> int:
    """How many effects carrying out a world's change has, one a write."""
    return worlds()[name][1] if name in worlds() else 1


def missing_worlds(changes: Mapping[str, Any] = CHANGES) -> str:
    """Say which changes no suite could try; empty when all can be."""
    missing = sorted(changes.keys() - worlds().keys())
    return f"no file of tests/activities has a world in its {_TABLE} for {', '.join(missing)}" if missing else ""
