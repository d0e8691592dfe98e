"""The policies as documents: one a role, and what bounds them all."""

from collections.abc import Iterable
from typing import Any

from activities.action import iam
from activities.permissions.recovery_places import renewed_arns
from activities.permissions.roles import FOR_SOMEBODY, LEDGER, PREFLIGHT, RECOVERY, WORKER, changes, roles
from activities.permissions.statements import granted, role_name, statements
from domain.config.environment import Environment
from domain.config.recovery import COPIES, PURPOSE
from domain.values.aws_places import arn
from domain.values.ids import FORENSICS_QUEUE

Document = dict[str, Any]

_KEEPERS = (FORENSICS_QUEUE, LEDGER)
"""The roles that write to the evidence bucket."""

_NEVER = iam(
    "cloudtrail:DeleteTrail PutEventSelectors StopLogging UpdateTrail",
    "dynamodb:DeleteTable UpdateContinuousBackups UpdateTable",
    "kms:DisableKey PutKeyPolicy ScheduleKeyDeletion",
    "logs:DeleteLogGroup DeleteLogStream DeleteRetentionPolicy",
    "organizations:LeaveOrganization",
    "rds:DeleteDBCluster DeleteDBClusterSnapshot",
)
"""What no role of ours may do, whatever its policy becomes."""
_DELETES = iam("rds:DeleteDBInstance DeleteDBSnapshot")
"""What is done to restored copies alone, by one role, and by none where nothing is restored."""
_RENEWS = iam("rds:ModifyDBInstance RebootDBInstance")
"""What the role that deletes may do to replicas alone, and to copies: it renames what it deletes then."""

_UNDOING_THE_LOCK = iam(
    "s3:BypassGovernanceRetention DeleteBucket DeleteObjectVersion PutBucketObjectLockConfiguration",
    "s3:PutBucketVersioning PutLifecycleConfiguration",
)


def policy(role: str, environment: Environment) -> Document:
    """A role's own policy. IAM knows no policy without statements: there is none for `console`."""
    return _document(one.document() for one in statements(role, environment))


def codec_policy(environment: Environment) -> Document:
    """What whoever uses the command needs of KMS to read and write what Temporal carries, like the worker itself."""
    of_kms = (one for one in statements(WORKER, environment) if one.actions[0].startswith("kms:"))
    return _document(one.document() for one in of_kms)


def boundary() -> Document:
    """The most that any of the workers' roles can be given: what all need together, and no way to more rights."""
    return _document([{"Effect": "Allow", "Action": granted(set(roles()) - {PREFLIGHT, RECOVERY}), "Resource": "*"}])


def recovery_boundary(environment: Environment) -> Document:
    """The most that the role of recovery tests can be given: it deletes what has our name and tag, and nothing else."""
    tagged = {"StringEquals": {"aws:ResourceTag/purpose": PURPOSE}}
    rest = [action for action in granted({RECOVERY}) if action not in {*_DELETES, *_RENEWS}]
    return _document(
        [
            {"Effect": "Allow", "Action": rest, "Resource": "*"},
            {"Effect": "Allow", "Action": list(_RENEWS), "Resource": _renewed(environment)},
            {"Effect": "Allow", "Action": list(_DELETES), "Resource": _copies(environment), "Condition": tagged},
        ]
    )


def _copies(environment: Environment) -> list[str]:
    return [environment.arn("rds", f"{kind}:{COPIES}*") for kind in ("db", "snapshot")]


def _renewed(environment: Environment) -> list[str]:
    """What is renamed, and by which name it is found then."""
    return [*renewed_arns(environment), environment.arn("rds", f"db:{COPIES}*")]


