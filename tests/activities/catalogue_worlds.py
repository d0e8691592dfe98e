"""Every change of the catalogue with its world: the suites over the catalogue run in these, and name no action.

Worlds are found where they are: in any file here that has a table `CHANGE_WORLDS`, beside a change's own tests or not.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from activities.catalogue import CHANGES
from tests.activities.change_worlds import ChangeWorld, Worlds

_TABLE = "CHANGE_WORLDS"


@cache
def worlds() -> Worlds:
    """All of them; not to be asked for while this folder's files are still being imported."""
    found: Worlds = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if f"\n{_TABLE}: Worlds" in file.read_text(encoding="utf-8"):
            found |= getattr(import_module(f"tests.activities.{file.stem}"), _TABLE)
    return found


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
