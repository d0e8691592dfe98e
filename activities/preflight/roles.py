"""Whether each role of a worker may do exactly what its actions need, as IAM's own simulator decides.

It evaluates the role's policies, permissions boundaries and service control policies. What it does not see stands in
`UNSEEN`: the policies of buckets and keys, and of sessions (IAM API SimulatePrincipalPolicy).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from threading import Semaphore
from typing import Any

from activities.action import iam
from activities.aws.shared.pieces import some
from activities.permissions.roles import roles
from activities.permissions.statements import Statement, role_name, statements
from activities.preflight.check import Check, Room, Verdict, first_wrong, unknown

UNSEEN = "not seen: bucket, key and session policies"
ALLOWED = "allowed"
UNSURE = "unsure"
_STANDS_FOR_ANY = "preflight"
_MAKE = "create the stack of `make iam`, which makes it"
_PAGE = 1000
_FEW = Semaphore(4)
"""Simulations at once: IAM throttles an account's calls early, and does not say where."""


def role(room: Room, name: str) -> Verdict:
    """A role may do all that its statements allow, there and nowhere else, and nothing that only other roles' do.

    The console's has no statements: it may do nothing of what others may.
    `iam:GetRole`, `iam:SimulatePrincipalPolicy`. A decision that hangs on a condition which cannot be simulated is
    unknown.
    """
    client, environment = room.client("iam"), room.environment
    arn = client.get_role(RoleName=role_name(name, environment))["Role"]["Arn"]
    own = list(statements(name, environment))
    denied: list[str] = []
    unsure: list[str] = []
    wide: list[str] = []
    for one, beside in _with_neighbours(own):
        wanted = set(_samples(one.resources))
        for (action, resource), decision in _simulated(client, arn, beside).items():
            if resource not in wanted:
                wide += [action] if decision == ALLOWED and action in _only_once(own) else []
            elif decision != ALLOWED:
                (unsure if decision == UNSURE else denied).append(action)
    extra = _allowed(client, arn, _others(room, name, own))
    found = first_wrong(
        f"{len({action for one in own for action in one.actions})} actions allowed, no others; {UNSEEN}",
        f"it may not {_few(denied)}; give it its policy as `make iam` writes it" if denied else None,
        f"it may {_few(wide)} elsewhere too; narrow that" if wide else None,
        f"it may also {_few(extra)}; take that away" if extra else None,
    )
    if found.status == "ok" and unsure:
        return unknown(f"whether it may {_few(unsure)} hangs on conditions that cannot be simulated; look by hand")
    return found


def _few(actions: Iterable[str]) -> str:
    return some(sorted(set(actions)))


def _with_neighbours(own: list[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Each statement, and the same with resources of nearly the same names, where it names its own in full."""
    for one in own:
        exact = not any("*" in resource for resource in one.resources)
        beside = tuple(f"{each}-{_STANDS_FOR_ANY}" for each in one.resources) if exact else ()
        yield one, replace(one, resources=(*one.resources, *beside))


def _only_once(own: list[Statement]) -> set[str]:
    """The actions that no other statement may allow elsewhere."""
    times = Counter(action for one in own for action in one.actions)
    return {action for action, count in times.items() if count == 1}


def _others(room: Room, name: str, own: list[Statement]) -> Iterator[Statement]:
    """What other roles may do and this one may not: for each service and each set of conditions, in all its places.

    What is allowed without conditions is asked along with the first of its service's: IAM throttles more questions.
    """
    mine = {action for one in own for action in one.actions}
    found: dict[tuple[str, str], list[Statement]] = {}
    others = [one for other in roles() if other != name for one in statements(other, room.environment)]
    for one in sorted(others, key=lambda one: not one.conditions):
        left = [action for action in one.actions if action not in mine]
        for service in {action.partition(":")[0] for action in left}:
            of_it = tuple(action for action in left if action.startswith(f"{service}:"))
            known = [] if one.conditions else [key for key in found if key[0] == service]
            key = known[0] if known else (service, repr(one.conditions))
            found.setdefault(key, []).append(replace(one, actions=of_it))
    for alike in found.values():
        yield Statement(
            tuple(dict.fromkeys(action for one in alike for action in one.actions)),
            tuple(dict.fromkeys(resource for one in alike for resource in one.resources)),
            alike[0].conditions,
        )


def _allowed(client: Any, arn: str, asked: Iterable[Statement]) -> list[str]:
    """Of what a role should not do, what it may do somewhere."""
    found = [_simulated(client, arn, one).items() for one in asked]
    return [action for one in found for (action, _), decision in one if decision == ALLOWED]


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


def _simulated(client: Any, arn: str, asked: Statement) -> dict[tuple[str, str], str]:
    """What the simulator decides, by action and resource.

    Actions that need other information than the rest are refused together with it; those are asked apart.
    """
    try:
        with _FEW:
            pages = client.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=arn,
                ActionNames=list(asked.actions),
                ResourceArns=_samples(asked.resources),
                ContextEntries=_context(asked),
                MaxItems=_PAGE,
            )
            return dict(decided for page in pages for one in page["EvaluationResults"] for decided in _decisions(one))
    except client.exceptions.InvalidInputException:
        if len(asked.actions) == 1:
            raise
        half = len(asked.actions) // 2
        halves = (replace(asked, actions=part) for part in (asked.actions[:half], asked.actions[half:]))
        first, second = (_simulated(client, arn, each) for each in halves)
        return first | second


def _decisions(result: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """The decision on each resource; on `*` alone there is one, which stands above."""
    action, specific = result["EvalActionName"], result.get("ResourceSpecificResults")
    if not specific:
        yield (action, "*"), _decision(result["EvalDecision"], result.get("MissingContextValues"))
    for one in specific or []:
        made = _decision(one["EvalResourceDecision"], one.get("MissingContextValues"))
        yield (action, one["EvalResourceName"]), made


def _decision(made: str, lacking: list[str] | None) -> str:
    return UNSURE if lacking and made != ALLOWED else made


CHECKS: tuple[Check[Any], ...] = (
    Check("role", lambda _: {name: name for name in roles()}, role, iam("iam:GetRole SimulatePrincipalPolicy"), _MAKE),
)
