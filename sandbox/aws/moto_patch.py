"""How moto is extended: an operation replaces moto's own, or adds one that moto lacks."""

from types import ModuleType
from typing import Any


def patch(target: type | ModuleType, **operations: Any) -> None:
    """Set operations on one of moto's classes or modules, for every instance, from now on."""
    for name, operation in operations.items():
        setattr(target, name, operation)
