"""The statements of each role's policy in an environment: which IAM actions, on what, and on which conditions.

They follow from what the role's actions declare. Which resource types an IAM action is checked on stands in
`authorization.json`, made from AWS's own data by `make iam`; `places` knows where those are. What is done on fewer of
them than AWS would allow stands in `_NARROWER`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from activities.action import iam
from activities.permissions import places
from activities.permissions import recovery_places as there
from activities.permissions.dependents import with_dependents
from activities.permissions.places import EVERYTHING, Conditions, Place, Where, everywhere, together
from activities.permissions.roles import LEDGER, PREFLIGHT, RECOVERY, SENSITIVE, WORKER, permissions_of, roles
from domain.config.environment import Environment
from domain.config.recovery import PURPOSE
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE, REMEDIATE_QUEUE

ROLE_PREFIX = "incident"
HEARTBEAT = "NotifyPolled"
"""The metric that workers of `notify` put a 1 into every minute."""
_NETWORK = "remediate-network"


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, as IAM has it."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON has it; conditions only where there are any."""
        said: dict[str, Any] = {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}
        if self.conditions:
            said["Condition"] = {
                operator: {key: list(values) for key, values in keys.items()}
                for operator, keys in self.conditions.items()
            }
        return said


def role_name(role: str, environment: Environment) -> str:
    """What the IAM role is called: an account may hold several environments."""
    return f"{ROLE_PREFIX}-{environment.name}-{role}"


def heartbeat_namespace(environment: Environment) -> str:
    """CloudWatch's namespace of an environment's signs of life."""
    return f"{ROLE_PREFIX}/{environment.name}"


def heartbeat_alarm(environment: Environment) -> str:
    """The alarm that rings when they stop."""
    return role_name("heartbeat", environment)


_EVIDENCE = places.in_evidence("/evidence/*", "/manifests/*")
_RECORD = places.in_evidence("/ledger/*", "/reports/*")

_ROLES: Where = places.plain("iam", lambda environment: [f"role/{role_name('*', environment)}"])
_KEEPER: Where = places.plain("iam", lambda environment: [f"role/{role_name(FORENSICS_QUEUE, environment)}"])
_CODEC_KEYS: Where = places.plain("kms", lambda _: ["key/*"])  # no file names it: it is the workers' own setting
CODEC_PURPOSE = "incident-orchestrator payload"
"""What data keys of the codec are for: by KMS's encryption context its keys give none for anything else to us."""
_NARROWER: dict[tuple[str, str], Where] = {
    (role, action): where
    for role, where, names in (
        (FORENSICS_QUEUE, together(places.evidence_key, places.bucket_keys), "kms:Decrypt"),
        (FORENSICS_QUEUE, places.evidence_key, "kms:GenerateDataKey"),
        (SENSITIVE, places.bucket_keys, "kms:Decrypt"),
        (FORENSICS_QUEUE, places.snapshot_key, "kms:CreateGrant DescribeKey"),
        (FORENSICS_QUEUE, _EVIDENCE, "s3:AbortMultipartUpload GetObject GetObjectLegalHold GetObjectRetention"),
        (FORENSICS_QUEUE, _EVIDENCE, "s3:PutObject PutObjectLegalHold PutObjectRetention"),
        (FORENSICS_QUEUE, together(_EVIDENCE, places.in_buckets("/*")), "s3:GetObjectVersion"),
        (FORENSICS_QUEUE, places.in_evidence(), "s3:GetBucketObjectLockConfiguration ListBucket"),
        (FORENSICS_QUEUE, places.in_buckets(), "s3:ListBucketVersions"),
        (LEDGER, places.evidence_key, "kms:Decrypt GenerateDataKey"),
        (LEDGER, places.known_keys, "kms:GetPublicKey"),
        (LEDGER, places.signing_key, "kms:Sign"),
        (LEDGER, _RECORD, "s3:GetObject GetObjectRetention GetObjectVersion PutObject PutObjectRetention"),
        (LEDGER, places.in_evidence(), "s3:ListBucket ListBucketVersions"),
        (_NETWORK, places.maintenance("*"), "s3:DeleteObject GetObject PutObject"),
        (_NETWORK, places.maintenance(), "s3:ListBucket"),
        (SENSITIVE, places.in_buckets("/*"), "s3:GetObject GetObjectVersion"),
        (NOTIFY_QUEUE, places.text_messages, "sms-voice:SendTextMessage"),
        (NOTIFY_QUEUE, places.calls, "sms-voice:SendVoiceMessage"),
        (PREFLIGHT, _ROLES, "iam:GetRole SimulatePrincipalPolicy"),
        (PREFLIGHT, _KEEPER, "sts:AssumeRole"),  # with --write alone
        (WORKER, _ROLES, "sts:AssumeRole SetSourceIdentity TagSession"),
        (WORKER, _CODEC_KEYS, "kms:Decrypt DescribeKey GenerateDataKey"),
        (RECOVERY, together(there.copies, there.copied_snapshots), "rds:DeleteDBInstance DeleteDBSnapshot"),
        (RECOVERY, together(there.copies, there.renewed, there.replicated), "rds:DescribeDBInstances"),
        (
            RECOVERY,
            together(there.copies, there.copied_snapshots, there.renewed),
            "rds:AddTagsToResource ModifyDBInstance RebootDBInstance",
        ),
        (
            RECOVERY,
            together(there.renewed, there.replicated, there.any_groups),
            "rds:CreateDBInstanceReadReplica",
        ),
        (RECOVERY, there.copyable, "rds:CopyDBSnapshot"),
        (RECOVERY, there.listed_sources, "rds:DescribeDBSnapshots"),
        (RECOVERY, there.recovery_subnets, "rds:DescribeDBSubnetGroups"),
        (RECOVERY, there.restorable, "rds:RestoreDBInstanceFromDBSnapshot"),
        (RECOVERY, there.counting, "lambda:InvokeFunction"),
        (RECOVERY, there.recovery_keys, "kms:CreateGrant DescribeKey"),
        (RECOVERY, together(there.opened_groups, there.opened_rules), "ec2:AuthorizeSecurityGroupIngress"),
        (RECOVERY, there.opened_rules, "ec2:CreateTags"),
        (RECOVERY, there.led_back, "ecs:DescribeServices UpdateService"),
        (RECOVERY, there.rules_quota, "servicequotas:GetServiceQuota"),
        (RECOVERY, there.addresses, "ssm:GetParameter GetParameterHistory PutParameter"),
    )
    for action in iam(names)
}
"""Buckets, keys and roles are many, and no role needs all of them."""

