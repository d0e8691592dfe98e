"""What IAM is asked for a call: by AWS's own names, on which resource, with which values to set conditions on.

An operation is not an IAM action: some have another name, some need several, some need more for what they are given.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from activities.permissions.dependents import DEPENDENTS
from domain.config.environment import Environment
from tests.iam import permissions_for
from tests.permissions.beside import BESIDE
from tests.permissions.calls import Call
from tests.permissions.resources import ITEMS, leading, resources

Context = dict[str, str | list[str]]


@dataclass(frozen=True)
class Request:
    """`role` asks to do `action` on `resource`; `kind` is what the resource is, whatever it is called."""

    role: str
    action: str
    resource: str
    kind: str
    context: tuple[tuple[str, str | tuple[str, ...]], ...]
    environment: Environment

    @property
    def row(self) -> tuple[str, str]:
        return self.action, self.kind


def requests_of(call: Call) -> Iterator[Request]:
    """All that IAM decides on for one call. Raises `KeyError` where nobody has said what its resource is."""
    for action in _asked(call):
        judged = _of_one_kind(action, call)
        for kind, resource in resources(action, call.environment, judged.asked):
            given = {**_values(action, judged), **_aliases(judged, kind)}
            context = tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in given.items())
            yield Request(call.role, action, resource, kind, context, call.environment)


def _of_one_kind(action: str, call: Call) -> Call:
    """A transaction that puts items of one kind alone, as one of them; any other counts as a write to the table."""
    if call.operation != "TransactWriteItems" or action != "dynamodb:PutItem":
        return call
    puts = [item["Put"] for item in call.asked["TransactItems"] if "Put" in item]
    kinds = {next((name for name, keys in ITEMS.items() if leading(one).startswith(keys)), None) for one in puts}
    return replace(call, asked=puts[0]) if len(kinds) == 1 and None not in kinds else call


def _asked(call: Call) -> list[str]:
    """The operation's own IAM actions, what its parameters need beside, and the dependents that were taken."""
    own = [*permissions_for(f"{call.service}:{call.operation}"), *_beside(call)]
    if call.service == "dynamodb" and call.operation == "TransactWriteItems":
        own = [f"dynamodb:{_WRITES[name]}" for item in call.asked["TransactItems"] for name in item]
    if call.asked.get("VersionId") and call.service == "s3":
        own = ["s3:GetObjectVersion" if action == "s3:GetObject" else action for action in own]
    dependent = [one for action in own if action in DEPENDENTS for one in DEPENDENTS[action].taken]
    return list(dict.fromkeys([*own, *dependent]))


_WRITES = {"ConditionCheck": "ConditionCheckItem", "Delete": "DeleteItem", "Put": "PutItem", "Update": "UpdateItem"}


def _beside(call: Call) -> Iterator[str]:
    operation = f"{call.service}:{call.operation}"
    yield from (one for given, needed in BESIDE.get(operation, {}).items() if given in call.asked for one in needed)
    if operation in {"s3:GetObject", "s3:HeadObject"} and "VersionId" not in call.asked:
        yield "s3:ListBucket"  # without it what is missing reads as a denial (Amazon S3 API, GetObject)
    yield from _locks(call)


def _locks(call: Call) -> Iterator[str]:
    """Without these the headers of an object's lock are left out of the answer (Amazon S3 API, HeadObject)."""
    evidence = call.environment.evidence
    if call.operation in {"GetObject", "HeadObject"} and evidence and call.asked["Bucket"] == evidence.bucket:
        yield "s3:GetObjectRetention"
        if call.asked["Key"].startswith(("evidence/", "manifests/")):
            yield "s3:GetObjectLegalHold"


def _values(action: str, call: Call) -> Context:
    """The values of the condition keys that our policies look at."""
    made = _VALUES.get(action)
    return made(call) if made else {}


def _leading(call: Call) -> Context:
    return {"dynamodb:LeadingKeys": [leading(call.asked)]}


_VALUES: dict[str, Callable[[Call], Context]] = {
    "application-autoscaling:RegisterScalableTarget": lambda call: {
        "application-autoscaling:service-namespace": call.asked["ServiceNamespace"]
    },
    **dict.fromkeys(("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"), _leading),
    "ec2:CreateTags": lambda call: {"ec2:CreateAction": call.operation},
    "ecs:UpdateService": lambda call: (
        {"ecs:task-definition": call.asked["taskDefinition"]} if "taskDefinition" in call.asked else {}
    ),
    "iam:CreateServiceLinkedRole": lambda call: {"iam:AWSServiceName": f"{call.service}.amazonaws.com"},
    **dict.fromkeys(
        ("kms:Decrypt", "kms:GenerateDataKey"),
        lambda call: {
            f"kms:EncryptionContext:{name}": value for name, value in call.asked.get("EncryptionContext", {}).items()
        },
    ),
    "kms:CreateGrant": lambda _: {"kms:GrantIsForAWSResource": "true"},
    "cloudwatch:PutMetricData": lambda call: {"cloudwatch:namespace": call.asked["Namespace"]},
    **dict.fromkeys(
        ("rds:DeleteDBInstance", "rds:DeleteDBSnapshot"), lambda _: {"aws:ResourceTag/purpose": "recovery-test"}
    ),
    "rds:CreateDBInstanceReadReplica": lambda call: {
        "rds:PubliclyAccessible": str(call.asked["PubliclyAccessible"]).lower()
    },
    "rds:RestoreDBInstanceFromDBSnapshot": lambda call: {
        "aws:RequestTag/purpose": next(one["Value"] for one in call.asked["Tags"] if one["Key"] == "purpose"),
        "rds:PubliclyAccessible": str(call.asked["PubliclyAccessible"]).lower(),
    },
    "ses:SendEmail": lambda call: {"ses:FromAddress": call.asked["FromEmailAddress"]},
}


def _aliases(call: Call, kind: str) -> Context:
    key: Any = call.asked.get("KeyId") or call.asked.get("SSEKMSKeyId") or ""
    evidence = call.environment.evidence
    if kind == "snapshot key" and evidence and evidence.snapshots:
        key = evidence.snapshots.kms_key
    if kind == "recovery key" and call.environment.recovery:
        key = call.environment.recovery.kms_key
    return {"kms:ResourceAliases": [key]} if kind.endswith(" key") and key.startswith("alias/") else {}
