"""Tell whether CloudTrail's log files in a bucket are complete and unchanged, by its own signed digests."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import BucketName, Params, ProbeAction, iam
from activities.aws.evidence.digest_files import (
    DIGEST_FILE,
    DIGEST_MAX,
    DigestFile,
    Verdict,
    chain_of,
    check,
    ended,
    inflated_sha256,
    public_keys,
)
from activities.aws.evidence.s3_copying import DENIED, is_unreadable
from activities.aws.evidence.s3_versions import dated_folders, stretches
from activities.aws.shared.error_codes import code_of
from activities.aws.shared.findings import suspect_if, unknown
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken

_MOST = 400
"""How many digests are read: a day of all regions that an account has by itself."""
_GONE = {"NoSuchKey", "404"}
_NEWEST = timedelta(hours=2)
"""Within which a trail that still logs has delivered a digest: one an hour, some time after it."""


class DigestsParams(Params):
    """`bucket` is where a trail delivers to; a digest is delivered each hour."""

    bucket: BucketName
    window: Duration = Field(default=timedelta(hours=6), gt=timedelta(0), le=timedelta(days=7))


class Digests(ProbeAction[DigestsParams]):
    """Reads the digests of a window and the log files that they name, in place, and compares.

    Suspect are log files that are missing or altered, and digests that CloudTrail did not sign or that break their
    chain, one that was removed among them. Unknown is what cannot be read, what is signed by keys that cannot, and what
    a trail did whose digests end more than two hours before: those may have been removed. Only keys and counts leave
    this probe. At most 400 digests are read, the latest.
    """

    name = "cloudtrail.digests"
    permissions = iam("cloudtrail:ListPublicKeys", "kms:Decrypt", "s3:GetObject ListBucket ListBucketVersions")

    def observe(self, scope: Scope, params: DigestsParams, at: datetime) -> Finding:
        s3, bucket = self.clients.client("s3"), scope.environment.buckets[params.bucket]
        window = Window.before(at, params.window)
        keys = [key for key in sorted(_keys(s3, bucket, window), key=ended) if _is_within(key, window)]
        verdict = check(
            _read(s3, bucket, keys[-_MOST:]),
            bucket,
            public_keys(self.clients, window),
            lambda key, told: _proof(s3, bucket, key, told),
            window.start if len(keys) <= _MOST else window.end,  # of the latest ones the first follow others
        )
        newest = {chain_of(key): ended(key) for key in keys}
        silent = sum(end < f"{window.end - _NEWEST:%Y%m%dT%H%M%SZ}" for end in newest.values())
        return _found(params, verdict, silent, truncated=len(keys) > _MOST)


def _found(params: DigestsParams, verdict: Verdict, silent: int, *, truncated: bool) -> Finding:
    facts = {"bucket": params.bucket, **verdict.facts(), "silent": silent, "truncated": truncated}
    summary = f"{params.bucket}, the last {spoken(params.window)}: {verdict}"
    summary += f"; the digests of {silent} chains end early" if silent else ""
    summary += "; there are more digests" if truncated else ""
    if not verdict.digests:
        return unknown(f"{params.bucket}: no digests of the last {spoken(params.window)}, so nothing is proven", facts)
    unsure = truncated or silent or verdict.unread or not verdict.logs
    return suspect_if(verdict.troubled, summary, facts, unsure=unsure)


def _keys(s3: Any, bucket: str, window: Window) -> Iterator[str]:
    """The digests of the window's days (`s3:ListBucket`)."""
    folders = [one for one in dated_folders(s3, bucket) if "/CloudTrail-Digest/" in one]
    for prefix in stretches(folders, window.start, window.end)[:-1]:
        pages = Pages(
            s3.list_objects_v2,
            cursor="NextContinuationToken",
            asked_as="ContinuationToken",
            Bucket=bucket,
            Prefix=prefix,
        )
        yield from (one["Key"] for one in pages.items("Contents") if DIGEST_FILE.fullmatch(one["Key"]))


def _is_within(key: str, window: Window) -> bool:
    return f"{window.start:%Y%m%dT%H%M%SZ}" <= ended(key) <= f"{window.end:%Y%m%dT%H%M%SZ}"


def _read(s3: Any, bucket: str, keys: list[str]) -> Iterator[DigestFile]:
    for key in keys:
        try:
            answer = s3.get_object(Bucket=bucket, Key=key)
        except s3.exceptions.ClientError as error:
            if not _is_unread(error):
                raise
            yield DigestFile(key, None, {})
            continue
        with answer["Body"] as body:
            yield DigestFile(key, body.read(DIGEST_MAX), answer.get("Metadata", {}))


def _proof(s3: Any, bucket: str, key: str, told: str) -> str | None:
    try:
        with s3.get_object(Bucket=bucket, Key=key)["Body"] as body:
            return None if inflated_sha256(body.read) == told else "altered"
    except s3.exceptions.ClientError as error:
        if code_of(error) in _GONE:
            return "missing"
        if _is_unread(error):
            return "unread"
        raise


def _is_unread(error: Any) -> bool:
    return is_unreadable(error) or code_of(error) == DENIED
