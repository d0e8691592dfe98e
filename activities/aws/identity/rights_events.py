"""Which of CloudTrail's events give somebody rights in an account, and who they say did it."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from activities.aws.shared.log_records import address, pseudonym
from domain.model.calls import Scope
from domain.values.timestamps import stamp_to_second

_IAM = """
    AddClientIDToOpenIDConnectProvider AddRoleToInstanceProfile AddUserToGroup AttachGroupPolicy AttachRolePolicy
    AttachUserPolicy CreateAccessKey CreateLoginProfile CreateOpenIDConnectProvider CreatePolicy CreatePolicyVersion
    CreateRole CreateSAMLProvider CreateServiceSpecificCredential CreateUser DeactivateMFADevice
    DeleteRolePermissionsBoundary DeleteUserPermissionsBoundary DeleteVirtualMFADevice PutGroupPolicy PutRolePolicy
    PutRolePermissionsBoundary PutUserPermissionsBoundary PutUserPolicy ResetServiceSpecificCredential
    SetDefaultPolicyVersion UpdateAccessKey UpdateAccountPasswordPolicy UpdateAssumeRolePolicy UpdateLoginProfile
    UpdateOpenIDConnectProviderThumbprint UpdateSAMLProvider UploadSSHPublicKey UploadSigningCertificate
"""
_IDENTITY_CENTER = """
    AttachCustomerManagedPolicyReferenceToPermissionSet AttachManagedPolicyToPermissionSet CreateAccountAssignment
    CreateApplicationAssignment CreatePermissionSet CreateTrustedTokenIssuer
    DeletePermissionsBoundaryFromPermissionSet ProvisionPermissionSet PutInlinePolicyToPermissionSet
    PutPermissionsBoundaryToPermissionSet UpdateTrustedTokenIssuer
"""
_DIRECTORY = """
    AddMemberToGroup CreateBearerToken CreateExternalIdPConfigurationForDirectory CreateGroup CreateGroupMembership
    CreateProvisioningTenant CreateUser EnableExternalIdPConfigurationForDirectory UpdatePassword
    UpdateExternalIdPConfigurationForDirectory
"""
_ANYWHERE = "CreateProfile CreateTrustAnchor EnableProfile EnableTrustAnchor UpdateProfile UpdateTrustAnchor"
_SHARING = "AcceptResourceShareInvitation AssociateResourceShare CreateResourceShare"

HOME, CENTER, HERE = "home", "center", "here"


class Lookup(NamedTuple):
    """One question to the event history, which takes one attribute: where, which, and what of it gives rights."""

    region: str
    key: str
    value: str
    granting: frozenset[str]


def _of(region: str, service: str, names: str) -> Lookup:
    return Lookup(region, "EventSource", f"{service}.amazonaws.com", frozenset(names.split()))


_OUTWARD = (
    *("AddPermission20150331v2", "ModifyDBClusterSnapshotAttribute", "ModifyDBSnapshotAttribute"),
    *("ModifyImageAttribute", "ModifySnapshotAttribute", "PutBucketPolicy", "PutBucketAcl", "PutKeyPolicy"),
    *("PutResourcePolicy", "SetRepositoryPolicy", "SetTopicAttributes", "SetQueueAttributes", "AddPermission"),
    "CreateGrant",
)
"""Rights on one resource, which are told where they go to another account or to everybody.

`PutResourcePolicy` is that of Secrets Manager, and of others that have one; `AddPermission` that of SNS and SQS. Grants
of keys are last: services of AWS make many, which must not use up the pages of the others.
"""
NOT_COVERED = (
    "ACLs of single objects in S3, which are data events, and its access points",
    "permissions on layers of Lambda",
    "resource policies of API Gateway, AWS Backup, EFS, EventBridge and OpenSearch",
    "other regions, but for IAM and Identity Center",
)
"""Where rights may be given that nobody looks up here: each would be a look-up more, or is not in the event history."""
LOOKUPS = (
    _of(HOME, "iam", _IAM),
    _of(CENTER, "sso", _IDENTITY_CENTER),
    _of(CENTER, "sso-directory", _DIRECTORY),
    _of(CENTER, "identitystore", _DIRECTORY),
    _of(HERE, "rolesanywhere", _ANYWHERE),
    _of(HERE, "ram", _SHARING),
    *(Lookup(HERE, "EventName", name, frozenset({name})) for name in _OUTWARD),
)
"""IAM is global, and its events are recorded in one region alone; Identity Center's are where it was set up."""

