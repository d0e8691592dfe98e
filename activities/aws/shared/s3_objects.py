"""Single objects in S3: put once and never over another, looked up, read whole."""

from typing import Any

from activities.aws.shared.error_codes import code_of


def put_once(s3: Any, bucket: str, key: str, body: bytes, **options: Any) -> bool:
    """Put an object with its SHA-256 (`s3:PutObject`), unless one stands at its key: that stays, the answer is no."""
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256", IfNoneMatch="*", **options)
    except s3.exceptions.ClientError as error:
        if code_of(error) != "PreconditionFailed" or head(s3, bucket, key) is None:
            raise  # where nothing stands in fact, the next attempt puts it
        return False
    return True


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
