"""Whether each role of a worker may do exactly what its actions need, as IAM's own simulator decides.

It evaluates the role's policies, permissions boundaries and service control policies. What it does not see stands in
`UNSEEN`: the policies of buckets and keys, and of sessions (IAM API SimulatePrincipalPolicy).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from activities.action import iam
from activities.permissions.roles import CONSOLE, roles
from activities.permissions.statements import Statement, role_name, statements
from activities.preflight.check import Check, Room, Verdict, first_wrong, ok, unknown, wrong

UNSEEN = "not seen: bucket, key and session policies"
ALLOWED = "allowed"
UNSURE = "unsure"
_STANDS_FOR_ANY = "preflight"
_SHOWN = 3
_MAKE = "make it with its policy of deploy/iam"
_PAGE = 1000


def role(room: Room, name: str) -> Verdict:
    """A role may do all that its statements allow, there and nowhere else, and nothing that only other roles' do.

    `iam:GetRole`, `iam:SimulatePrincipalPolicy`. A decision that hangs on a condition which cannot be simulated is
    unknown.
    """
    client, environment = room.client("iam"), room.environment
    arn = client.get_role(RoleName=role_name(name, environment))["Role"]["Arn"]
    own = [one for one in statements(name, environment) if one.effect == "Allow"]
    simulated = {repr(one): _simulated(client, arn, one) for one in own}
    decided = [found for one in own for found in simulated[repr(one)].items()]
    denied = [action for action, decisions in decided if decisions - {ALLOWED, UNSURE}]
    unsure = [action for action, decisions in decided if UNSURE in decisions]
    wide = _allowed(client, arn, _elsewhere(own))
    extra = _allowed(client, arn, _others(room, name, own))
    found = first_wrong(
        f"{len({action for action, _ in decided})} actions allowed, no others; {UNSEEN}",
        f"it may not {_few(denied)}; give it its policy of deploy/iam" if denied else None,
        f"it may {_few(wide)} elsewhere too; narrow that" if wide else None,
        f"it may also {_few(extra)}; take that away" if extra else None,
    )
    if found.status == "ok" and unsure:
        return unknown(f"whether it may {_few(unsure)} hangs on conditions that cannot be simulated; look by hand")
    return found


def console(room: Room, name: str) -> Verdict:
    """The console's role may do nothing of what workers may."""
    client = room.client("iam")
    arn = client.get_role(RoleName=role_name(name, room.environment))["Role"]["Arn"]
    extra = _allowed(client, arn, _others(room, name, []))
    return wrong(f"it may {_few(extra)}; it must have no policy") if extra else ok(f"nothing; {UNSEEN}")


def _few(actions: Iterable[str]) -> str:
    named = sorted(set(actions))
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    return ", ".join(named[:_SHOWN]) + more


def _elsewhere(own: list[Statement]) -> Iterator[Statement]:
    """What is allowed on named resources alone, on resources of nearly the same names."""
    times = Counter(action for one in own for action in one.actions)
    for one in own:
        actions = tuple(action for action in one.actions if times[action] == 1)
        if actions and not any("*" in resource for resource in one.resources):
            yield replace(one, actions=actions, resources=tuple(f"{each}-{_STANDS_FOR_ANY}" for each in one.resources))


def _others(room: Room, name: str, own: list[Statement]) -> Iterator[Statement]:
    """What other roles may do and this one may not: for each service, all of it in all its places."""
    mine = {action for one in own for action in one.actions}
    found: dict[str, list[Statement]] = {}
    for other in roles():
        for one in statements(other, room.environment) if other != name else ():
            left = [action for action in one.actions if action not in mine]
            if one.effect == "Allow":
                for service in {action.partition(":")[0] for action in left}:
                    of_it = tuple(action for action in left if action.startswith(f"{service}:"))
                    found.setdefault(service, []).append(replace(one, actions=of_it))
    for some in found.values():
        yield Statement(
            tuple(dict.fromkeys(action for one in some for action in one.actions)),
            tuple(dict.fromkeys(resource for one in some for resource in one.resources)),
            {operator: keys for one in some for operator, keys in one.conditions.items()},
        )


def _allowed(client: Any, arn: str, asked: Iterable[Statement]) -> list[str]:
    """Of what a role should not do, what it may do somewhere."""
    found = [_simulated(client, arn, one).items() for one in asked]
    return [action for one in found for action, decisions in one if ALLOWED in decisions]


def _samples(resources: tuple[str, ...]) -> list[str]:
    """An ARN for each pattern that it is matched by; `*` alone stands for what has no ARN."""
    return [one if one == "*" else one.replace("*", _STANDS_FOR_ANY) for one in resources]


def _context(statement: Statement) -> list[dict[str, Any]]:
    """A request that fulfils a statement's conditions."""
    return [
        {
            "ContextKeyName": key,
            "ContextKeyType": "stringList" if operator.startswith("ForA") else "string",
            "ContextKeyValues": _samples(values[:1]),
        }
        for operator, keys in statement.conditions.items()
        if operator != "Null"
        for key, values in keys.items()
    ]


def _simulated(client: Any, arn: str, asked: Statement) -> dict[str, set[str]]:
    """What the simulator decides of each action on the resources.

    Actions that need other information than the rest are refused together with it; those are asked apart.
    """
    try:
        pages = client.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=arn,
            ActionNames=list(asked.actions),
            ResourceArns=_samples(asked.resources),
            ContextEntries=_context(asked),
            MaxItems=_PAGE,
        )
        results = [one for page in pages for one in page["EvaluationResults"]]
    except client.exceptions.InvalidInputException:
        if len(asked.actions) == 1:
            raise
        half = len(asked.actions) // 2
        halves = (asked.actions[:half], asked.actions[half:])
        return {k: v for some in halves for k, v in _simulated(client, arn, replace(asked, actions=some)).items()}
    return {one["EvalActionName"]: set(_decisions(one)) for one in results}


def _decisions(result: dict[str, Any]) -> Iterator[str]:
    """The decision on each resource; on `*` alone there is one, which stands above."""
    if not result.get("ResourceSpecificResults"):
        yield _decision(result["EvalDecision"], result.get("MissingContextValues"))
    for one in result.get("ResourceSpecificResults", []):
        yield _decision(one["EvalResourceDecision"], one.get("MissingContextValues"))


def _decision(made: str, lacking: list[str] | None) -> str:
    return UNSURE if lacking and made != ALLOWED else made


CHECKS: tuple[Check[Any], ...] = (
    Check(
        "role",
        lambda _: {name: name for name in roles() if name != CONSOLE},
        role,
        iam("iam:GetRole SimulatePrincipalPolicy"),
        _MAKE,
    ),
    Check("role", lambda _: {CONSOLE: CONSOLE}, console, iam("iam:GetRole SimulatePrincipalPolicy"), _MAKE),
)
