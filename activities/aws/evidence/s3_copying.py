"""The copying of single versions, several at once, with results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from hashlib import sha256
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from activities.aws.evidence.digest_files import LOG_FILE, Inflated
from activities.aws.evidence.evidence_bucket import Stored, Vault
from activities.aws.evidence.s3_versions import Version
from activities.aws.shared.error_codes import code_of, kind_of_answer
from domain.values.errors import ErrorKind
from domain.values.timestamps import stamp_to_second

_AT_ONCE = 16
_AHEAD = 4 * _AT_ONCE
_GONE = frozenset({"NoSuchKey", "NoSuchVersion"})
DENIED = "AccessDenied"
_UNREADABLE = frozenset({"InvalidObjectState", "InvalidRequest"})
"""Archived, or encrypted with a key that the customer keeps (S3 GetObject)."""
_KEY_BYTES = 1024  # the longest key that S3 takes
_WAIT_SECONDS = 0.5

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound=Stored | None)


class Copier:
    """Brings versions of `bucket` into the vault, under `copies`. Safe to share between threads."""

    def __init__(self, s3: Any, vault: Vault, bucket: str, copies: str) -> None:
        self._s3 = s3
        self._vault = vault
        self._bucket = bucket
        self._copies = copies

    def copy(self, version: Version, *, look: bool) -> dict[str, Any]:
        """Copy a version and give the manifest's line about it; what stands there already is compared instead.

        `look` expects it there and sends nothing if so. A deletion has nothing to copy, and what is gone from the
        source, or cannot be read there, cannot be: the line says so. Raises `RuleError` like the vault, and botocore's
        errors (`s3:GetObjectVersion`, and `kms:Decrypt` with the source's own key).
        """
        line = self._line(version)
        if version.deleted:
            return {**line, "deleted": True}
        try:
            stands, inflated = self._stored(version, self._vault.compare) if look else (None, None)
            if stands is None:
                stored, inflated = self._stored(version, self._vault.put_evidence)
            else:
                stored = stands
        except self._s3.exceptions.ClientError as error:
            code = str(code_of(error))
            if error.operation_name != "GetObject" or not (code in _GONE or self._is_gap(version, error)):
                raise
            return {**line, "gone" if code in _GONE else "gap": code}
        locked = {"locked_until": stamp_to_second(stored.locked_until)} if stored.locked_until else {"lock": "hidden"}
        return {
            **line,
            **locked,
            **({} if inflated is None else {"inflated_sha256": inflated}),
            "size": stored.size,
            "sha256": stored.sha256,
            "destination": stored.key,
            "destination_version": stored.version,
            "acquired_at": stamp_to_second(stored.at),
        }

    def may_read(self, version: Version) -> bool:
        """Whether this role may read a version, none of which is read; raises what passes (`s3:GetObjectVersion`)."""
        if version.deleted:
            return False
        try:
            self._s3.get_object(Bucket=self._bucket, Key=version.key, VersionId=version.version)["Body"].close()
        except self._s3.exceptions.ClientError as error:
            if kind_of_answer(error.response, error.operation_name) is ErrorKind.TRANSIENT:
                raise
            return code_of(error) != DENIED
        return True

    def _is_gap(self, version: Version, error: Any) -> bool:
        """Whether it is for this one version's sake that it cannot be read. A denial is, where its key is what denies.

        HEAD shows how a version is encrypted without decrypting it (`s3:GetObjectVersion`).
        """
        if code_of(error) != DENIED:
            return is_unreadable(error)
        seen = self._s3.head_object(Bucket=self._bucket, Key=version.key, VersionId=version.version)
        return str(seen.get("ServerSideEncryption", "")).startswith("aws:kms")

    def _stored(self, version: Version, how: Callable[..., S]) -> tuple[S, str | None]:
        """Read a version for the vault; of a log file of CloudTrail's tells the hash by which its digests name it."""
        answer = self._s3.get_object(Bucket=self._bucket, Key=version.key, VersionId=version.version)
        with answer["Body"] as body:
            size, metadata = int(answer["ContentLength"]), answer.get("Metadata", {})
            inflated = Inflated(body.read) if LOG_FILE.fullmatch(version.key) else None
            read = body.read if inflated is None else inflated.read
            stored = how(self._destination(version), read, size, metadata)
        return stored, inflated.sha256 if inflated else None

    def _line(self, version: Version) -> dict[str, Any]:
        place = f"s3://{self._vault.bucket}/{self._destination(version)}"
        return {
            "evidence_id": str(uuid5(NAMESPACE_URL, place)),
            "source": f"arn:{self._s3.meta.partition}:s3:::{self._bucket}/{version.key}",
            "source_version": version.version,
            "modified": version.modified,
        }

    def _destination(self, version: Version) -> str:
        """Where a version's copy stands; a key too long to stand there stands by its hash."""
        key = f"{self._copies}{version.key}/{version.version}"
        if len(key.encode()) <= _KEY_BYTES:
            return key
        return f"{self._copies}sha256-{sha256(version.key.encode()).hexdigest()}/{version.version}"


def is_unreadable(error: Any) -> bool:
    """Whether S3 does not give an object for its own sake; what KMS refuses is passed on under KMS's name."""
    code = str(code_of(error))
    passes = kind_of_answer(error.response, error.operation_name) is ErrorKind.TRANSIENT
    return code in _UNREADABLE or (code.startswith("KMS.") and not passes)


def in_order(work: Callable[[T], R], items: Iterable[T], most_failures: int = 1) -> Iterator[R]:
    """Do the work on sixteen items at once, and give what came of each, in the order of the items.

    Nothing is given past a failure, but the others are tried, until `most_failures` have failed; the first failure is
    raised then. Items are taken as they are needed. Left early, it begins nothing more and does not wait for what is
    under way.
    """
    pool = ThreadPoolExecutor(_AT_ONCE, "copy")
    waiting: deque[Future[R]] = deque()
    failures: list[Exception] = []
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) == _AHEAD:
                yield from _came_of(waiting.popleft(), failures, most_failures)
        while waiting:
            yield from _came_of(waiting.popleft(), failures, most_failures)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if failures:
        raise failures[0]


def _came_of(future: Future[R], failures: list[Exception], most_failures: int) -> Iterator[R]:
    # an activity that is cut learns of it between two waits
    while not future.done():
        wait([future], _WAIT_SECONDS)
    try:
        came = future.result()
    except Exception as error:  # noqa: BLE001 - the first is raised, here or once the others were tried
        failures.append(error)
        if len(failures) == most_failures:
            raise failures[0] from None
    else:
        if not failures:
            yield came
