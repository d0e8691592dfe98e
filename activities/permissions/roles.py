"""The IAM roles of workers, and what each may do: what its actions declare, and what goes on around them.

A role is for a kind of work: probes, probes that read what may be personal, each shelf of changes, the faults of
drills, evidence, the ledger, notices. `worker` is the process itself, which may assume the others, and
encrypts what Temporal carries. `console` has
no rights at all, and `preflight` looks at all of it from outside, by a nightly job or as a worker that looks for drift.
"""

from functools import cache
from typing import Any

from activities.action import ChangeAction, NoticeAction, ProbeAction, iam
from activities.catalogue import CHANGES, NOTICES, PROBES
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, NOTIFY_QUEUE, QUEUES, REMEDIATE_QUEUE

SENSITIVE = "diagnose-sensitive"
LEDGER = "ledger"
WORKER = "worker"
CONSOLE = "console"
PREFLIGHT = "preflight"
RECOVERY = f"{REMEDIATE_QUEUE}-recovery"
"""The only role that deletes databases: copies that it restored, in environments that name a place for them."""
OUTSIDE = frozenset({CONSOLE, WORKER})
"""What is not assumed by workers: whatever runs it is given the role."""

_Action = type[Any]
"""A probe, a change or a notice."""

_READS_CONTENT = frozenset(
    iam(
        "logs:FilterLogEvents GetLogEvents GetQueryResults StartQuery",
        "rds:DownloadDBLogFilePortion",
        "s3:GetObject",
        "xray:GetTraceSummaries BatchGetTraces",
    )
)
"""What gives lines of logs, objects or traced addresses: they may say something about patients."""

_LOCKS_AND_INTENTS = iam("dynamodb:ConditionCheckItem DeleteItem GetItem PutItem Query")
_AROUND: dict[str, tuple[str, ...]] = {
    # whatever happened to a change, its locks are given back, and it is on record; and what drills inject
    REMEDIATE_QUEUE: iam("dynamodb:ConditionCheckItem DeleteItem GetItem PutItem", "lambda:InvokeFunction"),
    FORENSICS_QUEUE: _LOCKS_AND_INTENTS,
    LEDGER: iam(
        "dynamodb:ConditionCheckItem GetItem PutItem Query",
        "kms:Decrypt GenerateDataKey GetPublicKey Sign",
        "s3:GetObject GetObjectRetention GetObjectVersion ListBucket ListBucketVersions PutObject PutObjectRetention",
    ),
    NOTIFY_QUEUE: iam(
        "cloudwatch:PutMetricData",
        "dynamodb:GetItem PutItem Query",
        "ses:SendEmail",
        "sms-voice:SendTextMessage SendVoiceMessage",
    ),
    WORKER: iam("kms:Decrypt DescribeKey GenerateDataKey", "sts:AssumeRole SetSourceIdentity TagSession"),
}
"""What the mechanism does under a role beside its actions: locks and intents, the record and the report, pages."""


def role_of(action: _Action) -> str:
    """The role that an action is carried out under."""
    if issubclass(action, NoticeAction):
        return NOTIFY_QUEUE
    if issubclass(action, ProbeAction):
        return SENSITIVE if _READS_CONTENT.intersection(action.permissions) else DIAGNOSE_QUEUE
    if action.evidence:
        return FORENSICS_QUEUE
    shelf = action.__module__.split(".")[2]
    return f"{REMEDIATE_QUEUE}-{shelf}"


@cache
def actions_of() -> dict[str, tuple[_Action, ...]]:
    """Every role, with its actions."""
    found: dict[str, list[_Action]] = {role: [] for role in (*_AROUND, DIAGNOSE_QUEUE, CONSOLE, PREFLIGHT)}
    for action in (*PROBES.values(), *CHANGES.values(), *NOTICES.values()):
        found.setdefault(role_of(action), []).append(action)
    return {role: tuple(found[role]) for role in sorted(found, key=_placed)}


def changes(role: str) -> bool:
    """Whether a role carries out changes: a worker that becomes it says for whom (`sts:SetSourceIdentity`)."""
    return any(issubclass(action, ChangeAction) for action in actions_of()[role])


FOR_SOMEBODY = iam("sts:AssumeRole SetSourceIdentity TagSession")
"""What whoever becomes a role for somebody asks of it, and its trust must allow (STS API AssumeRole)."""


def _placed(role: str) -> tuple[int, str]:
    queue = queue_of(role)
    return QUEUES.index(queue) if queue in QUEUES else len(QUEUES), role


def queue_of(role: str) -> str:
    """The task queue whose worker acts under a role; the role itself where it serves none."""
    if role == LEDGER:
        return FORENSICS_QUEUE
    return next((queue for queue in QUEUES if role == queue or role.startswith(f"{queue}-")), role)


def roles() -> tuple[str, ...]:
    """Every role there is."""
    return tuple(actions_of())


def permissions_of(role: str) -> frozenset[str]:
    """The IAM actions that a role needs. Raises `KeyError` for one that does not exist."""
    declared = {permission for action in actions_of()[role] for permission in action.permissions}
    return frozenset(declared.union(around(role)))


def around(role: str) -> tuple[str, ...]:
    """What the mechanism needs under a role; every change has locks and intents, preflight what its checks need."""
    if role == PREFLIGHT:
        from activities.preflight.table import CHECKS, WRITES  # noqa: PLC0415 - which look at roles

        return tuple(dict.fromkeys(one for check in (*CHECKS, *WRITES) for one in check.permissions))
    return _AROUND.get(role) or (_LOCKS_AND_INTENTS if role.startswith(f"{REMEDIATE_QUEUE}-") else ())
