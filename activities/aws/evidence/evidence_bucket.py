"""The evidence bucket: what is put there is locked in the same request, under a key that nothing stands at yet."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from activities.action import RuleError
from activities.aws.evidence.s3_content import Content, Piece, Read, room
from activities.aws.shared.error_codes import is_already
from activities.aws.shared.s3_objects import Lock, head, lock_of

_UPLOADS = 4
_EVIDENCE = {"ObjectLockMode": "GOVERNANCE", "ObjectLockLegalHoldStatus": "ON"}
FOR_GOOD = "COMPLIANCE"
_RECORD = {"ObjectLockMode": FOR_GOOD}


@dataclass(frozen=True)
class Stored:
    """An object of the vault. `sha256` is its content's, in hex; S3 took it `at`, by its own clock; both are UTC.

    `locked_until` is None where the lock of one that stood there already is hidden from us.
    """

    key: str
    version: str
    size: int
    sha256: str
    at: datetime
    locked_until: datetime | None


class Vault:
    """Puts objects under Object Lock, encrypted, and never over another. Safe to share between threads.

    Evidence is locked in GOVERNANCE mode until `until`, and under a legal hold that outlasts it; records, such as
    manifests, in COMPLIANCE mode, which nobody can lift. What is put where the same stands already, locked, writes
    nothing. A lifecycle rule of the bucket clears the parts that a killed process left behind.
    """

    def __init__(self, s3: Any, bucket: str, kms_key: str, until: datetime) -> None:
        self._s3 = s3
        self.bucket = bucket
        self._until = until
        self._sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key, "BucketKeyEnabled": True}
        self._room = room()
        self._uploads = ThreadPoolExecutor(_UPLOADS, "upload")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let no further upload begin."""
        self._uploads.shutdown(wait=False, cancel_futures=True)

    def put_evidence(self, key: str, read: Read, size: int, metadata: dict[str, str]) -> Stored:
        """Put evidence at `key` (`s3:PutObject`, `s3:PutObjectRetention`, `s3:PutObjectLegalHold`).

        Its source's own metadata goes along: CloudTrail signs its digests there. Raises `RuleError` when something else
        stands there, or S3 stored something else than was sent.
        """
        content = Content(read, size, self._room)
        answer, found = self._put(key, content, {**_EVIDENCE, "Metadata": metadata})
        if found is not None:
            return self._same(key, found, content)
        at = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return Stored(key, answer["VersionId"], content.size, content.sha256, at, self._until)

    def put_record(self, key: str, read: Read) -> bool:
        """Put a record of any length at `key`, unless one stands there: that stays, and the answer is no.

        Whoever gets no looks at what stands there. Raises `RuleError` when S3 stored something else than was
        sent, and when the one that stands there is not locked as ours are.
        """
        _, found = self._put(key, Content(read, None, self._room), _RECORD)
        if found is not None:
            refuse_unlocked(self._s3, self.bucket, key, found)
        return found is None

    def compare(self, key: str, read: Read, size: int, metadata: dict[str, str]) -> Stored | None:
        """Give the evidence at `key` when it is what `read` gives; None when nothing stands there.

        Raises `RuleError` when something else does.
        """
        if (found := head(self._s3, self.bucket, key)) is None:
            return None
        return self._same(key, found, Content(read, size, self._room).read_all())

    def _put(self, key: str, content: Content, lock: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Put a content, and give the answer; where something stands already, what a look at that gives besides."""
        try:
            return self._written(key, content, lock), None
        except self._s3.exceptions.ClientError as error:
            if not is_already(error) or (found := head(self._s3, self.bucket, key)) is None:
                raise
            return {}, found

    def _written(self, key: str, content: Content, lock: dict[str, Any]) -> dict[str, Any]:
        options = {**lock, "ObjectLockRetainUntilDate": self._until, **self._sealed, "ChecksumAlgorithm": "SHA256"}
        where = {"Bucket": self.bucket, "Key": key}
        first = content.next()
        if first is None:
            raise ValueError("a content is put once")
        if content.whole:
            only = {"Body": first.data, "IfNoneMatch": "*", "ChecksumSHA256": first.checksum}
            try:
                answer = self._s3.put_object(**where, **only, **options)
            finally:
                first.done()
        else:
            answer = self._put_parts(where, first, content, options)
        if answer.get("ChecksumSHA256") != content.checksum:
            raise RuleError(f"S3 did not store in {self.bucket} what was sent to it: the checksum differs")
        return dict(answer)

    def _put_parts(self, where: dict[str, str], first: Piece, content: Content, options: dict[str, Any]) -> Any:
        """Upload in parts, a few at once while the next is read; what fails is given up as a whole."""
        try:
            made = self._s3.create_multipart_upload(**where, **options)
        except BaseException:
            first.done()
            raise
        upload = {**where, "UploadId": made["UploadId"]}
        sent: list[Future[dict[str, Any]]] = []
        piece: Piece | None = first
        try:
            while piece is not None:
                sent.append(self._sent(upload, piece))
                piece = None if _broken(sent) else content.next()
            parts = [part.result() for part in sent]
            return self._s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        except BaseException:
            # what cannot be cleared now is cleared by the bucket's lifecycle rule
            with suppress(self._s3.exceptions.ClientError):
                self._s3.abort_multipart_upload(**upload)
            raise

    def _sent(self, upload: dict[str, str], piece: Piece) -> Future[dict[str, Any]]:
        """Let a part be uploaded; its room is free again when that has ended, in whatever way."""
        try:
            part = self._uploads.submit(self._put_part, upload, piece)
        except BaseException:
            piece.done()
            raise
        part.add_done_callback(lambda _: piece.done())
        return part

    def _put_part(self, upload: dict[str, str], piece: Piece) -> dict[str, Any]:
        answer = self._s3.upload_part(
            **upload,
            PartNumber=piece.number,
            Body=piece.data,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=piece.checksum,
        )
        return {"PartNumber": piece.number, "ETag": answer["ETag"], "ChecksumSHA256": piece.checksum}

    def _same(self, key: str, found: dict[str, Any], content: Content) -> Stored:
        """Make sure that what stands at `key` is the content, locked; say so of a version of it, never of its key."""
        version = found["VersionId"]
        if found.get("ChecksumSHA256") != content.checksum:
            raise RuleError(
                f"something else is in {self.bucket} where evidence belongs (version {version}): "
                "somebody else writes there; find out who before anything is trusted"
            )
        lock = lock_of(self._s3, self.bucket, key, found)
        ours = lock.mode == FOR_GOOD or (lock.mode == "GOVERNANCE" and lock.hold)
        if not ours and not lock.hidden:
            raise RuleError(f"evidence in {self.bucket} is without our lock (version {version})")
        return Stored(key, version, content.size, content.sha256, found["LastModified"], lock.until)


def refuse_unlocked(s3: Any, bucket: str, key: str, answer: dict[str, Any]) -> Lock:
    """Raise `RuleError` for a record that is not locked as ours are; one whose lock is hidden from us may be."""
    lock = lock_of(s3, bucket, key, answer)
    if lock.mode != FOR_GOOD and not lock.hidden:
        raise RuleError(
            f"a record in {bucket} is without our lock (version {answer['VersionId']}): somebody else writes there"
        )
    return lock


def _broken(sent: list[Future[dict[str, Any]]]) -> bool:
    """Tell whether an upload failed lately; earlier ones were looked at when they were lately."""
    return any(part.done() and part.exception() is not None for part in sent[-2 * _UPLOADS :])
