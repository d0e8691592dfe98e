"""Every action there is, by its name. It finds them itself: an action is there as soon as its file is.

Importing this imports no AWS library: the command reads it to lint, and to be quick with `--help`.
"""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from activities import aws
from activities.action import ChangeAction, NoticeAction, ProbeAction

_OUTSIDE_AWS = ("activities.channels.contacts_code", "activities.http_health", "activities.statuspage")
_WITHOUT_ACTIONS = "activities.aws.shared"
"""What loads botocore lives there, and nothing on this shelf is an action."""


def _modules() -> Iterator[ModuleType]:
    for shelf in pkgutil.iter_modules(aws.__path__, "activities.aws."):
        if shelf.name != _WITHOUT_ACTIONS:
            for found in pkgutil.iter_modules(import_module(shelf.name).__path__, f"{shelf.name}."):
                yield import_module(found.name)
    yield from map(import_module, _OUTSIDE_AWS)


def _named(kind: type) -> dict[str, Any]:
    """The actions of a kind, in order of their names. Raises `ValueError` where two have the same one."""
    found: dict[str, Any] = {}
    for module in _modules():
        for one in vars(module).values():
            # a base class that several actions share has no name of its own; an imported action is found at its home
            at_home = isinstance(one, type) and issubclass(one, kind) and one.__module__ == module.__name__
            if at_home and "name" in vars(one):
                if one.name in found:
                    raise ValueError(f"{one.name} is the name of {found[one.name]} and of {one}")
                found[one.name] = one
    return dict(sorted(found.items()))


PROBES: dict[str, type[ProbeAction[Any]]] = _named(ProbeAction)
CHANGES: dict[str, type[ChangeAction[Any]]] = _named(ChangeAction)
NOTICES: dict[str, type[NoticeAction[Any]]] = _named(NoticeAction)
