"""What came of an organisation's folder once it was checked, kept for the next call: checking takes longest of all.

It lies in the user's cache directory, a file for each question, under a seal: the digest of itself and of all that it
was made from. What was made from other files, or by another version of the program or of a library, and what was cut
or changed since, has another seal. That, somebody else's, and what cannot be read or written, is as good as not there.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import activities
import authority
import domain
from activities import local_files
from starters import files

Document = dict[str, Any]

_PROGRAM = (activities, authority, domain, files)
"""The packages of ours that an answer is worked out by."""


def kept(folder: Path, question: tuple[str, ...], answer: Callable[[], Document]) -> Document:
    """Give the answer that is kept, or work it out of the folder's files and keep it; what it raises is not kept."""
    try:
        file, made_from = _file(folder, question), _made_from(folder, question)
    except (OSError, RuntimeError):  # a file that cannot be read, which the answer says better; a user without a home
        return answer()
    with suppress(OSError), file.open("rb") as stream:
        seal, _, text = stream.read().partition(b"\n")
        if os.fstat(stream.fileno()).st_uid == os.geteuid() and seal == _seal(made_from, text):
            found: Document = json.loads(text)
            return found
    made = answer()
    with suppress(OSError):
        if _made_from(folder, question) == made_from:  # nobody has saved another version of a file on the way
            text = json.dumps(made, ensure_ascii=False).encode()
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            local_files.write(file, _seal(made_from, text) + b"\n" + text)
    return made


def sources(folder: Path) -> list[Path]:
    """The files of a folder that answers are made from."""
    return sorted(file for place in (folder, folder / "environments") for file in place.glob("*.yaml"))


def _file(folder: Path, question: tuple[str, ...]) -> Path:
    """Where an answer is kept. Raises `RuntimeError` where the user has neither a cache directory nor a home."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    place = Path(cache) if cache.startswith("/") else Path.home() / ".cache"
    return place / "incident-orchestrator" / _digest(json.dumps([str(folder.resolve()), *question]).encode())


def _made_from(folder: Path, question: tuple[str, ...]) -> str:
    """The digest of everything that decides an answer. Raises `OSError` where something of it cannot be read."""
    libraries = sorted(found.name for place in sys.path for found in Path(place).glob("*-info"))
    read = [(str(file.relative_to(folder)), _digest(file.read_bytes())) for file in sources(folder)]
    program = [file for package in _PROGRAM for file in sorted(Path(package.__path__[0]).rglob("*.py"))]
    ours = [(file.name, _digest(file.read_bytes())) for file in program]
    return _digest(json.dumps([question, read, ours, libraries, sys.version]).encode())


def _seal(made_from: str, text: bytes) -> bytes:
    return _digest(made_from.encode() + text).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
