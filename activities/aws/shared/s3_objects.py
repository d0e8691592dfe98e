"""Single objects in S3: put once and never over another, looked up, read whole."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from activities.aws.shared.error_codes import code_of

_NO_LOCK = {"NoSuchObjectLockConfiguration", "InvalidRequest"}
"""The second of a bucket that has no Object Lock at all."""


def put_once(s3: Any, bucket: str, key: str, body: bytes, **options: Any) -> bool:
    """Put an object with its SHA-256 (`s3:PutObject`), unless one stands at its key: that stays, the answer is no."""
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256", IfNoneMatch="*", **options)
    except s3.exceptions.ClientError as error:
        if code_of(error) != "PreconditionFailed" or head(s3, bucket, key) is None:
            raise  # where nothing stands in fact, the next attempt puts it
        return False
    return True


class Lock(NamedTuple):
    """An object's lock, as far as one may see it: `mode` and `until` are None where it has none, or nobody told us.

    `hidden` says that nobody told us: S3 shows a lock to those alone who may read it.
    """

    mode: str | None
    until: datetime | None
    hold: bool
    hidden: bool


def lock_of(s3: Any, bucket: str, key: str, answer: dict[str, Any]) -> Lock:
    """Tell the lock of an object from an answer that GET or HEAD gave of it.

    Its headers are left out for want of `s3:GetObjectRetention` and `s3:GetObjectLegalHold`, and just so where there
    is no lock. What is left out is asked for by itself, which tells the two apart (`GetObjectRetention`,
    `GetObjectLegalHold`).
    """
    version = {"VersionId": answer["VersionId"]} if "VersionId" in answer else {}
    mode, until, hold = (answer.get(f"ObjectLock{name}") for name in ("Mode", "RetainUntilDate", "LegalHoldStatus"))
    hidden = mode is None and _is_hidden(s3.get_object_retention, Bucket=bucket, Key=key, **version)
    if not hidden and mode == "GOVERNANCE" and hold is None:
        hidden = _is_hidden(s3.get_object_legal_hold, Bucket=bucket, Key=key, **version)
    return Lock(mode, until, hold == "ON", hidden)


def _is_hidden(ask: Callable[..., Any], **of: str) -> bool:
    try:
        ask(**of)
    except Exception as error:
        if code_of(error) not in {"AccessDenied", *_NO_LOCK}:
            raise
        return code_of(error) == "AccessDenied"
    return False


def head(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """Look an object up, without its content; None when there is none (`s3:GetObject`, `s3:ListBucket`)."""
    try:
        return dict(s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED"))
    except s3.exceptions.ClientError as error:
        if code_of(error) != "404":  # answers to HEAD have no body: the code is the status
            raise
        return None


def small(s3: Any, bucket: str, key: str) -> bytes | None:
    """Read an object that is small as a whole; None when there is none (`s3:GetObject`, `s3:ListBucket`)."""
    try:
        return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return None