def control_policy(environment: Environment) -> Document:
    """The service control policy: what stays forbidden to the roles even where somebody widens them."""
    ours = {"ArnLike": {"aws:PrincipalArn": environment.arn("iam", f"role/{role_name('*', environment)}")}}
    linked = environment.arn("iam", "role/aws-service-role/*")
    preflight = {"aws:PrincipalArn": _arns(environment, (PREFLIGHT,))}
    others, itself = ours | {"ArnNotEquals": preflight}, {"ArnEquals": preflight}
    looks = ["iam:GetRole", "iam:SimulatePrincipalPolicy", "sts:AssumeRole"]
    everything = environment.arn("iam", "*")
    kept = {"NotResource": _copies(environment)} if environment.recovery else {"Resource": "*"}
    said: list[Document] = [
        {"Sid": "NoRights", "Effect": "Deny", "Action": "iam:*", "NotResource": linked, "Condition": others},
        {"Sid": "Looks", "Effect": "Deny", "NotAction": looks, "Resource": everything, "Condition": itself},
        {"Sid": "NoDestruction", "Effect": "Deny", "Action": list(_NEVER), "Resource": "*", "Condition": ours},
        {"Sid": "CopiesAlone", "Effect": "Deny", "Action": list(_DELETES), **kept, "Condition": ours},
    ]
    if environment.recovery:
        renaming = {"ArnEquals": {"aws:PrincipalArn": _arns(environment, (RECOVERY,))}}
        renewed = {"Action": list(_RENEWS), "NotResource": _renewed(environment)}
        said.append({"Sid": "ReplicasAlone", "Effect": "Deny", **renewed, "Condition": renaming})
    if environment.evidence:
        objects = environment.arn("s3", f"{environment.evidence.bucket}/*")
        removing = ["s3:BypassGovernanceRetention", "s3:DeleteObjectVersion"]
        said.append({"Sid": "Evidence", "Effect": "Deny", "Action": removing, "Resource": objects, "Condition": ours})
    return _document(said)


def bucket_policy(environment: Environment, bucket: str) -> Document:
    """The evidence bucket's own policy: over TLS alone, written by its keepers alone, and its lock is never undone."""
    own, objects = environment.arn("s3", bucket), environment.arn("s3", f"{bucket}/*")
    return _document(
        [
            _denied("Encrypted", "s3:*", [own, objects], {"Bool": {"aws:SecureTransport": "false"}}),
            _denied("Kept", list(_UNDOING_THE_LOCK), [own, objects]),
            _denied(
                "WrittenByItsKeepers",
                ["s3:PutObject", "s3:PutObjectLegalHold", "s3:PutObjectRetention"],
                [objects],
                {"ArnNotLike": {"aws:PrincipalArn": _arns(environment, _KEEPERS)}},
            ),
        ]
    )


def trust_policy(environment: Environment, role: str) -> Document:
    """Who may assume a role of ours: the worker alone, but for the one under which preflight puts a locked object.

    For a change the worker says for whom: by source identity and tags (STS API AssumeRole).
    """
    if role == PREFLIGHT:
        return _document([_trusted(environment, WORKER)])
    worker = {"AWS": environment.arn("iam", f"role/{role_name(WORKER, environment)}")}
    said = [_TRUSTING | {"Principal": worker} | ({"Action": list(FOR_SOMEBODY)} if changes(role) else {})]
    if role == FORENSICS_QUEUE:
        said.append(_trusted(environment, PREFLIGHT))
    return _document(said)


_TRUSTING: Document = {"Effect": "Allow", "Action": "sts:AssumeRole"}


def _trusted(environment: Environment, role: str) -> Document:
    """Trust in a role of another stack, by a condition: it may be made later, or not at all."""
    ours = {"ArnEquals": {"aws:PrincipalArn": _arns(environment, (role,))}}
    return _TRUSTING | {"Principal": {"AWS": environment.arn("iam", "root")}, "Condition": ours}


def key_policy(environment: Environment, *, signs: bool = False, shared_with: str | None = None) -> Document:
    """A key's own policy: the account's policies decide, but only the ledger's role signs.

    The account that it is `shared_with` may restore what is encrypted, and by grants let RDS do so there (RDS user
    guide, "Sharing encrypted snapshots").
    """
    said = [_owned("Account", environment.account, "kms:*", environment)]
    if signs:
        signers = {"ArnNotLike": {"aws:PrincipalArn": _arns(environment, (LEDGER,))}}
        said.append(_denied("SignedByTheLedger", "kms:Sign", ["*"], signers))
    if shared_with:
        granting = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]
        said.append(_owned("ReadByForensics", shared_with, ["kms:Decrypt", "kms:DescribeKey"], environment))
        grants = _owned("GrantedByForensics", shared_with, granting, environment)
        said.append(grants | {"Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}})
    return _document(said)


def _owned(sid: str, account: str, actions: str | list[str], environment: Environment) -> Document:
    owner = {"AWS": arn(environment.region, account, "iam", "root")}
    return {"Sid": sid, "Effect": "Allow", "Principal": owner, "Action": actions, "Resource": "*"}


def _denied(sid: str, actions: str | list[str], resources: list[str], condition: Document | None = None) -> Document:
    said: Document = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": actions, "Resource": resources}
    return said | ({"Condition": condition} if condition else {})


def _arns(environment: Environment, names: Iterable[str]) -> list[str]:
    return [environment.arn("iam", f"role/{role_name(name, environment)}") for name in names]


def _document(said: Iterable[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(said)}
