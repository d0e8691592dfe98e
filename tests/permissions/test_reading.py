"""What a dry run may do at all: what AWS itself says reads, under the session policy of every role."""

import json
from fnmatch import fnmatchcase

import pytest

from activities.aws.shared.reading import reads
from activities.permissions.dependents import with_dependents
from activities.permissions.reading import reading_policy
from activities.permissions.roles import OUTSIDE, permissions_of, queue_of, roles
from deploy.policies.authorization import described
from tests.permissions.plays import recorded

_ASSUMED = sorted(set(roles()) - OUTSIDE)
_MOST = 2048
"""Characters of a session policy (STS API AssumeRole, Policy)."""
_READS_BY_US = {"kms:Decrypt": "AWS counts it as a write; it changes nothing, and S3 asks it to read what is encrypted"}
_NOT_NEEDED = {
    "dynamodb:ConditionCheckItem": "a part of transactions that write",
}


def _left(role: str) -> set[str]:
    """The rights of a role that the session policy leaves it, those that it has for its queue among them."""
    [said] = json.loads(reading_policy(role))["Statement"]
    assert said["Effect"] == "Allow"
    return {one for one in _rights(role) if any(fnmatchcase(one, pattern) for pattern in said["Action"])}


def _rights(role: str) -> set[str]:
    acting = [role, *(one for one in roles() if queue_of(one) == role)]
    return {action for one in acting for action in with_dependents(permissions_of(one))}


def _reads(action: str) -> bool:
    return described(action)["access_level"] in {"Read", "List"}


@pytest.mark.parametrize("role", _ASSUMED)
def test_a_dry_run_is_left_what_reads(role: str) -> None:
    """Nothing that AWS's own data calls a write, a grant or a tag, and all else that the role has."""
    left = _left(role)
    assert {one for one in left if not _reads(one)} <= _READS_BY_US.keys()
    assert {one for one in _rights(role) - left if _reads(one)} <= _NOT_NEEDED.keys()


@pytest.mark.parametrize("role", _ASSUMED)
def test_sts_takes_it(role: str) -> None:
    """It is short enough, and every pattern names a service, as IAM wants it."""
    assert len(reading_policy(role)) <= _MOST
    [said] = json.loads(reading_policy(role))["Statement"]
    assert said["Action"]
    assert all(one.partition(":")[0].strip("*") for one in said["Action"])


@pytest.mark.xdist_group("recorded-calls")
def test_what_looks_is_held_up_by_nothing() -> None:
    """Every call of a probe passes a client that only reads."""
    looking = {f"{call.service}:{call.operation}" for call in recorded() if call.role.startswith("diagnose")}
    assert len(looking) > 30
    assert {one for one in looking if reads(one.partition(":")[2]) is None} == set()
