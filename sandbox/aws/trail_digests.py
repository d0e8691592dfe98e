"""CloudTrail's signed digests, which moto lacks: each names the log files of an hour by their hashes.

Built after CloudTrail's user guide, "CloudTrail digest file structure" and "Custom implementations of CloudTrail log
file integrity validation".
"""

import base64
import gzip
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto.cloudtrail.responses import CloudTrailResponse

from sandbox.aws.moto_patch import patch

_HOUR = timedelta(hours=1)
_PRIVATE: defaultdict[str, RSAPrivateKey] = defaultdict(lambda: generate_private_key(65537, 2048))
"""By region: each digest "is signed with a private key unique to its Region" (CloudTrail ListPublicKeys)."""


class Digest(NamedTuple):
    """A digest as it is delivered: its key in the bucket, its content, and its object's metadata."""

    key: str
    content: bytes
    metadata: dict[str, str]


def install() -> None:
    """Patch moto with these operations."""
    patch(CloudTrailResponse, list_public_keys=list_public_keys)


def list_public_keys(response: CloudTrailResponse) -> str:
    """Give the region's one key, in PKCS #1 and DER, as it was good for ever."""
    der = _public(_PRIVATE[response.region])
    now = datetime.now(UTC).timestamp()
    known = {"ValidityStartTime": now - 10**8, "ValidityEndTime": now + 10**8, "Fingerprint": _fingerprint(der)}
    return json.dumps({"PublicKeyList": [{**known, "Value": base64.b64encode(der).decode()}]})


def digest(
    where: tuple[str, str],
    bucket: str,
    end: datetime,
    logs: Sequence[tuple[str, bytes]],
    before: Digest | None,
    trail: str = "account",
) -> Digest:
    """Make the digest of the hour up to `end`, of log files by key and content as delivered, compressed."""
    account, region = where
    private = _PRIVATE[region]
    name = f"{account}_CloudTrail-Digest_{region}_{trail}_{region}_{end:%Y%m%dT%H%M%SZ}.json.gz"
    key = f"AWSLogs/{account}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}/{name}"
    previous = before.metadata["x-amz-meta-signature"] if before else None
    document: dict[str, Any] = {
        "awsAccountId": account,
        "digestStartTime": f"{end - _HOUR:%Y-%m-%dT%H:%M:%SZ}",
        "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "digestS3Bucket": bucket,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": _fingerprint(_public(private)),
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": bucket if before else None,
        "previousDigestS3Object": before.key if before else None,
        "previousDigestHashValue": sha256(gzip.decompress(before.content)).hexdigest() if before else None,
        "previousDigestHashAlgorithm": "SHA-256",
        "previousDigestSignature": previous,
        "logFiles": [_named(bucket, one, content) for one, content in logs],
    }
    text = json.dumps(document).encode()
    signed = "\n".join(
        [document["digestEndTime"], f"{bucket}/{key}", sha256(text).hexdigest(), previous or "null"],
    )
    signature = private.sign(signed.encode(), PKCS1v15(), hashes.SHA256()).hex()
    metadata = {"x-amz-meta-signature": signature, "x-amz-meta-signature-algorithm": "SHA256withRSA"}
    return Digest(key, gzip.compress(text, mtime=0), metadata)


def _named(bucket: str, key: str, content: bytes) -> dict[str, Any]:
    # the hash is of the log file's content, not compressed
    return {
        "s3Bucket": bucket,
        "s3Object": key,
        "hashValue": sha256(gzip.decompress(content)).hexdigest(),
        "hashAlgorithm": "SHA-256",
    }


def _public(private: RSAPrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def _fingerprint(der: bytes) -> str:
    return sha256(der).hexdigest()[:32]
