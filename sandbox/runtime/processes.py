"""The processes of a sandbox: started with a mark in their environment, found by it, and ended by it.

The mark finds what a recorded process id cannot: children of a process that died, and those of a supervisor
that was killed before it wrote anything down. Where there is no `/proc` the recorded ids must do.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from sandbox.runtime.state import MARK, Files

_PROC = Path("/proc")
_GRACE_SECONDS = 5.0
_KILL_SECONDS = 5.0
_POLL_SECONDS = 0.05


def spawn(files: Files, part: str, command: list[str], variables: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a part of a sandbox: marked, in a session of its own, its output appended to the part's log."""
    files.logs.mkdir(parents=True, exist_ok=True)
    with files.log(part).open("ab") as log:
        return subprocess.Popen(
            command,
            env={**variables, MARK: str(files.data_dir)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def running(files: Files, recorded: Iterable[int] = ()) -> set[int]:
    """The ids of the processes of this sandbox that are alive, this one and its ancestors never among them."""
    found = _marked(files) if _PROC.is_dir() else {pid for pid in recorded if _exists(pid)}
    return found - _own()


def end(files: Files, recorded: Iterable[int] = ()) -> int:
    """End every process of this sandbox and return how many there were.

    SIGTERM, and SIGKILL to what is left after five seconds. Ending what has ended does nothing. Raises
    `TimeoutError` naming processes that survive even that.
    """
    known = list(recorded)
    met: set[int] = set()
    deadlines = ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, _KILL_SECONDS))
    for number, seconds in deadlines:
        told: set[int] = set()
        until = time.monotonic() + seconds
        while left := running(files, known):
            met |= left
            for pid in left - told:
                _send(pid, number)
            told |= left
            if time.monotonic() > until:
                break
            time.sleep(_POLL_SECONDS)
    if left := running(files, known):
        raise TimeoutError(f"processes {', '.join(map(str, sorted(left)))} of the sandbox survive SIGKILL")
    return len(met)


def end_one(pid: int, seconds: float) -> None:
    """Give one process time to leave by itself, then SIGTERM it; nothing when it is gone."""
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
            # gone meanwhile, or somebody else's: not ours either way
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.add(int(folder.name))
    return found


def _own() -> set[int]:
    """This process and its ancestors: who asks for an end is not ended by it."""
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
    """Tell whether a process runs; a dead one that its parent has not waited for yet does not."""
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
