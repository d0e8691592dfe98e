"""Looking preserved evidence over: what the manifests list, and whether the store still holds just that."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from activities.action import Clients, evidence_of
from activities.aws.database.rds_snapshots import Snapshots
from activities.aws.shared.error_codes import code_of
from activities.aws.shared.s3_objects import Lock, lock_of
from domain.config.environment import Environment

_MANIFEST = "/manifest.jsonl"
_PIECE_BYTES = 2**20
_LOCKS = {"GOVERNANCE", "COMPLIANCE"}
_GONE = {"NoSuchKey", "NoSuchVersion", "404"}
HIDDEN = "its lock is hidden from these credentials (s3:GetObjectRetention, s3:GetObjectLegalHold)"
"""That says nothing of the lock: S3 leaves its headers out for want of the right to see them."""


class Manifest(NamedTuple):
    """A manifest as it stands in the store; `about` is its first line, `sha256` that of its bytes, in hex."""

    id: str
    arn: str
    key: str
    version: str
    sha256: str
    about: dict[str, Any]


class EvidenceStore:
    """Reads one environment's evidence bucket and changes nothing. Lets botocore's errors through."""

    def __init__(self, clients: Clients, environment: Environment) -> None:
        self.clients = clients
        self._s3 = clients.client("s3")
        self._environment = environment
        self._bucket = evidence_of(environment).bucket

    def manifests(self, incident: str) -> list[Manifest]:
        """Every version of every manifest of an incident, hidden ones too (`s3:ListBucketVersions`)."""
        pages = self._s3.get_paginator("list_object_versions")
        listed = [
            (found["Key"], found["VersionId"])
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"manifests/{incident}/")
            for found in page.get("Versions", [])
            if found["Key"].endswith(_MANIFEST)
        ]
        return [self._manifest(key, version) for key, version in listed]

    def lines(self, manifest: Manifest) -> Iterator[dict[str, Any]]:
        """The manifest's lines about single versions, in order (`s3:GetObjectVersion`)."""
        with TemporaryFile() as file:
            self._fetch(manifest.key, manifest.version, file)
            next(file, None)
            for line in file:
                yield dict(json.loads(line))

    def check(self, line: dict[str, Any]) -> str | None:
        """Read a copy and hash it; tells what is not as the manifest's line says, None when all is.

        `HIDDEN` when all is that can be seen. Of a deletion, of what was gone before it could be copied, and of a gap
        there is no copy.
        """
        if "destination" not in line:
            return None
        try:
            answer = self._s3.get_object(
                Bucket=self._bucket, Key=line["destination"], VersionId=line["destination_version"]
            )
        except Exception as error:
            if code_of(error) not in _GONE:
                raise
            return "it is gone"
        if _hashed(answer) != line["sha256"] or answer["ContentLength"] != line["size"]:
            return "its content is another: its SHA-256 is not that of the manifest"
        return _unlocked(lock_of(self._s3, self._bucket, line["destination"], answer), line.get("locked_until"))

    def snapshot(self, arn: str) -> str | None:
        """Look whether a snapshot is still there (`rds:DescribeDBSnapshots`, or of a cluster
        `rds:DescribeDBClusterSnapshots`); tells what is wrong with it.
        """
        *_, kind, name = arn.split(":")
        found = Snapshots(self.clients, cluster=kind.startswith("cluster")).found(name)
        if found is None:
            return "it is gone"
        return None if found["Status"] == "available" else f"it is {found['Status']}"

    def _manifest(self, key: str, version: str) -> Manifest:
        with TemporaryFile() as file:
            digest = self._fetch(key, version, file)
            try:
                about = dict(json.loads(next(file, b"")))
            except (ValueError, TypeError):
                about = {}  # not one of ours: the record does not name its hash either
        id_ = str(uuid5(NAMESPACE_URL, f"s3://{self._bucket}/{key}"))
        return Manifest(id_, self._environment.arn("s3", f"{self._bucket}/{key}"), key, version, digest, about)

    def _fetch(self, key: str, version: str, file: IO[bytes]) -> str:
        """Fetch a version as a whole, so that no connection waits for what is done with its lines; gives its hash."""
        digest = _hashed(self._s3.get_object(Bucket=self._bucket, Key=key, VersionId=version), file)
        file.seek(0)
        return digest


def _hashed(answer: dict[str, Any], file: IO[bytes] | None = None) -> str:
    """Read the content of an answer, into a file if one is given; its SHA-256, in hex."""
    digest = hashlib.sha256()
    with answer["Body"] as body:
        while read := body.read(_PIECE_BYTES):
            digest.update(read)
            if file is not None:
                file.write(read)
    return digest.hexdigest()


def _unlocked(lock: Lock, promised: str | None) -> str | None:
    """What is wrong with a lock; one that stood there already when it was copied was `promised` for no time."""
    if lock.mode is None and lock.hidden:
        return HIDDEN
    if lock.mode not in _LOCKS or lock.until is None:
        return "it is not locked any more"
    if promised and int(lock.until.timestamp()) < int(datetime.fromisoformat(promised).timestamp()):
        return f"its lock ends early, on {lock.until:%Y-%m-%d}"
    return None
