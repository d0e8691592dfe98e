"""Which codes AWS really gives to an operation, by the service's model where that tells."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import botocore.session

from activities.aws.shared.error_codes import ALREADY, kind_of_answer
from activities.catalogue import CHANGES, NOTICES, PROBES
from domain.values.errors import ErrorKind

ONE_A_CLASS = (
    "ThrottlingException",
    "InvalidDBInstanceState",
    "ConcurrentUpdateException",
    "AccessDenied",
    "ExpiredToken",
    "NeverHeardOfIt",
)
"""A code of each class: retried, waited for, merged, failed at once, fetched anew, and one that nobody listed."""

_ANY_SERVICE = ("ConflictException",)
"""Where a model names no conflict (EC2's names no error at all) this one stands for what it does not tell."""

_SERVICES = {
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "ses": "sesv2",
    "sms-voice": "pinpoint-sms-voice-v2",
}
_MECHANISM = (
    *("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:TransactWriteItems"),
    *("kms:GetPublicKey", "kms:Sign", "ses:SendEmail", "sts:AssumeRole", "sts:GetCallerIdentity"),
    *("sms-voice:SendTextMessage", "sms-voice:SendVoiceMessage"),
    *("s3:CompleteMultipartUpload", "s3:CreateMultipartUpload", "s3:HeadObject", "s3:ListObjectVersions"),
    "s3:UploadPart",
)

ALREADY_FROM: dict[str, tuple[str, ...]] = {
    "412": ("HeadObject",),
    "BucketAlreadyOwnedByYou": ("CreateBucket",),
    "ConditionalCheckFailedException": ("PutItem", "DeleteItem"),
    "DBClusterSnapshotAlreadyExists": ("CreateDBClusterSnapshot", "CopyDBClusterSnapshot"),
    "DBSnapshotAlreadyExists": ("CreateDBSnapshot", "CopyDBSnapshot"),
    "ExportTaskAlreadyExists": ("StartExportTask",),
    "FlowLogAlreadyExists": ("CreateFlowLogs",),
    "InvalidNetworkAclEntry.NotFound": ("DeleteNetworkAclEntry",),
    "InvalidPermission.Duplicate": ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"),
    "InvalidPermission.NotFound": ("RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"),
    "InvalidSecurityGroupRuleId.NotFound": ("RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"),
    "NetworkAclEntryAlreadyExists": ("CreateNetworkAclEntry",),
    "ParameterAlreadyExists": ("PutParameter",),
    "PreconditionFailed": ("PutObject", "CompleteMultipartUpload", "CopyObject"),
    "PriorityInUse": ("CreateRule", "SetRulePriorities"),
    "WAFDuplicateItemException": ("CreateIPSet", "CreateWebACL", "UpdateIPSet", "UpdateWebACL"),
}
"""Who answers that it is so already, by the code (EC2's API reference, the services' models)."""


@cache
def operations() -> tuple[tuple[str, str], ...]:
    """Service and operation of every call that actions declare, and of those of the mechanism; as botocore has them."""
    declared = [one for kind in (PROBES, CHANGES, NOTICES) for action in kind.values() for one in action.permissions]
    return tuple(sorted(operations_of((*declared, *_MECHANISM))))


def operations_of(permissions: Iterable[str]) -> set[tuple[str, str]]:
    """Service and operation, as botocore has them, of those IAM actions that are called as an operation is."""
    named = {tuple(one.split(":")) for one in permissions}
    found = {(_SERVICES.get(service, service), operation) for service, operation in named}
    return {one for one in found if one[1] in _model(one[0]).operation_names}


@cache
def codes_of(service: str, operation: str) -> tuple[str, ...]:
    """The codes of an operation's errors as they go over the wire, which query services spell in their own way."""
    return tuple(sorted(_code(shape) for shape in _model(service).operation_model(operation).error_shapes))


def conflicts_of(service: str, operation: str) -> tuple[str, ...]:
    """The codes that say that somebody else is at it (class C), or that it is busy becoming something (class S)."""
    kinds = (ErrorKind.CONFLICT, ErrorKind.WRONG_STATE)
    told = [code for code in codes_of(service, operation) if code not in ALREADY]
    found = [code for code in told if kind_of_answer({"Error": {"Code": code}}, operation) in kinds]
    return tuple(found) or _ANY_SERVICE


def already_of(service: str, operation: str) -> tuple[str, ...]:
    """The codes that say that it is so already; not DynamoDB's, which tells in its answer what stands there."""
    if service == "dynamodb":
        return ()
    return tuple(code for code, operations in ALREADY_FROM.items() if operation in operations)


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _code(shape: Any) -> str:
    return str(shape.metadata.get("error", {}).get("code", shape.name))
