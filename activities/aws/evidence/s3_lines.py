"""Lines kept as objects in S3."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from activities.aws.evidence.s3_content import MIB


class Lines:
    """The lines of an object of `size` bytes, read by and by. Once all are read, `sha256` is the object's, in hex."""

    def __init__(self, s3: Any, bucket: str, key: str, size: int) -> None:
        self._s3 = s3
        self._where = {"Bucket": bucket, "Key": key}
        self._size = size
        self._hash = sha256()

    def __iter__(self) -> Iterator[bytes]:
        """Give each line without its end; a MiB a request, so that no connection waits (`s3:GetObject`)."""
        left = b""
        for start in range(0, self._size, MIB):
            asked = f"bytes={start}-{min(start + MIB, self._size) - 1}"
            read = self._s3.get_object(**self._where, Range=asked)["Body"].read()
            self._hash.update(read)
            *whole, left = (left + read).split(b"\n")
            yield from whole
        if left:
            yield left

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()
