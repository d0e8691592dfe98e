"""S3 in the sandbox keeps what AWS keeps of evidence: checksums, and locks that hold."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.runtime.aws_world import World

UNTIL = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
PART = 5 * 2**20


@pytest.fixture
def s3(world: World) -> Any:
    return world.client("s3")


@pytest.fixture
def vault(world: World) -> str:
    assert world.environment.evidence
    return world.environment.evidence.bucket


def checksum(content: bytes) -> str:
    return b64encode(sha256(content).digest()).decode()


def upload(s3: Any, bucket: str, contents: list[bytes]) -> dict[str, Any]:
    begun = {"Bucket": bucket, "Key": "k"}
    lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": UNTIL, "ObjectLockLegalHoldStatus": "ON"}
    upload_id = s3.create_multipart_upload(**begun, ChecksumAlgorithm="SHA256", **lock)["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ChecksumSHA256": checksum(content),
            "ETag": s3.upload_part(
                **begun, UploadId=upload_id, PartNumber=number, Body=content, ChecksumSHA256=checksum(content)
            )["ETag"],
        }
        for number, content in enumerate(contents, start=1)
    ]
    made: dict[str, Any] = s3.complete_multipart_upload(
        **begun, UploadId=upload_id, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
    )
    return made


def test_a_wrong_checksum_is_refused(s3: Any, vault: str) -> None:
    """An object that does not match its SHA-256 is not stored."""
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket=vault, Key="k", Body=b"one", ChecksumSHA256=checksum(b"two"))
    assert s3.list_object_versions(Bucket=vault, Prefix="k").get("Versions", []) == []


def test_parts_keep_the_lock_and_the_checksum(s3: Any, vault: str) -> None:
    """A multipart object has the lock its upload was started with; its checksum is composed of its parts' checksums."""
    contents = [b"a" * PART, b"b"]
    made = upload(s3, vault, contents)
    expected = f"{checksum(b''.join(sha256(content).digest() for content in contents))}-2"
    assert made["ChecksumSHA256"] == expected
    found = s3.head_object(Bucket=vault, Key="k", ChecksumMode="ENABLED")
    assert found["ChecksumSHA256"] == expected
    assert s3.get_object(Bucket=vault, Key="k", ChecksumMode="ENABLED")["ChecksumSHA256"] == expected
    assert (found["ObjectLockMode"], found["ObjectLockLegalHoldStatus"]) == ("COMPLIANCE", "ON")
    assert found["ObjectLockRetainUntilDate"] == UNTIL
    with pytest.raises(ClientError, match="PreconditionFailed"):
        upload(s3, vault, [b"c"])


def test_a_lock_for_good_is_only_prolonged(s3: Any, vault: str) -> None:
    """A lock in COMPLIANCE mode cannot be shortened or weakened by anybody, but it can be extended."""
    made = upload(s3, vault, [b"c"])
    where = {"Bucket": vault, "Key": "k", "VersionId": made["VersionId"]}
    s3.put_object_legal_hold(**where, LegalHold={"Status": "OFF"})
    for mode, until in (("COMPLIANCE", UNTIL - timedelta(days=1)), ("GOVERNANCE", UNTIL + timedelta(days=1))):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object_retention(**where, Retention={"Mode": mode, "RetainUntilDate": until})
    s3.put_object_retention(**where, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": UNTIL + timedelta(days=1)})
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(**where, BypassGovernanceRetention=True)


def test_a_vault_keeps_its_versions(s3: Any, vault: str) -> None:
    """With Object Lock, versioning cannot be suspended; without it, a lock is refused."""
    with pytest.raises(ClientError, match="InvalidBucketState"):
        s3.put_bucket_versioning(Bucket=vault, VersioningConfiguration={"Status": "Suspended"})
    s3.create_bucket(Bucket="plain", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    with pytest.raises(ClientError, match="InvalidRequest"):
        upload(s3, "plain", [b"c"])


def test_audit_logs_have_a_past(world: World, s3: Any) -> None:
    """There is a week of CloudTrail files, one every half hour, and the portal's files with older versions."""
    bucket = world.environment.buckets["audit-logs"]
    now = datetime.now(UTC)
    found = [
        version
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        for version in page["Versions"]
    ]
    trail = [version for version in found if version["Key"].startswith("AWSLogs/") and "Digest" not in version["Key"]]
    day = [version for version in trail if version["LastModified"] > now - timedelta(days=1)]
    assert 46 <= len(day) <= 50
    assert len({version["LastModified"].date() for version in trail}) >= 7
    assert all(f"{version['LastModified']:%Y/%m/%d}" in version["Key"] for version in trail)
    assert max(version["LastModified"] for version in found) <= now
    portal = [version["Key"] for version in found if version["Key"].startswith("portal/")]
    assert len(portal) > len(set(portal))
