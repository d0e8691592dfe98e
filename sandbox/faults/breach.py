"""A breach: an attacker downloads patients' studies through the portal, one a second."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from domain.config.environment import Service, WebAcl
from sandbox.aws import s3_reads
from sandbox.runtime.aws_world import World
from sandbox.traffic import background, waf_log
from sandbox.traffic.waf_log import Request

ATTACKER = "198.51.100.23"
"""From a documentation network (RFC 5737), so nobody's."""

_LASTS = timedelta(minutes=18)
_EVERY = timedelta(seconds=1)
_BLOCKED_FIRST = 14
_OBJECTS_EVERY = timedelta(minutes=3)
_AGENT = "python-requests/2.32.3"
_BATCH = 1000


def exfiltrate(world: World) -> str:
    """Write an attack that was blocked a few times, then got through and has been downloading until now.

    Web ACL and application log every request; the trail's objects in the audit bucket grow with it.
    """
    now = datetime.now(UTC)
    began = now - _LASTS
    moments = [began + number * _EVERY for number in range(int(_LASTS / _EVERY))]
    for acl in world.environment.web_acls.values():
        _write_waf_log(world, acl, moments)
    if service := _backend(world):
        _write_application_log(world, service, moments)
    objects = _write_trail(world, began, now)
    _hamper(world)
    return (
        f"{ATTACKER} has downloaded {len(moments)} studies in {_LASTS.seconds // 60} minutes, after {_BLOCKED_FIRST} "
        f"requests that the web ACL blocked; {objects} trail objects in the audit bucket show it"
    )


def _write_waf_log(world: World, acl: WebAcl, moments: list[datetime]) -> None:
    blocked = [
        Request(
            moments[0] - (_BLOCKED_FIRST - number) * timedelta(seconds=4),
            ATTACKER,
            "/api/studies",
            action="BLOCK",
            rule="AWS-AWSManagedRulesSQLiRuleSet",
            agent=_AGENT,
            country="NL",
        )
        for number in range(_BLOCKED_FIRST)
    ]
    through = [
        Request(at, ATTACKER, f"/api/studies/{_study(number)}/download", agent=_AGENT, country="NL")
        for number, at in enumerate(moments)
    ]
    waf_log.write(world, acl, [*blocked, *through])


def _write_application_log(world: World, service: Service, moments: list[datetime]) -> None:
    """Write the application's log line for each download; accounts and studies are opaque ids."""
    account = str(uuid5(NAMESPACE_URL, "account taken over"))
    lines = [
        (
            at,
            json.dumps(
                {
                    "level": "INFO",
                    "eventType": "DATA_ACCESS",
                    "operation": "download",
                    "success": True,
                    "sourceIp": ATTACKER,
                    "userId": account,
                    "role": "referrer",
                    "resourceId": _study(number),
                    "bytes": 48_000_000 + number % 977 * 4096,
                }
            ),
        )
        for number, at in enumerate(moments)
    ]
    for start in range(0, len(lines), _BATCH):
        background.write_log(world, service, lines[start : start + _BATCH])


def _write_trail(world: World, began: datetime, until: datetime) -> int:
    """Write the trail's objects to the audit bucket, each with more data events than the one before."""
    environment = world.environment
    bucket = environment.buckets.get("audit-logs")
    if bucket is None:
        return 0
    count = int((until - began) / _OBJECTS_EVERY)
    for number in range(count):
        at = began + (number + 1) * _OBJECTS_EVERY
        records = [_data_event(world, at, number, event) for event in range(40 * (number + 1))]
        name = f"{environment.account}_CloudTrail_{environment.region}_{at:%Y%m%dT%H%MZ}"
        unique = sha256(f"{at.isoformat()} {number}".encode()).hexdigest()[:16]
        world.client("s3").put_object(
            Bucket=bucket,
            Key=f"AWSLogs/{environment.account}/CloudTrail/{environment.region}/{at:%Y/%m/%d}/{name}_{unique}.json.gz",
            Body=gzip.compress(json.dumps({"Records": records}).encode(), mtime=0),
            ContentType="application/json",
            ContentEncoding="gzip",
        )
    return count


def _hamper(world: World) -> None:
    """What keeps evidence in a real account: a version that is archived, and locks that the role may not see."""
    environment = world.environment
    if bucket := environment.buckets.get("audit-logs"):
        world.client("s3").put_object(
            Bucket=bucket, Key="portal/access/export.jsonl", Body=b"{}", StorageClass="DEEP_ARCHIVE"
        )
        s3_reads.hide_locks(environment.account)


def _data_event(world: World, at: datetime, number: int, event: int) -> dict[str, Any]:
    environment = world.environment
    return {
        "eventVersion": "1.11",
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": environment.region,
        "sourceIPAddress": "10.0.1.10",
        "userAgent": "[aws-sdk-java/2.29]",
        "requestParameters": {"bucketName": "studies", "key": f"{_study(1000 * number + event)}.dcm"},
        "eventID": str(uuid5(NAMESPACE_URL, f"event {at.isoformat()} {event}")),
        "eventType": "AwsApiCall",
        "recipientAccountId": environment.account,
        "eventCategory": "Data",
    }


def _study(number: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"study {number}"))


def _backend(world: World) -> Service | None:
    services = world.environment.services
    return services.get("backend", next(iter(services.values()), None))
