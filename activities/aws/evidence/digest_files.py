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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_der_public_key

from activities.action import Clients
from activities.aws.evidence.s3_content import MIB, Read
from activities.aws.shared.error_codes import code_of, kind_of_answer
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from domain.values.errors import ErrorKind

LOG_FILE = re.compile(r"(?:.*/)?AWSLogs/(?:[^/]+/){1,2}CloudTrail/.+\.json\.gz")
DIGEST_FILE = re.compile(r"(?:.*/)?AWSLogs/(?:[^/]+/){1,2}CloudTrail-Digest/([a-z0-9-]+)/.+\.json\.gz")
_GZIP = zlib.MAX_WBITS | 16
_WHEN = re.compile(r"/\d{4}/\d\d/\d\d(?=/[^/]+$)|\d{8}T\d{6}Z\.json\.gz$")
_STAMP = "%Y%m%dT%H%M%SZ"
_SHOWN = 50
_PASSES = {ErrorKind.TRANSIENT, ErrorKind.WRONG_STATE, ErrorKind.CONFLICT, ErrorKind.EXPIRED_CREDENTIALS}

Keys = Callable[[str], dict[str, bytes] | None]
"""Gives the public keys of a region, by fingerprint: PKCS #1, DER. None where they may not be read."""


DIGEST_MAX = 64 * MIB
"""More than a digest has, packed or unpacked: it names the log files of an hour, in some 500 bytes each."""


class DigestFile(NamedTuple):
    """A digest as it was found: its content, still compressed, None if it cannot be read, and its object's metadata."""

    key: str
    content: bytes | None
    metadata: dict[str, str]


@dataclass
class Verdict:
    """What the digests prove. `unproven` are digests that are not what CloudTrail signed, or not in their chain.

    `unread` counts log files that could not be read, and digests that could not, or for whose keys it was so.
    """

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
        well = "nothing amiss in what was read" if self.unread else "all there, unchanged"
        return f"CloudTrail's {self.digests} digests name {self.logs} log files: {told or well}{unread}"

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


def check(
    digests: Iterable[DigestFile],
    bucket: str,
    keys: Keys,
    proof: Callable[[str, str], str | None],
    since: datetime,
) -> Verdict:
    """Check digests, oldest first, and by those that hold the log files that they name.

    Those of hours that ended after `since` are all there to be found: the first that is follows none of them.
    `proof` is given a log file's key and hash, and tells what is wrong with the file: `missing`, `altered`, `unread`
    for one that cannot be read, or None.
    """
    verdict = Verdict()
    chains = _Chains(f"{since:{_STAMP}}")
    for digest in digests:
        verdict.digests += 1
        chains.add(digest)
        found = DIGEST_FILE.fullmatch(digest.key)
        public = keys(found[1]) if found else {}
        if digest.content is None or public is None:
            verdict.unread += 1
            continue
        document = _proven(digest.key, digest.content, digest.metadata, bucket, public)
        if document is None or not chains.link(digest.key, document):
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


def public_keys(clients: Clients, window: Window) -> Keys:
    """The keys that signed within a window, asked once a region (`cloudtrail:ListPublicKeys`).

    None where a region is switched off, or there is no right to ask; raises what passes.
    """
    known: dict[str, dict[str, bytes] | None] = {}

    def keys(region: str) -> dict[str, bytes] | None:
        if region not in known:
            cloudtrail = clients.client(f"cloudtrail@{region}")
            pages = Pages(cloudtrail.list_public_keys, StartTime=window.start, EndTime=window.end)
            try:
                known[region] = {one["Fingerprint"]: one["Value"] for one in pages.items("PublicKeyList")}
            except Exception as error:
                answer: dict[str, Any] = getattr(error, "response", {})
                if code_of(error) is None or kind_of_answer(answer, "ListPublicKeys") in _PASSES:
                    raise
                known[region] = None
        return known[region]

    return keys


def _proven(
    key: str, content: bytes, metadata: dict[str, str], bucket: str, public: dict[str, bytes]
) -> dict[str, Any] | None:
    """What a digest says, if CloudTrail signed it for the place where it stands."""
    try:
        inflater = zlib.decompressobj(_GZIP)
        text = inflater.decompress(content, DIGEST_MAX)
        if not inflater.eof:
            return None
        document: dict[str, Any] = json.loads(text)
        if (document["digestS3Bucket"], document["digestS3Object"]) != (bucket, key):
            return None
        previous = document["previousDigestSignature"] or "null"
        said = [document["digestEndTime"], f"{bucket}/{key}", sha256(text).hexdigest(), previous]
        signer: Any = load_der_public_key(_pkcs1(public[document["digestPublicKeyFingerprint"]]))
        signature = binascii.unhexlify(metadata["signature"])
        signer.verify(signature, "\n".join(said).encode(), PKCS1v15(), hashes.SHA256())
    except (KeyError, TypeError, ValueError, RecursionError, zlib.error, InvalidSignature):
        return None
    return document


def _pkcs1(value: bytes) -> bytes:
    """The key's DER; some clients hand it on in base64 once more."""
    return value if value[:1] == b"\x30" else base64.b64decode(value)


class _Chains:
    """The digests so far. Each trail of each account and region has a chain of its own: names that differ in time."""

    def __init__(self, since: str) -> None:
        self._since = since
        self._signatures: dict[str, str | None] = {}
        self._firsts: dict[str, str] = {}

    def add(self, digest: DigestFile) -> None:
        self._firsts.setdefault(chain_of(digest.key), digest.key)
        self._signatures[digest.key] = None if digest.content is None else digest.metadata.get("signature", "")

    def link(self, key: str, document: dict[str, Any]) -> bool:
        """Whether the digest that this one names stands there with the signature that it names, if that was read.

        The first of a chain may name one that is older than those that are looked for, or none.
        """
        before, known = document.get("previousDigestS3Object"), self._signatures
        if self._firsts[chain_of(key)] == key:
            return before is None or ended(before) < self._since
        return before in known and known[before] in {None, document["previousDigestSignature"]}


def chain_of(key: str) -> str:
    """What the digests of one trail, account and region have in common."""
    return _WHEN.sub("", key)


def ended(key: str) -> str:
    """When the hour of a digest ended, as it stands in its name: UTC, in the order of time."""
    return key[-24:-8]
