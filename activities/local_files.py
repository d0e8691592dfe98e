"""Files that the program writes on its own machine: for their owner alone, and never through a symbolic link.

What is written may be personal or hold a key, and the place may be one where others can write. So a new file has mode
0600 whatever the umask, and a link at its place is refused with `ELOOP`, wherever it leads.
"""

import errno
import os
import tempfile
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import BinaryIO

_MODE = 0o600
_LINK = "is a symbolic link; name the file itself"


def write(path: Path, content: bytes, *, keep_mode: bool = False) -> None:
    """Write a whole file or leave it as it was. Raises `OSError`; a device or a pipe is written to as it stands.

    A file that is there already is replaced, by one of mode 0600 too unless `keep_mode` is given, as for a file that
    people edit.
    """
    found = _standing(path)
    if found is not None and not S_ISREG(found.st_mode):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "wb") as stream:
            stream.write(content)
        return
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            if keep_mode and found is not None:
                os.fchmod(descriptor, S_IMODE(found.st_mode))
            stream.write(content)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def appending(path: Path) -> BinaryIO:
    """Open a file to read it and add to its end; it is made if it is not there. Raises `OSError`."""
    _standing(path)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, _MODE), "a+b")


def _standing(path: Path) -> os.stat_result | None:
    """What is at a path; None for nothing. Raises `OSError` where that is a link."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, _LINK, str(path))
    try:
        return path.lstat()
    except FileNotFoundError:
        return None
