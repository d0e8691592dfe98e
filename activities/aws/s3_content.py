"""What is read from one place and put in another: piece by piece, hashed on the way, few large pieces at once."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from threading import BoundedSemaphore, Semaphore

MIB = 2**20
_PIECE_BYTES = 8 * MIB
_LARGE_BYTES = MIB
_PARTS = 10_000
"""As many parts as S3 takes for one object, so that the pieces of a giant are larger."""

Read = Callable[[int], bytes]
"""Gives as many bytes as asked for, fewer only where it pleases, none at the end."""


class Room:
    """Memory for large pieces, shared by all that is read at once: four of 8 MiB. Small ones need none."""

    def __init__(self) -> None:
        self._large = BoundedSemaphore(4)

    def for_size(self, size: int | None) -> Semaphore:
        """The semaphore to hold for each piece of something of `size` bytes; None is an unknown size."""
        return self._large if size is None or size > _LARGE_BYTES else Semaphore()


@dataclass(frozen=True)
class Piece:
    """A part of a content. Whoever got it calls `done` once, when it needs the bytes no more."""

    number: int
    data: bytes
    checksum: str
    done: Callable[[], None]


class Content:
    """Something to be read once, of `size` bytes if that is known. One that fits a single piece is `whole`."""

    def __init__(self, read: Read, size: int | None, room: Room) -> None:
        self._read = read
        self._expected = size
        self._step = max(_PIECE_BYTES, ceil((size or 0) / _PARTS))
        self._room = room.for_size(size)
        self._hash = sha256()
        self._parts: list[bytes] = []
        self._last = False
        self._whole = False
        self.size = 0

    def next(self) -> Piece | None:
        """Read the next piece, waiting for room; None after the last. An empty content has one empty piece.

        Raises `ConnectionError` when the content ends before its size, so that half of it never counts as it.
        """
        if self._last:
            return None
        self._room.acquire()
        try:
            data = self._filled()
            self._last = len(data) < self._step or self.size + len(data) == self._expected
            self._refuse_half(len(data))
        except BaseException:
            self._room.release()
            raise
        if not data and self._parts:
            self._room.release()
            return None
        self._whole = self._last and not self._parts
        digest = sha256(data).digest()
        self._hash.update(data)
        self._parts.append(digest)
        self.size += len(data)
        return Piece(len(self._parts), data, _text(digest), self._room.release)

    def read_all(self) -> "Content":
        """Read what is left, for the hash alone."""
        while (piece := self.next()) is not None:
            piece.done()
        return self

    @property
    def whole(self) -> bool:
        """Whether the first piece was known to be the last when it was read."""
        return self._whole

    @property
    def sha256(self) -> str:
        """The hash of all that was read, in hex."""
        return self._hash.hexdigest()

    @property
    def checksum(self) -> str:
        """What S3 calls the SHA-256 checksum: of a content in parts that is the hash of the parts' hashes."""
        if self.whole:
            return _text(self._hash.digest())
        return f"{_text(sha256(b''.join(self._parts)).digest())}-{len(self._parts)}"

    def _refuse_half(self, read: int) -> None:
        if self._last and self._expected not in {None, self.size + read}:
            raise ConnectionError("the source broke off before its end")

    def _filled(self) -> bytes:
        """Read a full piece, or the rest."""
        data = self._read(self._step)
        if not data or len(data) == self._step:
            return data
        read = [data]
        missing = self._step - len(data)
        while missing and (more := self._read(missing)):
            read.append(more)
            missing -= len(more)
        return b"".join(read) if len(read) > 1 else data


def of_lines(lines: Iterator[bytes]) -> Read:
    """Make lines readable as one content, without ever holding all of them."""
    left = b""

    def read(count: int) -> bytes:
        nonlocal left
        taken, length = [left], len(left)
        while length < count and (line := next(lines, None)) is not None:
            taken.append(line)
            length += len(line)
        joined = b"".join(taken)
        left = joined[count:]
        return joined[:count]

    return read


def _text(digest: bytes) -> str:
    return b64encode(digest).decode()
