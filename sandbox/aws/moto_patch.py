"""How moto is extended: an operation takes the place of moto's own, or stands where moto has none."""

from types import ModuleType
from typing import Any


def teach(target: type | ModuleType, **operations: Any) -> None:
    """Put operations into one of moto's classes or modules, for every instance, from now on."""
    for name, operation in operations.items():
        setattr(target, name, operation)
