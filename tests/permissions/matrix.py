"""Roles by calls: who makes each call, and what every role's policy says to it."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from activities.permissions.roles import PREFLIGHT, WORKER, roles
from deploy.policies.documents import Document, policy
from domain.config.environment import Environment
from tests.permissions.plays import recorded
from tests.permissions.requests import Request, requests_of
from tests.permissions.resources import LOOKED_AT, NAMED

Row = tuple[str, str]
"""An IAM action, and the kind of resource that it is done on."""


@dataclass
class Asked:
    """What was asked in a row, once each, and by which roles."""

    requests: list[Request] = field(default_factory=list)
    makers: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Cell:
    """One request under one role, and whether it must be allowed: to those who make such a call, and nobody else."""

    role: str
    request: Request
    allowed: bool

    def __str__(self) -> str:
        return f"{self.role} {'may not' if self.allowed else 'may'} {self.request.action} on {self.request.resource}"


@cache
def rows() -> dict[Row, Asked]:
    """Every row, in order; requests that differ only in who makes them are one."""
    found: dict[Row, Asked] = defaultdict(Asked)
    known: set[Any] = set()
    for call in recorded():
        for request in requests_of(call):
            asked = found[request.row]
            asked.makers.add(request.role)
            key = (request.action, request.resource, request.context, environment_key(request.environment))
            if key not in known:
                known.add(key)
                asked.requests.append(request)
    for (action, kind), asked in found.items():
        asked.makers |= found[action, NAMED[kind]].makers if (action, NAMED.get(kind)) in found else set()
    looked = {(action, kind) for (action, kind), asked in found.items() if PREFLIGHT in asked.makers}
    anywhere = {action for action, _ in looked}
    there = {action for action, kind in looked if kind in LOOKED_AT}
    for (action, kind), asked in found.items():
        asked.makers |= {PREFLIGHT} if action in (anywhere if kind in LOOKED_AT else there) else set()
        # what an alias stands for: no context tells the codec's keys from others then
        asked.makers |= {WORKER} if action == "kms:DescribeKey" else set()
    return dict(sorted(found.items()))


def cells() -> Iterator[Cell]:
    """Every request under every role."""
    for asked in rows().values():
        for request in asked.requests:
            for role in roles():
                yield Cell(role, request, role in asked.makers)


def unconditioned(cell: Cell) -> bool:
    """Whether it must be allowed to who sees no conditions: they tell some parts of a resource from the rest."""
    request = cell.request
    of = NAMED.get(request.kind, request.kind)
    parts = [part for part, whole in NAMED.items() if whole == of and part.startswith(whole)]
    if request.kind.endswith(" key"):  # a key by its alias is any key
        parts += [kind for _, kind in rows() if kind.endswith(" key")]
    if request.action not in policy_text(cell):  # the environment has no place for it
        return False
    return any(cell.role in rows()[request.action, part].makers for part in parts if (request.action, part) in rows())


_KNOWN: dict[int, str] = {}


def environment_key(environment: Environment) -> str:
    """The same for environments that are the same."""
    if id(environment) not in _KNOWN:
        _KNOWN[id(environment)] = environment.model_dump_json()
    return _KNOWN[id(environment)]


@cache
def _policy(role: str, environment: str) -> str:
    return json.dumps(policy(role, Environment.model_validate_json(environment)))


def policy_of(cell: Cell) -> Document:
    return dict(json.loads(policy_text(cell)))


def policy_text(cell: Cell) -> str:
    """The policy of the cell's role in the environment of its request."""
    return _policy(cell.role, environment_key(cell.request.environment))
