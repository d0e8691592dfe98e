"""Asks for commands by fork; see `tests.forks`."""

import atexit
import json
import select
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SECONDS = 100


class Forked:
    """One process from which all commands of this one's tests are forked."""

    def __init__(self, root: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="forks-")
        self._path = f"{self._folder.name}/socket"
        command = [sys.executable, "-m", "tests.forks", self._path]
        self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def run(
        self, command: tuple[str, ...], environment: dict[str, str], cwd: Path, count: int = 1
    ) -> "list[subprocess.CompletedProcess[str]]":
        """Run a command so many times at one instant; what came of each."""
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            begun = self.begin(command, environment, cwd, Path(folder), count)
            statuses = begun.wait(_SECONDS)
            told = [[(Path(folder) / f"{n}.{ending}").read_text() for ending in ("out", "err")] for n in range(count)]
        return [
            subprocess.CompletedProcess(command, status, *texts) for status, texts in zip(statuses, told, strict=True)
        ]

    def begin(
        self, command: tuple[str, ...], environment: dict[str, str], cwd: Path, folder: Path, count: int = 1
    ) -> "Begun":
        """Begin a command so many times at one instant; what each prints goes to `folder`."""
        asked = socket.socket(socket.AF_UNIX)
        asked.connect(self._path)
        request = {"count": count, "command": command, "environment": environment}
        asked.sendall(f"{json.dumps({**request, 'cwd': str(cwd), 'folder': str(folder)})}\n".encode())
        return Begun(asked)

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


class Begun:
    """Commands that run; `pids` are their processes."""

    def __init__(self, answer: socket.socket) -> None:
        self._answer = answer
        answer.settimeout(_SECONDS)
        self._told = answer.makefile("r")
        self.pids: list[int] = json.loads(self._told.readline())
        self._statuses: list[int] | None = None

    @property
    def ended(self) -> bool:
        return self._statuses is not None or bool(select.select([self._answer], [], [], 0)[0])

    def wait(self, seconds: float) -> list[int]:
        """Their exit statuses, once all have ended. Raises `TimeoutError`."""
        if self._statuses is None:
            self._answer.settimeout(seconds)
            told = self._told.read()  # where that takes too long, the next one may wait again
            with self._answer, self._told:
                self._statuses = json.loads(told)
        return self._statuses


@cache
def forked(root: Path) -> Forked:
    """The process of this one's tests; it ends with it."""
    made = Forked(root)
    atexit.register(made.end)
    return made
