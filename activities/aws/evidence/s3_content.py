"""What is read from one place and put in another: piece by piece, hashed on the way, in a bounded memory."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from math import ceil
from queue import SimpleQueue

MIB = 2**20
_PIECE_BYTES = 5 * MIB  # the least that S3 takes for a part
_LARGE_BYTES = MIB // 4
_READ_BYTES = MIB // 4
_BUFFERS = 4
_PARTS = 10_000
"""As many parts as S3 takes for one object, so that the pieces of a giant are larger."""

Room = SimpleQueue[BytesIO]
Read = Callable[[int], bytes]
"""Gives as many bytes as asked for, fewer only where it pleases, none at the end."""


def room() -> Room:
    """Memory for large pieces, shared by all that is read at once: four buffers of 5 MiB, used again and again.

    Fresh memory for each piece would stay with the thread that asked for it, and add up.
    """
    free: Room = SimpleQueue()
    for _ in range(_BUFFERS):
        free.put(BytesIO())
    return free


@dataclass(frozen=True)
class Piece:
    """A part of a content. Whoever got it calls `done` once, when it needs the data no more."""

    number: int
    data: bytes | BytesIO
    checksum: str
    done: Callable[[], None]


class Content:
    """Something to be read once, of `size` bytes if that is known. One that fits a single piece is `whole`."""

    def __init__(self, read: Read, size: int | None, room: Room) -> None:
        self._read = read
        self._expected = size
        self._step = max(_PIECE_BYTES, ceil((size or 0) / _PARTS))
        self._room = room
        self._hash = sha256()
        self._parts: list[bytes] = []
        self._last = False
        self.whole = False  # whether the first piece was known to be the last when it was read
        self.size = 0

    def next(self) -> Piece | None:
        """Read the next piece, waiting for room; None after the last. An empty content has one empty piece.

        Raises `ConnectionError` when the content ends before its size, so that half of it never counts as it.
        """
        if self._last:
            return None
        if self._expected is not None and self._expected <= _LARGE_BYTES:
            data = b"".join(self._chunks())
            return Piece(1, data, self._count(data) or "", lambda: None)
        buffer = self._room.get()
        try:
            buffer.seek(0)
            buffer.writelines(self._chunks())
            buffer.truncate()
            buffer.seek(0)
            with buffer.getbuffer() as filled:
                checksum = self._count(filled)
        except BaseException:
            self._room.put(buffer)
            raise
        if checksum is None:
            self._room.put(buffer)
            return None
        return Piece(len(self._parts), buffer, checksum, lambda: self._room.put(buffer))

    def read_all(self) -> "Content":
        """Read what is left, for the hash alone."""
        while (piece := self.next()) is not None:
            piece.done()
        return self

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

    def _count(self, data: bytes | memoryview) -> str | None:
        """Take what was read into account, and give its checksum; None for nothing after the last full piece."""
        self.size += len(data)
        self._last = len(data) < self._step or self.size == self._expected
        if self._last and self._expected not in {None, self.size}:
            raise ConnectionError("the source ended before it was complete")
        if not data and self._parts:
            return None
        self.whole = self._last and not self._parts
        part = sha256(data)
        if self._parts:
            self._hash.update(data)
        else:
            self._hash = part.copy()
        self._parts.append(part.digest())
        return _text(part.digest())

    def _chunks(self) -> Iterator[bytes]:
        """Read a full piece, or the rest, by and by."""
        missing = self._step
        while missing and (chunk := self._read(min(missing, _READ_BYTES))):
            missing -= len(chunk)
            yield chunk


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
