"""Whether each role of a worker may do exactly what its actions need, as IAM's own simulator decides.

It evaluates the role's policies, permissions boundaries and service control policies. What it does not see stands in
`UNSEEN`: the policies of buckets and keys, and of sessions (IAM API SimulatePrincipalPolicy).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from activities.action import iam
from activities.aws.shared.pieces import some
from activities.permissions.places import Conditions
from activities.permissions.roles import FOR_SOMEBODY, changes, roles
from activities.permissions.statements import Statement, role_name, statements
from activities.preflight.check import Check, Room, Verdict, first_wrong, unknown
from activities.preflight.simulator import STANDS_FOR_ANY, Role, samples

UNSEEN = "not seen: bucket, key and session policies"
_MAKE = "create the stack of `make iam`, which makes it"


def role(room: Room, name: str) -> Verdict:
    """A role may do all that its statements allow, there and nowhere else, and nothing that only other roles' do.

    The console's has no statements: it may do nothing of what others may. A worker that becomes it for a change may
    say for whom. Of its trust no more is looked at.
    `iam:GetRole`, `iam:SimulatePrincipalPolicy`. Where a policy of its asks for what cannot be given, what it may do
    is unknown, and so is what its boundary or a service control policy refuses, which may hang on a condition.
    """
    client, environment = room.client("iam"), room.environment
    found_role = client.get_role(RoleName=role_name(name, environment))["Role"]
    arn = found_role["Arn"]
    own = list(statements(name, environment))
    several, others = list(_with_neighbours(own)), list(_others(room, name, own))
    found = Role.known(client, arn, environment.region, own).may([*several, *others])
    denied: list[str] = []
    bounded: list[str] = []
    wide: list[str] = []
    for one, decided in zip(own, found, strict=False):
        wanted = set(samples(one.resources))
        for (action, resource), seen in decided.items():
            if resource not in wanted:
                wide += [action] if seen.allowed and action in _only_once(own) else []
            elif not seen.allowed:
                (bounded if seen.bounded else denied).append(action)
    beyond = [one for decided in found[len(own) :] for one in decided.items()]
    lacking = {key for decided in found for seen in decided.values() for key in seen.lacking}
    extra = [action for (action, _), seen in beyond if seen.allowed]
    verdict = first_wrong(
        f"{len({action for one in own for action in one.actions})} actions allowed, no others; {UNSEEN}",
        f"it may not {_few(denied)}; give it its policy as `make iam` writes it" if denied and not lacking else None,
        f"it may {_few(wide)} elsewhere too; narrow that" if wide else None,
        f"it may also {_few(extra)}; take that away" if extra else None,
        _mute(name, found_role["AssumeRolePolicyDocument"]),
    )
    return _unsure(denied, bounded, lacking) if verdict.status == "ok" and (bounded or lacking) else verdict


def _mute(name: str, trust: dict[str, Any]) -> str | None:
    """What its trust keeps a worker from saying that becomes it for a change; what nobody says there nobody asks."""
    if not changes(name):
        return None
    patterns = [
        one for said in _listed(trust["Statement"]) if said["Effect"] == "Allow" for one in _listed(said["Action"])
    ]
    lacking = [one for one in FOR_SOMEBODY if not any(fnmatchcase(one.lower(), each.lower()) for each in patterns)]
    return f"its trust lacks {', '.join(lacking)}; give it that, or deploy the stack anew" if lacking else None


def _listed(value: Any) -> list[Any]:
    """IAM takes one as it is in the place of a list of it."""
    return value if isinstance(value, list) else [value]


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


def _with_neighbours(own: list[Statement]) -> Iterator[Statement]:
    """Each statement with resources of nearly the same names, where it names its own in full."""
    for one in own:
        exact = not any("*" in resource for resource in one.resources)
        beside = tuple(f"{each}-{STANDS_FOR_ANY}" for each in one.resources) if exact else ()
        yield replace(one, resources=(*one.resources, *beside))


def _only_once(own: list[Statement]) -> set[str]:
    """The actions that no other statement may allow elsewhere."""
    times = Counter(action for one in own for action in one.actions)
    return {action for action, count in times.items() if count == 1}


def _others(room: Room, name: str, own: list[Statement]) -> Iterator[Statement]:
    """What other roles may do and this one may not: for each service and each set of conditions, in all its places.

    What is allowed without conditions is asked along with the first of its service's: IAM throttles more questions.
    What this one may do on conditions of its own is asked on those of others too.
    """
    mine: dict[str, list[Conditions]] = {}
    for one in own:
        for action in one.actions:
            mine.setdefault(action, []).append(one.conditions)
    found: dict[tuple[str, str], list[Statement]] = {}
    others = [one for other in roles() if other != name for one in statements(other, room.environment)]
    for one in sorted(others, key=lambda one: not one.conditions):
        left = [action for action in one.actions if _is_more(mine.get(action, []), one.conditions)]
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


def _is_more(own: list[Conditions], conditions: Conditions) -> bool:
    """Whether an action that is allowed on some conditions would be allowed on these for another's sake alone.

    Conditions on other keys tell nothing: a request that fulfils them fulfils this one's own as well.
    """
    if not own or not conditions or any(_covers(one, conditions) for one in own):
        return not own
    return all(_keys(one) & _keys(conditions) for one in own)


def _covers(own: Conditions, conditions: Conditions) -> bool:
    """Whether whatever fulfils these conditions fulfils its own: the same keys, with no other values."""
    return all(
        key in conditions.get(test, {}) and set(conditions[test][key]) <= set(values)
        for test, keys in own.items()
        for key, values in keys.items()
    )


def _keys(conditions: Conditions) -> set[str]:
    return {key for keys in conditions.values() for key in keys}


CHECKS: tuple[Check[Any], ...] = (
    Check("role", lambda _: {name: name for name in roles()}, role, iam("iam:GetRole SimulatePrincipalPolicy"), _MAKE),
)
