"""Unpacking a zip file that a stranger may have made: what it comes to is bounded, and counted as it comes out."""

import zlib
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import click

from starters.errors import RefusedError

_FILE_MAX = 64 * 1024 * 1024
_UNPACKED_MAX = 128 * 1024 * 1024
_FILES_MAX = 50_000
_LINES_MAX = 200_000
_LINE_MAX = 1024 * 1024
"""More than an entry can have: DynamoDB takes 400 KB in one item."""

_CHUNK = 64 * 1024
_BEGINS = b"PK"
_LISTED = b"PK\x01\x02"
"""Begins what a zip file's directory says of a file."""


class _TooBigError(Exception):
    """The text says of what there is too much."""


def unpacked(file: Path) -> dict[str, bytes]:
    """The files of a zip file by name, each name once; nothing is written anywhere.

    Raises `UsageError` for what is no zip file, `RefusedError` for one that is damaged, or bigger than any of ours:
    itself or unpacked, by the number of its files or lines, or by one line.
    """
    with file.open("rb") as stream:
        content = stream.read(_FILE_MAX + 1)
    if not content.startswith(_BEGINS):
        raise click.UsageError(f"{file}: it is not a zip file")
    unpacking = _Unpacking()
    try:
        return unpacking.files(content)
    except _TooBigError as error:
        raise RefusedError(f"{file} is no archive of ours: {error}") from error
    except (BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        why = f"{unpacking.name} in it is damaged" if unpacking.name else f"the zip file is damaged ({error})"
        raise RefusedError(f"{file} is broken: {why}") from error


class _Unpacking:
    """One zip file on its way out. `name` is the file that is being unpacked."""

    def __init__(self) -> None:
        self.name = ""
        self._bytes = 0
        self._lines = 0

    def files(self, content: bytes) -> dict[str, bytes]:
        if len(content) > _FILE_MAX:
            raise _TooBigError(f"it has more than {_FILE_MAX} bytes")
        if content.count(_LISTED) > _FILES_MAX:  # before the library reads the directory, which it does whole
            raise _TooBigError(f"it holds more than {_FILES_MAX} files")
        files: dict[str, bytes] = {}
        with ZipFile(BytesIO(content)) as zipped:
            for info in zipped.infolist():
                self.name = info.filename
                self._refuse_foreign(info, files)
                files[self.name] = self._content(zipped, info)
        return files

    def _refuse_foreign(self, info: ZipInfo, files: dict[str, bytes]) -> None:
        if self.name in files:
            raise BadZipFile("a name stands twice")
        if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:  # others unpack by more than is asked for
            raise BadZipFile("it is packed in a way that is not ours")

    def _content(self, zipped: ZipFile, info: ZipInfo) -> bytes:
        out, line = bytearray(), 0
        with zipped.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                self._bytes += len(chunk)
                self._lines += chunk.count(b"\n")
                # the line that this chunk leaves open; one that ends in it is no longer than that and the chunk
                line = len(chunk) - 1 - chunk.rfind(b"\n") if b"\n" in chunk else line + len(chunk)
                self._refuse_much(line)
                out += chunk
        return bytes(out)

    def _refuse_much(self, line: int) -> None:
        if self._bytes > _UNPACKED_MAX:
            raise _TooBigError(f"unpacked it has more than {_UNPACKED_MAX} bytes")
        if self._lines > _LINES_MAX:
            raise _TooBigError(f"it has more than {_LINES_MAX} lines")
        if line > _LINE_MAX:
            raise _TooBigError(f"{self.name} has a line of more than {_LINE_MAX} bytes")
