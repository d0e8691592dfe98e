"""A sandbox's processes: started with a mark in their environment, and found and ended by it.

The mark finds what recorded process ids miss: orphaned children, and processes whose supervisor was killed before it
saved their ids. Without `/proc`, only the recorded ids are used.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from activities import local_files
from sandbox.runtime.state import MARK, Files

_PROC = Path("/proc")
_GRACE_SECONDS = 5.0
_KILL_SECONDS = 5.0
_POLL_SECONDS = 0.05


def spawn(files: Files, service: str, command: list[str], variables: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a service of a sandbox: marked, in its own session, with its output appended to its log."""
    files.logs.mkdir(parents=True, exist_ok=True)
    with local_files.appending(files.log(service)) as log:
        return subprocess.Popen(
            command,
            env={**variables, MARK: str(files.data_dir)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C and a closed terminal must not reach it
        )


def running(files: Files, recorded: Iterable[int] = ()) -> set[int]:
    """The ids of this sandbox's live processes, without this process and its ancestors."""
    found = _marked(files) if _PROC.is_dir() else {pid for pid in recorded if _exists(pid)}
    return found - _own()


def end(files: Files, recorded: Iterable[int] = ()) -> int:
    """End every process of this sandbox and return how many there were.

    SIGTERM first, SIGKILL after five seconds. A repeat does nothing. Raises `TimeoutError`, naming the processes that
    survive SIGKILL.
    """
    known = list(recorded)
    ended: set[int] = set()
    deadlines = ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, _KILL_SECONDS))
    for number, seconds in deadlines:
        signalled: set[int] = set()
        until = time.monotonic() + seconds
        while left := running(files, known):  # looked up each time: a dying parent may still start children
            ended |= left
            for pid in left - signalled:
                _send(pid, number)
            signalled |= left
            if time.monotonic() > until:
                break
            time.sleep(_POLL_SECONDS)
    if left := running(files, known):
        raise TimeoutError(f"processes {', '.join(map(str, sorted(left)))} of the sandbox survive SIGKILL")
    return len(ended)


def end_one(pid: int, seconds: float) -> None:
    """Give a process time to exit by itself, then send SIGTERM; nothing if it is gone."""
    until = time.monotonic() + seconds
    while _exists(pid):
        if time.monotonic() > until:
            _send(pid, signal.SIGTERM)
            return
        time.sleep(_POLL_SECONDS)


def _marked(files: Files) -> set[int]:
    mark = f"{MARK}={files.data_dir}".encode()
    found: set[int] = set()
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            # it has exited or belongs to another user: not ours either way
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.add(int(folder.name))
    return found


def _own() -> set[int]:
    """This process and its ancestors: the caller must not end itself."""
    own: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in own:
        own.add(pid)
        try:
            status = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return own | {os.getppid()}
        pid = int(status.rpartition(")")[2].split()[1])
    return own


def _exists(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    with contextlib.suppress(OSError):
        if (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z":
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
