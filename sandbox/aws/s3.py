"""Amazon S3, where moto differs from AWS: checksums are verified, and Object Lock holds however an object is written.

A multipart upload keeps its lock and returns its checksum; a lock in COMPLIANCE mode is never shortened.
"""

from base64 import b64encode
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import AccessDeniedByLock, InvalidBucketState, LockNotEnabled, S3ClientError
from moto.s3.models import FakeKey, S3Backend
from moto.s3.responses import S3Response

from sandbox.aws import s3_reads
from sandbox.aws.moto_patch import patch

_put_object = S3Response.put_object
_upload_part = S3Response.upload_part
_key_response_post = S3Response._key_response_post
_create_multipart_upload = S3Backend.create_multipart_upload
_complete_multipart_upload = S3Backend.complete_multipart_upload
_put_object_retention = S3Backend.put_object_retention
_put_bucket_versioning = S3Backend.put_bucket_versioning

_LOCK = "x-amz-object-lock-"
# moto drops the lock headers before its backend creates the upload, so they travel around it
_lock: ContextVar[dict[str, str]] = ContextVar("lock of the upload being created")


class BadDigest(S3ClientError):  # noqa: N818 - named as AWS names it
    def __init__(self) -> None:
        super().__init__("BadDigest", "The SHA256 you specified did not match the calculated checksum.")


def install() -> None:
    """Patch moto with these operations."""
    s3_reads.install()
    patch(S3Response, put_object=put_object, upload_part=upload_part, _key_response_post=_post)
    patch(
        S3Backend,
        create_multipart_upload=create_multipart_upload,
        complete_multipart_upload=complete_multipart_upload,
        put_object_retention=put_object_retention,
        put_bucket_versioning=put_bucket_versioning,
    )


def put_object(response: S3Response) -> Any:
    """Put an object; one that does not match its SHA-256 is refused, and a customer's own key is remembered of it."""
    _check(response)
    status, headers, body = _put_object(response)
    if response.headers.get(s3_reads.CUSTOMER):
        made = response.backend.get_object(response.bucket_name, response.parse_key_name())
        vars(made)["customer_key"] = True
    # AWS always sends it; evidence is dated by it
    headers.setdefault("date", format_datetime(datetime.now(UTC), usegmt=True))
    return status, headers, body


def upload_part(response: S3Response) -> Any:
    """Upload a part; one that does not match its SHA-256 is refused."""
    _check(response)
    return _upload_part(response)


def create_multipart_upload(backend: S3Backend, bucket_name: str, *args: Any, **kwargs: Any) -> Any:
    """Begin a multipart upload; its lock is kept for its completion."""
    lock = _lock.get({})
    if lock and not backend.get_bucket(bucket_name).object_lock_enabled:
        raise LockNotEnabled
    made: Any = _create_multipart_upload(backend, bucket_name, *args, **kwargs)
    made.lock = lock
    return made


def complete_multipart_upload(
    backend: S3Backend, bucket_name: str, multipart_id: str, body: Iterator[tuple[int, str]]
) -> FakeKey | None:
    """Complete the object with the lock given at the start, its checksum composed of its parts' checksums."""
    upload: Any = backend.get_bucket(bucket_name).multiparts[multipart_id]
    key: FakeKey | None = _complete_multipart_upload(backend, bucket_name, multipart_id, body)
    if key is not None:
        key.lock_mode = upload.lock.get("mode")
        key.lock_until = upload.lock.get("retain-until-date")
        key.lock_legal_status = upload.lock.get("legal-hold")
        if key.checksum_type == "COMPOSITE":
            key.checksum_value, key.checksum_type = f"{key.checksum_value}-{key.checksum_parts}", None
    return key


def put_object_retention(
    backend: S3Backend, bucket_name: str, key_name: str, version_id: str | None, retention: tuple[str, str]
) -> None:
    """Set a lock; one in COMPLIANCE mode can only be extended."""
    key = backend.get_object(bucket_name, key_name, version_id=version_id)
    mode, until = retention
    if key is not None and key.lock_mode == "COMPLIANCE" and key.is_locked(governance_bypass=True):
        shorter = not until or datetime.fromisoformat(until) < datetime.fromisoformat(str(key.lock_until))
        if mode != "COMPLIANCE" or shorter:
            raise AccessDeniedByLock
    _put_object_retention(backend, bucket_name, key_name, version_id, retention)


def put_bucket_versioning(backend: S3Backend, bucket_name: str, status: str) -> None:
    """Turn versioning on or off; with Object Lock it stays on."""
    if status != "Enabled" and backend.get_bucket(bucket_name).object_lock_enabled:
        raise InvalidBucketState(
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        )
    _put_bucket_versioning(backend, bucket_name, status)


def _post(
    response: S3Response, request: Any, body: bytes, bucket_name: str, query: dict[str, Any], key_name: str
) -> Any:
    lock = {
        name.lower().removeprefix(_LOCK): value
        for name, value in request.headers.items()
        if name.lower().startswith(_LOCK)
    }
    token = _lock.set(lock)
    try:
        status, headers, answer = _key_response_post(response, request, body, bucket_name, query, key_name)
    finally:
        _lock.reset(token)
    key = response.backend.get_object(bucket_name, key_name) if query.get("uploadId") else None
    if key is None or key.checksum_algorithm != "SHA256" or status != 200:
        return status, headers, answer
    completed = {
        "Location": f"http://{bucket_name}.s3.amazonaws.com/{key.name}",
        "Bucket": bucket_name,
        "Key": key.name,
        "ETag": key.etag,
        "ChecksumSHA256": key.checksum_value,
        "ChecksumType": "COMPOSITE",
    }
    _, _, serialised = response.serialized(ActionResult(completed))
    return status, headers, serialised


def _check(response: S3Response) -> None:
    claimed = response.headers.get("x-amz-checksum-sha256")
    if claimed and claimed != b64encode(sha256(response.body or b"").digest()).decode():
        raise BadDigest
