"""What belongs to the orchestrator itself: no change touches it, whichever action makes it.

Most of it follows from the environment's file, and what the stack of `make iam` makes; the rest the file names.
"""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from ipaddress import ip_network
from typing import Any, NamedTuple

from activities.action import ChangeAction, Params, RuleError
from activities.aws.shared.addresses import BLOCKED, overlap
from activities.logical_names import all_marks
from activities.permissions import places
from activities.permissions.statements import ROLE_PREFIX, heartbeat_alarm, role_name
from domain.config.environment import Environment
from domain.config.orchestrator import is_ec2_id
from domain.model.plan import Plan

_PARTS = re.compile(r"[\s/]")
_NAMED_ALONE = re.compile(
    r"arn:[\w-]+:(?:ec2:[^:]*:\d*:[\w*-]+/|s3:::|kms:[^:]*:\d*:(?:key/|(?=alias/)))(?P<name>[^*]+)"
)
"""What has a name that stands for itself: ids of EC2, buckets, keys and their aliases."""


class Own(NamedTuple):
    """Something of ours by its ARN, with `*` in it for anything, and what it is."""

    arn: str
    what: str

    def is_touched_by(self, name: str) -> bool:
        """Whether what a plan names is this, or under it: by ARN, or by a name that nothing else has."""
        if name.startswith("arn:"):
            return any(fnmatchcase(name, f"{self.arn}{rest}") for rest in ("", "/*", ":*"))
        alone = _NAMED_ALONE.fullmatch(self.arn)
        return alone is not None and (name == alone["name"] or alone["name"] in _PARTS.split(name))


def own(environment: Environment) -> Iterator[Own]:
    """All that is the orchestrator's in an environment."""
    arn, evidence, notifications = environment.arn, environment.evidence, environment.notifications
    yield Own(arn("dynamodb", f"table/{environment.ledger_table}"), "the ledger's table")
    yield Own(arn("iam", f"role/{role_name('*', environment)}"), "a role of the workers")
    yield Own(arn("iam", f"policy/{role_name('*', environment)}"), "a policy of the workers")
    yield Own(arn("logs", f"log-group:/{ROLE_PREFIX}/{environment.name}"), "the workers' log")
    yield Own(arn("cloudwatch", f"alarm:{heartbeat_alarm(environment)}"), "the alarm on the workers' signs of life")
    if notifications.text_receipts:
        yield Own(arn("logs", f"log-group:{notifications.text_receipts}"), "the log of delivered pages")
    for kind in ("ses:identity", "ses:configuration-set"):
        for place in places.PLACES[kind](environment):
            yield from (Own(one, "what mails are sent by") for one in place.arns)
    if evidence:
        yield Own(arn("s3", evidence.bucket), _VAULT)
        keys = [evidence.kms_key, *([evidence.snapshots.kms_key] if evidence.snapshots else [])]
        yield from (Own(_key(environment, key), _VAULTS_KEY) for key in keys)
        signing = (evidence.signing_key, *evidence.earlier_signing_keys)
        yield from (Own(_key(environment, key), "a key that signs the ledger") for key in signing)
    for resource in environment.orchestrator.resources:
        yield from _named(environment, resource)


_VAULT, _VAULTS_KEY = "the evidence bucket", "a key of the evidence"


def _key(environment: Environment, key: str) -> str:
    if key.startswith("arn:"):
        return key
    return environment.arn("kms", key if key.startswith("alias/") else f"key/{key}")


def _named(environment: Environment, resource: str) -> Iterator[Own]:
    """What the file names; with a cluster of ECS all that is in it."""
    what = f"environment {environment.name} names it"
    if is_ec2_id(resource):
        yield Own(environment.arn("ec2", f"*/{resource}"), what)
        return
    yield Own(resource, what)
    head, kind, cluster = resource.partition(":cluster/")
    if kind and ":ecs:" in head:
        yield Own(f"{head}:*/{cluster}/*", what)


def refuse_own(action: ChangeAction[Any], environment: Environment, plan: Plan) -> None:
    """Raise `RuleError` for a plan that names something of ours: as target, lock, field or in its context.

    What preserves evidence puts it into the vault, and nowhere else of ours.
    """
    vault = {_VAULT, _VAULTS_KEY} if action.evidence else set()
    ours = [one for one in own(environment) if one.what not in vault]
    for name in named_in(plan):
        for one in ours:
            if one.is_touched_by(name):
                raise RuleError(f"{name} is the orchestrator's own, which no change touches: {one.what}")


def named_in(plan: Plan) -> Iterator[str]:
    """All that a plan may name something by, each once: target, locks, fields, and whatever stands in its context."""
    yield from dict.fromkeys((plan.target, *plan.locks, *plan.before, *plan.after, *_texts(plan.context)))


def refuse_own_addresses(environment: Environment, params: Params) -> None:
    """Raise `RuleError` for parameters that block an address of the orchestrator's."""
    ours = [ip_network(one) for one in environment.orchestrator.addresses]
    for name, field in type(params).model_fields.items():
        blocked: Iterable[str] = getattr(params, name) if BLOCKED in all_marks(field) else ()
        for network in map(ip_network, blocked):
            if hit := next((one for one in ours if overlap(network, one)), None):
                raise RuleError(f"{network} overlaps {hit}, the orchestrator's own address: name narrower ones")


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for one in pair for text in _texts(one))
    elif isinstance(value, list | tuple):
        yield from (text for one in value for text in _texts(one))