_CONTENT = frozenset(iam("logs:FilterLogEvents", "rds:DownloadDBLogFilePortion", "s3:ListBucket", "ssm:GetParameters"))
"""What preflight reads of what is named alone; how things are set up it may look at everywhere."""
_ONLY: dict[str, tuple[str, ...]] = {
    "cloudwatch:DescribeAlarms": (EVERYTHING,),  # on less, composite alarms are left out (API DescribeAlarms)
    "ec2:CreateTags": ("ec2:security-group-rule",),  # an undo gives rules the tags that they had
    "logs:GetQueryResults": (EVERYTHING,),  # it names a query and no group: AWS's denials name `log-group:` alone
    "rds:AddTagsToResource": ("rds:snapshot", "rds:cluster-snapshot"),
    "rds:DescribeDBClusterSnapshots": (places.ANY_CLUSTER, places.ANY_CLUSTER_SNAPSHOT),
    "rds:DescribeDBClusters": (places.ANY_CLUSTER,),
    "rds:DescribeDBSnapshots": ("rds:db", places.ANY_SNAPSHOT),
    "wafv2:GetIPSet": (places.ANY_IP_SET,),
    "wafv2:UpdateWebACL": (
        "wafv2:webacl",
        places.ANY_IP_SET,
        "wafv2:managedruleset",
        "wafv2:regexpatternset",
        "wafv2:rulegroup",
    ),
}
"""Of the resource types that AWS allows, those that we use."""


