"""Whether the record, the evidence and the trail are kept as they must be: tables, locks, keys, selectors."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from activities.action import iam
from activities.aws.observability.trail_coverage import uncovered
from activities.aws.shared.error_codes import code_of
from activities.aws.shared.s3_objects import head, put_once
from activities.preflight.check import Check, Room, Verdict, first_wrong, missing, named, ok, unknown, wrong
from activities.preflight.places import each, under
from domain.config.environment import Environment, Evidence
from domain.values.ids import FORENSICS_QUEUE
from domain.values.timestamps import stamp_to_second

_TRIAL = "evidence/preflight"
_TRIAL_LOCK = timedelta(days=1)
_CHOSEN = frozenset(f"leaves out {service}.amazonaws.com" for service in ("kms", "rdsdata"))
"""What AWS lets a trail leave out (CloudTrail API EventSelector); probes read the event history, which has all."""
_NEVER_SET = {"NoSuchPublicAccessBlockConfiguration", "ObjectLockConfigurationNotFoundError"}
_KEYS = {"kms_key": ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"), "signing_key": ("SIGN_VERIFY", "ECC_NIST_P256")}


def table(room: Room, name: str) -> Verdict:
    """The ledger's table has its keys and can be recovered (`dynamodb:DescribeTable`, `DescribeContinuousBackups`)."""
    dynamodb = room.client("dynamodb")
    found = dynamodb.describe_table(TableName=name)["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    keys = [(key["AttributeName"], key["KeyType"]) for key in found["KeySchema"]]
    return first_wrong(
        "recoverable to any second, protected from deletion",
        f"it is {found['TableStatus']}" if found["TableStatus"] not in {"ACTIVE", "UPDATING"} else None,
        "its keys are not pk and sk; make a new one" if keys != [("pk", "HASH"), ("sk", "RANGE")] else None,
        "no point-in-time recovery; enable it" if recovery != "ENABLED" else None,
        "no deletion protection; enable it" if not found.get("DeletionProtectionEnabled") else None,
    )


def evidence_bucket(room: Room, evidence: Evidence) -> Verdict:
    """The evidence bucket is locked, keeps versions and cannot be public (`s3:GetBucketObjectLockConfiguration`, …)."""
    s3 = room.client("s3")
    versioning = s3.get_bucket_versioning(Bucket=evidence.bucket).get("Status")
    lock = _set(s3, s3.get_object_lock_configuration, evidence.bucket, "ObjectLockConfiguration")
    closed = _set(s3, s3.get_public_access_block, evidence.bucket, "PublicAccessBlockConfiguration")
    return first_wrong(
        "Object Lock and versions are on, nothing in it can be public",
        "no Object Lock: evidence could be deleted; make a bucket with it"
        if lock.get("ObjectLockEnabled") != "Enabled"
        else None,
        "it keeps no versions" if versioning != "Enabled" else None,
        "it can be made public; block public access" if not closed or not all(closed.values()) else None,
    )


def _set(s3: Any, ask: Callable[..., Any], bucket: str, holds: str) -> dict[str, Any]:
    """A configuration of a bucket; S3 answers one that was never set with an error of its own."""
    try:
        return dict(ask(Bucket=bucket)[holds])
    except s3.exceptions.ClientError as error:
        if code_of(error) not in _NEVER_SET:
            raise
        return {}


def key(room: Room, one: tuple[str, str]) -> Verdict:
    """A key of the kind that is needed is enabled (`kms:DescribeKey`)."""
    name, field = one
    found = room.client("kms").describe_key(KeyId=name)["KeyMetadata"]
    usage, spec = _KEYS[field]
    return first_wrong(
        f"{found['KeySpec']}, enabled",
        f"it is {found['KeyState']}; enable it" if found["KeyState"] != "Enabled" else None,
        f"it is for {found['KeyUsage']}, not {usage}" if found["KeyUsage"] != usage else None,
        f"it is {found['KeySpec']}, not {spec}" if found["KeySpec"] != spec else None,
    )


def keys(environment: Environment) -> dict[str, tuple[str, str] | None]:
    """Every key that the file names, with what it is for; the keys of buckets and of restored copies encrypt too."""
    evidence = environment.evidence
    encrypting = {f"bucket_keys.{name}": one for name, one in environment.bucket_keys.items()}
    encrypting |= {"recovery.kms_key": environment.recovery.kms_key} if environment.recovery else {}
    others = {name: (one, "kms_key") for name, one in encrypting.items()}
    if evidence is None:
        return {**others}
    earlier = {f"evidence.earlier_signing_keys[{n}]": one for n, one in enumerate(evidence.earlier_signing_keys)}
    snapshots = evidence.snapshots
    return {
        **others,
        "evidence.snapshots.kms_key": (snapshots.kms_key, "kms_key") if snapshots else None,
        "evidence.kms_key": (evidence.kms_key, "kms_key"),
        "evidence.signing_key": (evidence.signing_key, "signing_key"),
        **{name: (one, "signing_key") for name, one in earlier.items()},
    }


def trail(room: Room, name: str) -> Verdict:
    """A trail logs what people do, everywhere, in files that prove themselves.

    `cloudtrail:DescribeTrails`, `GetTrailStatus`, `GetEventSelectors`.
    """
    cloudtrail = room.client("cloudtrail")
    listed = cloudtrail.describe_trails(trailNameList=[name])["trailList"]
    if not listed:
        return missing()
    found, status = listed[0], cloudtrail.get_trail_status(Name=listed[0]["TrailARN"])
    told = uncovered(cloudtrail.get_event_selectors(TrailName=found["TrailARN"]))
    chosen, left_out = ([one for one in told if (one in _CHOSEN) == by_choice] for by_choice in (True, False))
    but = f"; it {' and '.join(chosen)}, as AWS lets it: cloudtrail.trail_status has to name that under left_out"
    return first_wrong(
        "logs management events of all regions, with digests" + (but if chosen else ""),
        "it does not log; start it" if not status["IsLogging"] else None,
        f"its last delivery failed: {status['LatestDeliveryError']}" if status.get("LatestDeliveryError") else None,
        f"it {' and '.join(left_out)}; set its event selectors" if left_out else None,
        "it logs one region; make it multi-region" if not found.get("IsMultiRegionTrail") else None,
        "no log file validation; enable it" if not found.get("LogFileValidationEnabled") else None,
    )


def locked_object(room: Room, evidence: Evidence) -> Verdict:
    """Put one object under Object Lock, see that it is locked, and leave it (`s3:PutObject`, `s3:HeadObject`).

    Under the role that preserves evidence, as the bucket's policy lets nobody else write there. It is of the day: a
    second time on one day writes nothing. Its lock is a day long.
    """
    s3, at = room.under(FORENSICS_QUEUE, "s3"), room.now()
    name, until = f"{_TRIAL}/{at:%Y-%m-%d}", at + _TRIAL_LOCK
    body = f"preflight {at:%Y-%m-%d}".encode()
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": evidence.kms_key}
    put_once(s3, evidence.bucket, name, body, **lock, **sealed)
    found = head(s3, evidence.bucket, name)
    if found is None:
        return wrong(f"{name} was put and is not there; look at the bucket's policy")
    if "ObjectLockMode" not in found:
        # S3 API HeadObject: the headers are only shown to who may read them
        return unknown(f"{name} shows no lock: its role may not read it, or there is none; look by hand")
    digest = hashlib.sha256(body).hexdigest()[:12]
    return ok(f"{name} ({digest}…) is locked until {stamp_to_second(found['ObjectLockRetainUntilDate'])}")


_EVIDENCE = each(lambda e: {"evidence.bucket": e.evidence})

CHECKS: tuple[Check[Any], ...] = (
    named(
        "ledger table",
        each(lambda e: {"ledger_table": e.ledger_table}),
        table,
        iam("dynamodb:DescribeTable DescribeContinuousBackups"),
    ),
    named(
        "evidence bucket",
        _EVIDENCE,
        evidence_bucket,
        iam("s3:GetBucketObjectLockConfiguration GetBucketVersioning GetBucketPublicAccessBlock"),
    ),
    named("key", each(keys), key, iam("kms:DescribeKey")),
    named("trail", under("trails"), trail, iam("cloudtrail:DescribeTrails GetTrailStatus GetEventSelectors")),
)
WRITES: tuple[Check[Any], ...] = (named("locked object", _EVIDENCE, locked_object, iam("sts:AssumeRole")),)
"""What writes: only with `--write`."""
