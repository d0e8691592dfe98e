"""What is read from one place and put in another: piece by piece, hashed on the way, in a bounded memory."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from queue import SimpleQueue

MIB = 2**20
_PIECE_BYTES = 8 * MIB
_LARGE_BYTES = MIB
_READ_BYTES = MIB // 4
_BUFFERS = 4
_PARTS = 10_000
"""As many parts as S3 takes for one object, so that the pieces of a giant are larger."""

Read = Callable[[int], bytes]
"""Gives as many bytes as asked for, fewer only where it pleases, none at the end."""


class Room:
    """Memory for large pieces, shared by all that is read at once: four buffers of 8 MiB, used again and again.

    Fresh memory for each piece would stay with the thread that asked for it, and add up.
    """

    def __init__(self) -> None:
        self._free: SimpleQueue[bytearray] = SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(bytearray())

    def take(self) -> bytearray:
        """Give a buffer, once one is free."""
        return self._free.get()

    def give_back(self, buffer: bytearray) -> None:
        self._free.put(buffer)


@dataclass(frozen=True)
class Piece:
    """A part of a content. Whoever got it calls `done` once, when it needs the data no more."""

    number: int
    data: bytes | bytearray
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
        self._whole = False
        self.size = 0

    def next(self) -> Piece | None:
        """Read the next piece, waiting for room; None after the last. An empty content has one empty piece.

        Raises `ConnectionError` when the content ends before its size, so that half of it never counts as it.
        """
        if self._last:
            return None
        if self._expected is not None and self._expected <= _LARGE_BYTES:
            return self._piece(b"".join(self._chunks()), lambda: None)
        buffer = self._room.take()
        try:
            self._fill(buffer)
            piece = self._piece(buffer, lambda: self._room.give_back(buffer))
        except BaseException:
            self._room.give_back(buffer)
            raise
        if piece is None:
            self._room.give_back(buffer)
        return piece

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

    def _piece(self, data: bytes | bytearray, done: Callable[[], None]) -> Piece | None:
        """Count and hash what was read; None for nothing after the last full piece."""
        self.size += len(data)
        self._last = len(data) < self._step or self.size == self._expected
        if self._last and self._expected not in {None, self.size}:
            raise ConnectionError("the source broke off before its end")
        if not data and self._parts:
            return None
        self._whole = self._last and not self._parts
        digest = sha256(data)
        self._parts.append(digest.digest())
        if len(self._parts) == 1:
            self._hash = digest
        else:
            self._hash.update(data)
        return Piece(len(self._parts), data, _text(self._parts[-1]), done)

    def _chunks(self) -> Iterator[bytes]:
        """Read a full piece, or the rest, by and by."""
        missing = self._step
        while missing and (chunk := self._read(min(missing, _READ_BYTES))):
            missing -= len(chunk)
            yield chunk

    def _fill(self, buffer: bytearray) -> None:
        """Read into a buffer, which is as long as what was read afterwards."""
        buffer.extend(bytes(max(0, self._step - len(buffer))))
        filled = 0
        for chunk in self._chunks():
            buffer[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
        del buffer[filled:]


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