def _conditions(role: str, action: str, environment: Environment) -> Conditions:
    match action:
        case "cloudwatch:PutMetricData":
            return {"StringEquals": {"cloudwatch:namespace": (heartbeat_namespace(environment),)}}
        case "dynamodb:GetItem" if role == DIAGNOSE_QUEUE:  # what our own changes left behind
            return _leading("intent*")
        case "dynamodb:PutItem" if role == NOTIFY_QUEUE:  # the copies of pages, and what the watcher does
            return _leading("page#*", "watch#*", "stranger#*")
        case "dynamodb:Query" if role == NOTIFY_QUEUE:  # of incidents whether they are carried on
            return _leading("page#*", "stranger#*", "chain#*", "incidents", "watch#over")
        case "dynamodb:PutItem" if role == REMEDIATE_QUEUE:  # what came of a change that failed, or was given up
            return _leading("intent*", "stranger#*")
        case "dynamodb:GetItem" if role == REMEDIATE_QUEUE:  # whose locks are to be given back
            return _leading("plan#*")
        case "dynamodb:GetItem" if role == NOTIFY_QUEUE:  # whether the incident is there, its runbook, a plan's words
            return _leading("declared#*", "runbook#*", "watch#*", "plan#*")
        case "dynamodb:Query" if role != LEDGER:
            return _leading("intent*")
        case "dynamodb:DeleteItem":
            return _leading("lock/*")
        case "ec2:CreateTags":
            return {"StringEquals": {"ec2:CreateAction": ("AuthorizeSecurityGroupIngress",)}}
        case "application-autoscaling:RegisterScalableTarget":
            return {"StringEquals": {"application-autoscaling:service-namespace": ("ecs",)}}
        case "ecs:UpdateService":
            families = dict.fromkeys(one.family for one in environment.services.values())
            known = tuple(environment.arn("ecs", f"task-definition/{family}:*") for family in families)
            return {"ArnLikeIfExists": {"ecs:task-definition": known}}
        case "iam:CreateServiceLinkedRole":
            return {"StringEquals": {"iam:AWSServiceName": ("wafv2.amazonaws.com",)}}
        case "kms:Decrypt" | "kms:GenerateDataKey" if role == WORKER:
            return {"StringEquals": {"kms:EncryptionContext:purpose": (CODEC_PURPOSE,)}}
        case "kms:CreateGrant":  # to RDS, which encrypts the copy (RDS user guide, "Authorizing use of a customer key")
            return {"Bool": {"kms:GrantIsForAWSResource": ("true",)}}
        case "rds:DeleteDBInstance" | "rds:DeleteDBSnapshot":
            return {"StringEquals": {"aws:ResourceTag/purpose": (PURPOSE,)}}
        case "rds:RestoreDBInstanceFromDBSnapshot":
            tagged = {"aws:RequestTag/purpose": (PURPOSE,)}
            return {"StringEquals": tagged, "Bool": {"rds:PubliclyAccessible": ("false",)}}
        case "rds:CreateDBInstanceReadReplica":
            return {"Bool": {"rds:PubliclyAccessible": ("false",)}}
        case "ses:SendEmail":
            return {"StringEquals": {"ses:FromAddress": (environment.notifications.mail_sender,)}}
    return {}


def _leading(*keys: str) -> Conditions:
    """Only items under such partition keys; what is granted so names one item, or the items of one key, at a time."""
    return {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": keys}}


def granted(some: Iterable[str] | None = None) -> list[str]:
    """Every IAM action of every role, or of some, in any environment."""
    return sorted({action for role in some or roles() for action in with_dependents(permissions_of(role))})


def statements(role: str, environment: Environment) -> tuple[Statement, ...]:
    """What a role may do in an environment; nothing for `console`. An action without a place there is not granted.

    Raises `KeyError` for a role that does not exist, and `LookupError` for an IAM action that nobody has placed yet.
    """
    grouped: dict[str, tuple[Place, list[str]]] = {}
    for action in sorted(with_dependents(permissions_of(role))):
        for place in _places(role, action, environment):
            _, actions = grouped.setdefault(repr(place), (place, []))
            actions.append(action)
    return tuple(Statement(tuple(actions), place.arns, place.conditions) for place, actions in grouped.values())


def _places(role: str, action: str, environment: Environment) -> list[Place]:
    """Where a role may do it: all places under one condition are one."""
    beside = _conditions(role, action, environment)
    found: dict[str, tuple[Conditions, list[str]]] = {}
    for place in _where(role, action)(environment):
        conditions = {**place.conditions, **beside}
        found.setdefault(repr(conditions), (conditions, []))[1].extend(place.arns)
    return [Place(tuple(dict.fromkeys(arns)), conditions) for conditions, arns in found.values() if arns]


def _where(role: str, action: str) -> Where:
    if narrower := _NARROWER.get((role, action)):
        return narrower
    if role == PREFLIGHT and action not in _CONTENT:
        return everywhere
    types = _ONLY.get(action, types_of(action))
    if types == (EVERYTHING,):
        return everywhere
    if not types:
        raise LookupError(f"nobody has said on what {role} may do {action}: see activities/permissions/statements.py")
    return together(*(places.PLACES[one] for one in types))


def types_of(action: str) -> tuple[str, ...]:
    """The resource types of an IAM action that have a place, `*` where AWS has none; empty where none has one."""
    if action not in _authorization():
        raise LookupError(f"{action} is not in activities/permissions/authorization.json: run `make iam`")
    return tuple(_authorization()[action])


@cache
def _authorization() -> dict[str, list[str]]:
    text = files("activities.permissions").joinpath("authorization.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
