"""The notation of SSH's keys and signatures: lengths, bytes and whole numbers (RFC 4251, section 5)."""


class WireError(ValueError):
    """Bytes that are not in this notation, or that say more than they should."""


class Reader:
    """Reads one value after the other; whoever has read all of them says so by `end`."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> bytes:
        """So many bytes as they stand."""
        if count > len(self._content) - self._at:
            raise WireError("it ends too early")
        taken = self._content[self._at : self._at + count]
        self._at += count
        return taken

    def number(self) -> int:
        """A `uint32`."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """A `string`: bytes behind their length."""
        return self.take(self.number())

    def name(self) -> str:
        """A `string` of US-ASCII."""
        try:
            return self.string().decode("ascii")
        except UnicodeDecodeError:
            raise WireError("a name is not in ASCII") from None

    def whole_number(self) -> int:
        """An `mpint` that is not negative, in the one way in which it may be written."""
        content = self.string()
        if content and content[0] & 0x80:
            raise WireError("a number is negative")
        if content[:1] == b"\0" and (len(content) == 1 or not content[1] & 0x80):
            raise WireError("a number begins with zeros")
        return int.from_bytes(content, "big")

    def end(self) -> None:
        """Raise unless all of it was read."""
        if self._at != len(self._content):
            raise WireError("something stands behind its end")


def string(content: bytes) -> bytes:
    """Bytes as a `string`."""
    return len(content).to_bytes(4, "big") + content
