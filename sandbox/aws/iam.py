"""IAM's policy simulator, which moto lacks: actions and resources are evaluated, and the conditions that we use.

A statement whose condition it does not know, or has no value for, does not match. `MissingContextValues` names every
key that has no value in any statement of the role's own policies, whatever is asked (IAM API EvaluationResult, and the
public report aws-sdk-java-v2 1751); keys of the boundary or of a service control policy it does not name. Such a
refusal shows in `PermissionsBoundaryDecisionDetail` and `OrganizationsDecisionDetail` alone.
"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from moto.iam.models import IAMBackend, Role
from moto.iam.responses import IamResponse

from sandbox.aws.moto_patch import patch

Context = Mapping[str, list[str]]
_Statement = dict[str, Any]
_ALLOWED, _OWN = "allowed", "own"
_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_CONTROLLED = "OrganizationsDecisionDetail"
_DETAILS = {
    "PermissionsBoundaryDecisionDetail": "AllowedByPermissionsBoundary",
    _CONTROLLED: "AllowedByOrganizations",
}
_DOCUMENTS = 256
_LIKE = {"Bool", "StringEquals", "StringLike", "ArnLike", "ArnEquals"}


def install() -> None:
    """Patch moto with this operation."""
    patch(IamResponse, simulate_principal_policy=simulate_principal_policy)


def control_policies(backend: IAMBackend) -> list[dict[str, Any]]:
    """The service control policies that hold for the account beside the one that allows everything."""
    found: list[dict[str, Any]] = vars(backend).setdefault("service_control_policies", [])
    return found


def simulate_principal_policy(response: IamResponse) -> tuple[bytes, dict[str, str]]:
    """Decide each action on each resource by all that bounds a role; an unknown role is refused."""
    backend = response.backend
    role = backend.get_role_by_arn(response._get_param("PolicySourceArn"))
    context = {one["ContextKeyName"]: one["ContextKeyValues"] for one in response._get_param("ContextEntries", [])}
    resources = response._get_param("ResourceArns", []) or ["*"]
    own = list(_statements(role))
    controls = [_ALL, *(one for each in control_policies(backend) for one in each["Statement"])]
    bounds = {"PermissionsBoundaryDecisionDetail": _boundary(backend, role), _CONTROLLED: controls}
    held = {_OWN: own, **{name: one for name, one in bounds.items() if one is not None}}
    in_force = {name: _in_force(one, context) for name, one in held.items()}
    missing = sorted(set().union(*(_lacking(one.get("Condition", {}), context) for one in own)))
    results = []
    for action in response._get_param("ActionNames", []):
        of_action = {name: _of_action(one, action) for name, one in in_force.items()}
        decided = [_decided(of_action, one) for one in resources]
        worst = next((one for one in decided if one["EvalResourceDecision"] != _ALLOWED), decided[0])
        results.append(
            {
                "EvalActionName": action,
                "EvalResourceName": resources[0],
                "EvalDecision": worst["EvalResourceDecision"],
                "MissingContextValues": missing,
                **{name: worst[name] for name in _DETAILS if name in worst},
                "ResourceSpecificResults": [_specific(one, missing) for one in decided],
            }
        )
    told = _xml({"SimulatePrincipalPolicyResult": {"EvaluationResults": results, "IsTruncated": False}})
    whole = f"<SimulatePrincipalPolicyResponse>{told}</SimulatePrincipalPolicyResponse>"
    return whole.encode(), {}  # in text, moto would look for a request id, all through it


def _xml(value: Any) -> str:
    """An answer of thousands of decisions, which takes moto seconds to write down."""
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(one)}</{name}>" for name, one in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(one)}</member>" for one in value)
    return str(value).lower() if isinstance(value, bool) else escape(value)


def _specific(decided: dict[str, Any], missing: list[str]) -> dict[str, Any]:
    """What is said of one resource: what organizations say stands with the action (IAM API ResourceSpecificResult)."""
    return {name: value for name, value in decided.items() if name != _CONTROLLED} | {"MissingContextValues": missing}


def _decided(policies: dict[str, list[_Statement]], resource: str) -> dict[str, Any]:
    """What a role's own policies and all that bounds them say of one resource, of the statements that are of an action.

    The first refusal decides, a denial before what nothing allows.
    """
    seen = {name: _effect(one, resource) for name, one in policies.items()}
    refusals = [one for one in seen.values() if one != _ALLOWED]
    return {
        "EvalResourceName": resource,
        "EvalResourceDecision": min(refusals, default=_ALLOWED),  # "explicitDeny" is the lesser word
        **{name: {_DETAILS[name]: one == _ALLOWED} for name, one in seen.items() if name != _OWN},
    }


def decide(statements: list[_Statement], action: str, resource: str, context: Context) -> str:
    """A denial goes before what is allowed; what no statement allows is denied."""
    return _effect(_of_action(_in_force(statements, context), action), resource)


def _in_force(statements: list[_Statement], context: Context) -> list[_Statement]:
    return [one for one in statements if _conditions(one.get("Condition", {}), context)[1]]


def _of_action(statements: list[_Statement], action: str) -> list[_Statement]:
    return [one for one in statements if _matches(one, "Action", action.lower(), lower=True)]


def _effect(statements: list[_Statement], resource: str) -> str:
    effects = {one["Effect"] for one in statements if _matches(one, "Resource", resource)}
    return "explicitDeny" if "Deny" in effects else _ALLOWED if "Allow" in effects else "implicitDeny"


def _boundary(backend: IAMBackend, role: Role) -> list[_Statement] | None:
    arn = role.permissions_boundary_arn
    return list(_of(_document(backend.get_policy(arn)))) if arn else None


def _statements(role: Role) -> Iterator[_Statement]:
    documents = [*role.policies.values(), *(_document(one) for one in role.managed_policies.values())]
    return (one for document in documents for one in _of(document))


@lru_cache(_DOCUMENTS)
def _of(document: str) -> list[_Statement]:
    """The statements of a policy, which nobody may change: a role is asked about a hundred times."""
    given = json.loads(document)["Statement"]
    return given if isinstance(given, list) else [given]


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


def _lacking(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> set[str]:
    """The keys that have no value, and those of operators that are not known here."""
    return _conditions(conditions, context)[0] | {key for keys in conditions.values() for key in keys} - context.keys()


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
