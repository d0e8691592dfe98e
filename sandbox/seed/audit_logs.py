"""The audit logs of a sandbox's account: a week of CloudTrail's files, and the portal's own, which are rewritten."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

from moto.s3.models import s3_backends

from domain.config.environment import Environment
from sandbox.aws import cloudtrail, trail_digests
from sandbox.runtime.aws_world import World
from sandbox.seed.evidence_bucket import made_key

_BUCKET = "audit-logs"
_DAYS = 7
_EVERY = timedelta(minutes=30)
_DELIVERED = timedelta(minutes=5)  # how long after its hour a digest is there
_REWRITTEN = timedelta(hours=6)
_HISTORY = (-timedelta(days=1), timedelta(hours=12))
"""From when to when an account's everyday calls are in its event history; what is to come turns up when it is time."""
_READS = ("DescribeServices", "GetObject", "Decrypt", "GenerateDataKey")


def audit_logs(world: World, now: datetime) -> None:
    """Write the bucket's past; nothing where the environment names no bucket `audit-logs`."""
    environment = world.environment
    if _BUCKET not in environment.buckets:
        return
    own = environment.bucket_keys.get(_BUCKET)
    put = partial(_written, environment, {"encryption": "aws:kms", "kms_key_id": made_key(world, own)} if own else {})
    begin = (now - timedelta(days=_DAYS)).replace(minute=0, second=0, microsecond=0)
    for number in range(int(timedelta(days=_DAYS) / _EVERY)):
        at = begin + number * _EVERY
        put(_trail_key(environment, at), _trail(environment, at), at + timedelta(minutes=4))
    _digests(environment, now, put)
    for number in range(int((_HISTORY[1] - _HISTORY[0]) / _EVERY)):
        for record in _records(environment, now + _HISTORY[0] + number * _EVERY):
            if record["managementEvent"]:  # the event history has no data events
                cloudtrail.record(environment.account, environment.region, record)
    for number in range(1, int(timedelta(days=_DAYS) / _REWRITTEN)):
        at = begin + number * _REWRITTEN
        written = at - timedelta(seconds=1)
        put(f"portal/access/{written:%Y/%m/%d}.jsonl", _accesses(written), at)


def _written(
    environment: Environment,
    sealed: dict[str, Any],
    key: str,
    content: bytes,
    at: datetime,
    metadata: dict[str, str] | None = None,
) -> None:
    """Put an object into moto's own store: no operation of S3 writes the past."""
    backend = s3_backends[environment.account]["aws"]
    made = backend.put_object(environment.buckets[_BUCKET], key, content, **sealed)
    made.last_modified = at.astimezone(UTC).replace(tzinfo=None)
    made.set_metadata(metadata or {})


def _digests(environment: Environment, now: datetime, put: Callable[..., None]) -> None:
    """CloudTrail's digests of the last day, each naming the two log files that were delivered in its hour."""
    where, bucket = (environment.account, environment.region), environment.buckets[_BUCKET]
    begin, before = (now - _DELIVERED - timedelta(days=1)).replace(minute=0, second=0, microsecond=0), None
    for number in range(1, 25):
        end = begin + number * timedelta(hours=1)
        times = [end - timedelta(hours=1), end - _EVERY]
        logs = [(_trail_key(environment, at), _trail(environment, at)) for at in times]
        before = trail_digests.digest(where, bucket, end, logs, before)
        put(before.key, before.content, end + _DELIVERED, before.metadata)


def _trail_key(environment: Environment, at: datetime) -> str:
    account, region = environment.account, environment.region
    unique = sha256(at.isoformat().encode()).hexdigest()[:16]
    name = f"{account}_CloudTrail_{region}_{at:%Y%m%dT%H%M}Z_{unique}.json.gz"
    return f"AWSLogs/{account}/CloudTrail/{region}/{at:%Y/%m/%d}/{name}"


def _trail(environment: Environment, at: datetime) -> bytes:
    """A file as CloudTrail delivers it."""
    return gzip.compress(json.dumps({"Records": _records(environment, at)}).encode(), mtime=0)


def _records(environment: Environment, at: datetime) -> list[dict[str, Any]]:
    return [_record(environment, at + number * timedelta(minutes=4), number) for number in range(6)]


def _record(environment: Environment, at: datetime, number: int) -> dict[str, Any]:
    account, region, name = environment.account, environment.region, _READS[number % len(_READS)]
    service = {"DescribeServices": "ecs", "GetObject": "s3"}.get(name, "kms")
    return {
        "eventVersion": "1.11",
        "eventID": sha256(f"{at.isoformat()}/{number}".encode()).hexdigest()[:32],
        "userIdentity": {
            "type": "AssumedRole",
            "arn": environment.arn("sts", f"assumed-role/portal-task/{number:08x}"),
            "accountId": account,
        },
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": f"10.0.{1 + number % 2}.{20 + number}",
        "userAgent": "Boto3",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": name != "GetObject",
        "recipientAccountId": account,
    }


def _accesses(at: datetime) -> bytes:
    """The portal's own file of a day, as far as the day has come: who read how much, by opaque ids."""
    hours = range(at.hour + 1)
    lines = [{"at": f"{at:%Y-%m-%d}T{hour:02}:00:00Z", "event": "DATA_ACCESS", "reads": 20 + hour} for hour in hours]
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()
