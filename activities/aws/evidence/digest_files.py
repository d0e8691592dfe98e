"""CloudTrail's own proof that its log files are complete and unchanged: signed digests, each of an hour.

After CloudTrail's user guide, "Custom implementations of CloudTrail log file integrity validation": a digest names the
log files of its hour by the SHA-256 of their content, not compressed, and the digest before it; its signature stands in
its object's metadata.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_der_public_key

from activities.aws.evidence.s3_content import MIB, Read
from activities.aws.shared.error_codes import code_of
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window

LOG_FILE = re.compile(r"(?:.*/)?AWSLogs/(?:[^/]+/){1,2}CloudTrail/.+\.json\.gz")
DIGEST_FILE = re.compile(r"(?:.*/)?AWSLogs/(?:[^/]+/){1,2}CloudTrail-Digest/([a-z0-9-]+)/.+\.json\.gz")
_GZIP = zlib.MAX_WBITS | 16
_SHOWN = 50

Keys = Callable[[str], dict[str, bytes]]
"""Gives the public keys of a region, by fingerprint: PKCS #1, DER."""


class DigestFile(NamedTuple):
    """A digest as it was found: its content, still compressed, and its object's metadata."""

    key: str
    content: bytes
    metadata: dict[str, str]


@dataclass
class Verdict:
    """What the digests prove. `unproven` are digests that are not what CloudTrail signed, or not in their chain."""

    digests: int = 0
    logs: int = 0
    unread: int = 0
    missing: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)

    @property
    def troubled(self) -> bool:
        return bool(self.missing or self.altered or self.unproven)

    def __str__(self) -> str:
        trouble = {"missing": self.missing, "ALTERED": self.altered, "digests not proven": self.unproven}
        told = ", ".join(f"{len(found)} {name}" for name, found in trouble.items() if found)
        unread = f", {self.unread} could not be read" if self.unread else ""
        return (
            f"CloudTrail's {self.digests} digests name {self.logs} log files: {told or 'all there, unchanged'}{unread}"
        )

    def facts(self) -> dict[str, Any]:
        """Counts, and the first fifty of each kind by name."""
        kinds = {"missing": self.missing, "altered": self.altered, "unproven": self.unproven}
        counts = {f"{name}_count": len(found) for name, found in kinds.items()}
        shown = {name: sorted(found)[:_SHOWN] for name, found in kinds.items()}
        return {"digests": self.digests, "logs": self.logs, "unread": self.unread, **counts, **shown}


class Inflated:
    """Reads compressed content as it is, and takes the hash of what it unpacks to on the way, in a bounded memory."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._inflater = zlib.decompressobj(_GZIP)
        self._hash = sha256()
        self._broken = False

    def read(self, count: int) -> bytes:
        data = self._read(count)
        try:
            left = b"" if self._broken else data
            while left:
                self._hash.update(self._inflater.decompress(left, MIB))
                left = self._inflater.unconsumed_tail
        except zlib.error:
            self._broken = True
        return data

    @property
    def sha256(self) -> str | None:
        """The hash of what was unpacked, in hex; None for what is not compressed as it should be."""
        return None if self._broken or not self._inflater.eof else self._hash.hexdigest()


def inflated_sha256(read: Read) -> str | None:
    """Read compressed content to its end, for the hash of what it unpacks to."""
    inflated = Inflated(read)
    while inflated.read(MIB):
        pass
    return inflated.sha256


def check(digests: Iterable[DigestFile], bucket: str, keys: Keys, proof: Callable[[str, str], str | None]) -> Verdict:
    """Check digests, oldest first, and by those that hold the log files that they name.

    `proof` is given a log file's key and hash, and tells what is wrong with the file: `missing`, `altered`, `unread`
    for one that cannot be read, or None.
    """
    verdict = Verdict()
    signatures: dict[str, str] = {}
    first_of: set[str] = set()
    for digest in digests:
        verdict.digests += 1
        signatures[digest.key] = digest.metadata.get("signature", "")
        document = _proven(digest, bucket, keys)
        if document is None or not _follows(document, digest.key, signatures, first_of):
            verdict.unproven.append(digest.key)
        for log in (document or {}).get("logFiles") or ():
            verdict.logs += 1
            verdict.named.add(log["s3Object"])
            wrong = proof(log["s3Object"], log["hashValue"])
            if wrong == "unread":
                verdict.unread += 1
            elif wrong is not None:
                (verdict.missing if wrong == "missing" else verdict.altered).append(log["s3Object"])
    return verdict


def public_keys(client_in: Callable[[str], Any], window: Window) -> Keys:
    """The keys that signed within a window, asked once a region (`cloudtrail:ListPublicKeys`)."""
    known: dict[str, dict[str, bytes]] = {}

    def keys(region: str) -> dict[str, bytes]:
        if region not in known:
            pages = Pages(client_in(region).list_public_keys, StartTime=window.start, EndTime=window.end)
            try:
                known[region] = {one["Fingerprint"]: one["Value"] for one in pages.items("PublicKeyList")}
            except Exception as error:
                if code_of(error) is None:
                    raise
                known[region] = {}  # a region that is switched off, or no right to ask: nothing is proven there
        return known[region]

    return keys


def _proven(digest: DigestFile, bucket: str, keys: Keys) -> dict[str, Any] | None:
    """What a digest says, if CloudTrail signed it for the place where it stands."""
    region = DIGEST_FILE.fullmatch(digest.key)
    try:
        text = zlib.decompress(digest.content, _GZIP)
        document: dict[str, Any] = json.loads(text)
        if (document["digestS3Bucket"], document["digestS3Object"]) != (bucket, digest.key) or region is None:
            return None
        previous = document["previousDigestSignature"] or "null"
        said = [document["digestEndTime"], f"{bucket}/{digest.key}", sha256(text).hexdigest(), previous]
        key: Any = load_der_public_key(_pkcs1(keys(region[1])[document["digestPublicKeyFingerprint"]]))
        signature = binascii.unhexlify(digest.metadata["signature"])
        key.verify(signature, "\n".join(said).encode(), PKCS1v15(), hashes.SHA256())
    except (KeyError, TypeError, ValueError, zlib.error, InvalidSignature):
        return None
    return document


def _pkcs1(value: bytes) -> bytes:
    """The key's DER; some clients hand it on in base64 once more."""
    return value if value[:1] == b"\x30" else base64.b64decode(value)


def _follows(document: dict[str, Any], key: str, signatures: dict[str, str], first_of: set[str]) -> bool:
    """Whether the digest before it stands there with the signature that this one names; the first has none to name."""
    folder = key.split("/CloudTrail-Digest/")[1].split("/", maxsplit=1)[0]
    before = document.get("previousDigestS3Object")
    is_first = folder not in first_of
    first_of.add(folder)
    return is_first or (before in signatures and signatures[before] == document["previousDigestSignature"])


def in_order_of_time(keys: Iterable[str]) -> Iterator[str]:
    """Digest files by the time at the end of their names."""
    yield from sorted(keys, key=lambda key: key[-24:])
