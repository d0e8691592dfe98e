"""IAM's policy simulator, which moto lacks: actions and resources are evaluated, and the conditions that we use.

A statement whose condition it does not know, or has no value for, does not match; the keys are named as missing (IAM
API SimulatePrincipalPolicy, `MissingContextValues`). Boundaries and service control policies are left out.
"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from moto.core.responses import ActionResult
from moto.iam.models import Role
from moto.iam.responses import IamResponse

from sandbox.aws.moto_patch import patch

Context = Mapping[str, list[str]]
_LIKE = {"Bool", "StringEquals", "StringLike", "ArnLike", "ArnEquals"}


class Decided(NamedTuple):
    """A decision, and the keys that it would have needed."""

    decision: str
    missing: list[str]


def install() -> None:
    """Patch moto with this operation."""
    patch(IamResponse, simulate_principal_policy=simulate_principal_policy)


def simulate_principal_policy(response: IamResponse) -> ActionResult:
    """Decide each action on each resource by the role's own policies; an unknown role is refused."""
    role = response.backend.get_role_by_arn(response._get_param("PolicySourceArn"))
    context = {one["ContextKeyName"]: one["ContextKeyValues"] for one in response._get_param("ContextEntries", [])}
    resources = response._get_param("ResourceArns", []) or ["*"]
    statements = list(_statements(role))
    results = []
    for action in response._get_param("ActionNames", []):
        decided = {resource: decide(statements, action, resource, context) for resource in resources}
        denied = [one for one in decided.values() if one.decision != "allowed"]
        results.append(
            {
                "EvalActionName": action,
                "EvalResourceName": resources[0],
                "EvalDecision": (denied or [*decided.values()])[0].decision,
                "MissingContextValues": sorted({key for one in decided.values() for key in one.missing}),
                "ResourceSpecificResults": [
                    {
                        "EvalResourceName": resource,
                        "EvalResourceDecision": one.decision,
                        "MissingContextValues": one.missing,
                    }
                    for resource, one in decided.items()
                ],
            }
        )
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})


def decide(statements: list[dict[str, Any]], action: str, resource: str, context: Context) -> Decided:
    """A denial goes before what is allowed; what no statement allows is denied."""
    missing: set[str] = set()
    effects = set()
    for one in statements:
        if not _matches(one, "Action", action.lower(), lower=True) or not _matches(one, "Resource", resource):
            continue
        lacking, fulfilled = _conditions(one.get("Condition", {}), context)
        missing |= lacking
        if fulfilled:
            effects.add(one["Effect"])
    if "Deny" in effects:
        return Decided("explicitDeny", [])
    return Decided("allowed", []) if "Allow" in effects else Decided("implicitDeny", sorted(missing))


def _statements(role: Role) -> Iterator[dict[str, Any]]:
    documents = [*role.policies.values(), *(_document(one) for one in role.managed_policies.values())]
    for document in documents:
        given = json.loads(document)["Statement"]
        yield from given if isinstance(given, list) else [given]


def _document(policy: Any) -> str:
    return str(next(one.document for one in policy.versions if one.is_default))


def _matches(statement: dict[str, Any], key: str, value: str, *, lower: bool = False) -> bool:
    if f"Not{key}" in statement:
        return not _matches({key: statement[f"Not{key}"]}, key, value, lower=lower)
    patterns = statement[key] if isinstance(statement[key], list) else [statement[key]]
    return any(_like(value, pattern.lower() if lower else pattern) for pattern in patterns)


def _like(value: str, pattern: str) -> bool:
    """`*` and `?` are all that IAM knows; brackets are letters."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def _conditions(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> tuple[set[str], bool]:
    """The keys without a value or of an unknown operator, and whether all conditions hold."""
    lacking: set[str] = set()
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            given, patterns = context.get(key), wanted if isinstance(wanted, list) else [wanted]
            name = operator.removesuffix("IfExists").removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
            if name == "Null":
                if (given is None) != (str(patterns[0]).lower() == "true"):
                    return lacking | ({key} if given is None else set()), False
            elif given is None and (operator.endswith("IfExists") or operator.startswith("ForAllValues:")):
                continue
            elif given is None or name not in _LIKE:
                lacking.add(key)
            elif not all(any(_like(one, pattern) for pattern in patterns) for one in given):
                return lacking, False
    return lacking, not lacking