_SERVICE = re.compile(r"[a-z0-9-]+\.amazonaws\.com|AWS Internal")
_ACCOUNT = re.compile(r"(?<![0-9A-Za-z-])[0-9]{12}(?![0-9A-Za-z])")
"""Not twelve digits of a longer id, as of a key or a volume."""
_OF_PRINCIPALS = frozenset({"Principal", "NotPrincipal", "principal", "AWS"})
_OF_SHARES = frozenset({"group", "userId", "attributeValue", "valuesToAdd"})
_OPEN_ACLS = frozenset({"public-read", "public-read-write", "authenticated-read"})
_OPEN_GROUPS = ("/global/AllUsers", "/global/AuthenticatedUsers")
"""S3 user guide, "Access control list (ACL) overview": canned ACLs, and predefined groups."""
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail writes in the place of some parameters."""
_POLICY = re.compile("policy|content", re.IGNORECASE)


def described(scope: Scope, event: dict[str, Any], expected: tuple[str, ...]) -> dict[str, Any] | None:
    """Describe an event by references; None for one that stays within the account and need not be told.

    ARNs and names of users and sessions may name a person and go no further. Raises `ValueError` as `read_event`.
    """
    record = read_event(event)
    if event["EventName"] in _OUTWARD and not _goes_outside(event["EventName"], record, scope):
        return None
    role = _within(record, "userIdentity", "sessionContext", "sessionIssuer", "arn")
    who = next((found for path in _NAMES if (found := _within(record, "userIdentity", *path))), "unknown")
    return {
        "id": event.get("EventId"),
        "event": event["EventName"],
        "at": stamp_to_second(event["EventTime"]),
        "by": _within(record, "userIdentity", "type") or "unknown",
        "role": role,
        "principal": pseudonym(scope.incident, who),
        "expected": any(fnmatchcase(role or who, pattern) for pattern in expected),
        "access_key": event.get("AccessKeyId"),
        "address": _source(record.get("sourceIPAddress")),
        "error": record.get("errorCode"),
    }


def read_event(event: dict[str, Any]) -> dict[str, Any]:
    """The record within an event. Raises `ValueError` for what cannot be read: no JSON object, or no name or time."""
    record = _unpacked(event.get("CloudTrailEvent"))
    if not isinstance(record, dict) or not event.get("EventName") or not event.get("EventTime"):
        raise ValueError("no record of CloudTrail")
    return record


_NAMES = (("arn",), ("principalId",), ("onBehalfOf", "userId"), ("userName",), ("invokedBy",), ("accountId",))
"""What names whoever did it. SAML users and users of Identity Center have no ARN (CloudTrail, userIdentity element)."""


def _within(record: dict[str, Any], *path: str) -> str | None:
    """What stands in a record under nested names; any of them may be null or missing."""
    found: Any = record
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def _goes_outside(name: str, record: dict[str, Any], scope: Scope) -> bool:
    """Whether what was asked for names another account, or everybody; what AWS refused went nowhere.

    Raises `ValueError` where CloudTrail does not say what was asked for: left out as too large, or for security.
    """
    asked = record.get("requestParameters")
    parameters = asked if isinstance(asked, dict) else {"omitted": True}
    leaves = list(_leaves("", parameters))
    owner = _within(parameters, "AccessControlPolicy", "Owner", "ID")
    strangers = {text for key, text in leaves if key == "ID"} - {owner}
    if any(_is_foreign(key, text, scope.environment.account) for key, text in leaves) or (owner and strangers):
        return True
    untold = parameters.get("omitted") or any(text == _HIDDEN for _, text in leaves) or strangers
    untold = untold or (name == "PutResourcePolicy" and not any(_POLICY.search(key) for key in parameters))
    if untold and not record.get("errorCode"):
        raise ValueError("no telling whom the request lets in")
    return False


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text within, and the key that it, or its list, stands under; a policy may be JSON in a text."""
    inner = _unpacked(value)
    if isinstance(inner, dict):
        for name, one in inner.items():
            yield from _leaves(name, one)
    elif isinstance(inner, list):
        for one in inner:
            yield from _leaves(key, one)
    elif isinstance(value, str):
        yield key, value


def _unpacked(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None


def _is_foreign(key: str, text: str, account: str) -> bool:
    everybody = (text == "*" and key in _OF_PRINCIPALS) or (text == "all" and key in _OF_SHARES)
    everybody = (
        everybody or (key == "x-amz-acl" and text in _OPEN_ACLS) or (key == "URI" and text.endswith(_OPEN_GROUPS))
    )
    somebody = key in {"CanonicalUser", "EmailAddress"} or (
        key.startswith("x-amz-grant-") and "LogDelivery" not in text
    )
    return everybody or somebody or (key != "ID" and any(one != account for one in _ACCOUNT.findall(text)))


def _source(value: Any) -> str | None:
    """Where a request came from: an address, or a service of AWS by its name; nothing else leaves the worker."""
    service = isinstance(value, str) and _SERVICE.fullmatch(value) is not None
    return str(value) if service else address(value)
