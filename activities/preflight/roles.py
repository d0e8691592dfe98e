"""Whether each role of a worker may do exactly what its actions need, as IAM's own simulator decides.

It evaluates the role's policies, permissions boundaries and service control policies. What it does not see stands in
`UNSEEN`: the policies of buckets and keys, and of sessions (IAM API SimulatePrincipalPolicy).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from threading import Semaphore
from typing import Any, NamedTuple

from activities.action import iam
from activities.aws.shared.pieces import some
from activities.permissions.roles import roles
from activities.permissions.statements import Statement, role_name, statements
from activities.preflight.check import Check, Room, Verdict, first_wrong, unknown

UNSEEN = "not seen: bucket, key and session policies"
_STANDS_FOR_ANY = "preflight"
_MAKE = "create the stack of `make iam`, which makes it"
_PAGE = 1000
_FEW = Semaphore(4)
"""Simulations at once: IAM throttles an account's calls early, and does not say where."""
_TYPES = {"Bool": "boolean", "ForAllValues:StringLike": "stringList"}


class _Decided(NamedTuple):
    """What the simulator says of one action on one resource, and what it could not take into account.

    `lacking` are keys of the role's policies that nobody gave it. `bounded` is a refusal of the boundary or of a
    service control policy: it names no key of theirs (IAM API EvaluationResult, MissingContextValues).
    """

    allowed: bool
    lacking: frozenset[str]
    bounded: bool


_Simulated = dict[tuple[str, str], _Decided]


@dataclass(frozen=True)
class _Role:
    """A role to ask the simulator about; `given` is the request's context where a statement asks for no other.

    It has a value for each key of the role's own statements: the simulator names a key that lacks one whatever is asked
    (public report aws-sdk-java-v2 1751), and those that it still names are of statements that are not ours.
    """

    client: Any
    arn: str
    given: dict[str, dict[str, Any]]


def role(room: Room, name: str) -> Verdict:
    """A role may do all that its statements allow, there and nowhere else, and nothing that only other roles' do.

    The console's has no statements: it may do nothing of what others may.
    `iam:GetRole`, `iam:SimulatePrincipalPolicy`. Where a policy of its asks for what cannot be given, what it may do
    is unknown, and so is what its boundary or a service control policy refuses, which may hang on a condition.
    """
    client, environment = room.client("iam"), room.environment
    arn = client.get_role(RoleName=role_name(name, environment))["Role"]["Arn"]
    own = list(statements(name, environment))
    asked = _Role(client, arn, _given(arn, environment.region, own))
    denied: list[str] = []
    bounded: list[str] = []
    wide: list[str] = []
    lacking: set[str] = set()
    for one, beside in _with_neighbours(own):
        wanted = set(_samples(one.resources))
        for (action, resource), seen in _simulated(asked, beside).items():
            lacking |= seen.lacking
            if resource not in wanted:
                wide += [action] if seen.allowed and action in _only_once(own) else []
            elif not seen.allowed:
                (bounded if seen.bounded else denied).append(action)
    others = [found for one in _others(room, name, own) for found in _simulated(asked, one).items()]
    lacking = lacking.union(*(seen.lacking for _, seen in others))
    extra = [action for (action, _), seen in others if seen.allowed]
    found = first_wrong(
        f"{len({action for one in own for action in one.actions})} actions allowed, no others; {UNSEEN}",
        f"it may not {_few(denied)}; give it its policy as `make iam` writes it" if denied and not lacking else None,
        f"it may {_few(wide)} elsewhere too; narrow that" if wide else None,
        f"it may also {_few(extra)}; take that away" if extra else None,
    )
    return _unsure(denied, bounded, lacking) if found.status == "ok" and (bounded or lacking) else found


def _unsure(denied: list[str], bounded: list[str], lacking: set[str]) -> Verdict:
    """What cannot be simulated, and what hangs on it."""
    of_own = f", {_few(denied)} among it" if denied else ""
    told = [
        f"its policies ask for {_few(lacking)}, which cannot be simulated: what it may do hangs on that{of_own}"
        if lacking
        else "",
        f"its boundary or a service control policy refuses {_few(bounded)}, perhaps on a condition" if bounded else "",
    ]
    return unknown(f"{'; '.join(one for one in told if one)}; look at them by hand")


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


def _samples(resources: tuple[str, ...]) -> list[str]:
    """An ARN for each pattern that it is matched by; `*` alone stands for what has no ARN."""
    return [one if one == "*" else one.replace("*", _STANDS_FOR_ANY) for one in resources]


def _given(arn: str, region: str, own: list[Statement]) -> dict[str, dict[str, Any]]:
    """What is known of every request of a role, and a value for each key of its statements."""
    of_all = {"aws:PrincipalArn": arn, "aws:RequestedRegion": region}
    found = {key: _entry(key, "string", [value]) for key, value in of_all.items()}
    for one in own:
        found |= _context(one)
    return found


def _context(statement: Statement) -> dict[str, dict[str, Any]]:
    """A request that fulfils a statement's conditions, by their keys."""
    return {
        key: _entry(key, _TYPES.get(operator, "string"), _samples(values[:1]))
        for operator, keys in statement.conditions.items()
        if operator != "Null"
        for key, values in keys.items()
    }


def _entry(key: str, kind: str, values: list[str]) -> dict[str, Any]:
    return {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": values}


def _simulated(role: _Role, asked: Statement) -> _Simulated:
    """What the simulator decides, by action and resource.

    Actions that need other information than the rest are refused together with it; those are asked apart.
    """
    try:
        with _FEW:
            pages = role.client.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=role.arn,
                ActionNames=list(asked.actions),
                ResourceArns=_samples(asked.resources),
                ContextEntries=list((role.given | _context(asked)).values()),
                MaxItems=_PAGE,
            )
            return dict(decided for page in pages for one in page["EvaluationResults"] for decided in _decisions(one))
    except role.client.exceptions.InvalidInputException:
        if len(asked.actions) == 1:
            raise
        half = len(asked.actions) // 2
        halves = (replace(asked, actions=part) for part in (asked.actions[:half], asked.actions[half:]))
        first, second = (_simulated(role, each) for each in halves)
        return first | second


def _decisions(result: dict[str, Any]) -> Iterator[tuple[tuple[str, str], _Decided]]:
    """The decision on each resource; on `*` alone there is one, which stands above, as what organizations say does."""
    action, specific = result["EvalActionName"], result.get("ResourceSpecificResults")
    controlled = not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
    if not specific:
        yield (action, "*"), _decided(result["EvalDecision"], result, controlled=controlled)
    for one in specific or []:
        yield (action, one["EvalResourceName"]), _decided(one["EvalResourceDecision"], one, controlled=controlled)


def _decided(made: str, shown: dict[str, Any], *, controlled: bool) -> _Decided:
    within = shown.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True)
    return _Decided(made == "allowed", frozenset(shown.get("MissingContextValues") or ()), controlled or not within)


CHECKS: tuple[Check[Any], ...] = (
    Check("role", lambda _: {name: name for name in roles()}, role, iam("iam:GetRole SimulatePrincipalPolicy"), _MAKE),
)
