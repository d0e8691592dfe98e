"""What AWS may refuse of a change's writes, and how the plan knows it before anybody approves."""

from collections.abc import Callable
from dataclasses import dataclass

from activities.aws.shared.error_codes import kind_of_answer
from domain.values.errors import ErrorKind
from tests.activities.change_worlds import ChangeWorld
from tests.activities.wire_codes import codes_of

_PASSING = (ErrorKind.TRANSIENT, ErrorKind.CONFLICT, ErrorKind.ACCESS_DENIED, ErrorKind.EXPIRED_CREDENTIALS)
"""Kinds that no plan can foresee: they pass by themselves, or say what the role may do, which preflight tells."""

DOCUMENTED: dict[str, tuple[str, ...]] = {
    "AuthorizeSecurityGroupIngress": ("InvalidGroup.NotFound", "RulesPerSecurityGroupLimitExceeded"),
    "CompleteMultipartUpload": ("EntityTooSmall", "InvalidPart", "InvalidPartOrder", "NoSuchUpload"),
    "CreateFlowLogs": (
        "FlowLogsLimitExceeded",
        "InvalidVpcId.NotFound",
        "LogDestinationPermissionIssueException",  # VPC user guide, "Troubleshoot VPC Flow Logs"
        "UnsupportedOperation",
    ),
    "CreateMultipartUpload": ("NoSuchBucket",),
    "CreateNetworkAclEntry": ("InvalidNetworkAclID.NotFound", "NetworkAclEntryLimitExceeded"),
    "DeleteAlarmMuteRule": (),  # "If you delete a mute rule that does not exist, the operation succeeds" (its API)
    "DeleteFlowLogs": ("InvalidFlowLogId.NotFound",),
    "DeleteNetworkAclEntry": ("InvalidNetworkAclEntry.NotFound", "InvalidNetworkAclID.NotFound"),
    "DeleteObject": ("NoSuchBucket",),
    "RevokeSecurityGroupIngress": ("InvalidGroup.NotFound",),
    "UploadPart": ("NoSuchUpload",),
}
"""Where a service's model names no errors: from EC2's and S3's lists of error codes, and CloudWatch's common errors."""

GENERAL: dict[str, tuple[str, ...]] = {
    "cloudwatch": ("ValidationError",),
    "ec2": ("InvalidParameterValue", "OperationNotPermitted"),
    "elbv2": ("ValidationError",),
    "rds": ("InvalidParameterCombination", "InvalidParameterValue"),
    "s3": ("InvalidArgument", "InvalidRequest"),
    "ssm": ("ValidationException",),
}
"""What a service says of parameters that do not fit each other, or what stands there; no model names it, whatever the
operation (the "Common errors" of each API; RDS's guide names its two of single parameters).

Services whose models name such a code with the operation are not listed: ECS, Cognito, WAF, Resolver, CloudWatch Logs.
"""


@dataclass(frozen=True)
class Told:
    """A world in which AWS would refuse a piece, and the plan says so: `words` stand in its impact."""

    world: Callable[[], ChangeWorld]
    words: str


@dataclass(frozen=True)
class Undone:
    """A world in which AWS would refuse the undo, after what `comes` once the change stands."""

    world: Callable[[], ChangeWorld]
    comes: Callable[[ChangeWorld], None]


PlanRefusals = dict[tuple[str, str, str], Callable[[], ChangeWorld] | Told | Undone | str]
"""By change (`*`: every change that makes the write), operation and code: a world in which AWS would refuse so and
the plan raises `RuleError`, or the undo's does; one in which the plan tells; or a sentence why that cannot be, or why
nobody can know."""


def refusals_of(service: str, operation: str) -> tuple[str, ...]:
    """The codes with which an operation refuses for good, by the service's model or its guide."""
    known = (*(codes_of(service, operation) or DOCUMENTED.get(operation, ())), *GENERAL.get(service, ()))
    kinds = {code: kind_of_answer({"Error": {"Code": code}}, operation) for code in known}
    return tuple(sorted(code for code, kind in kinds.items() if kind not in _PASSING))
