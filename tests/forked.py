"""Asks for commands by fork; see `tests.forks`."""

import atexit
import json
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
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder, socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(_SECONDS)
            asked.connect(self._path)
            request = {"count": count, "command": command, "environment": environment}
            with asked.makefile("rw") as stream:
                stream.write(json.dumps({**request, "cwd": str(cwd), "folder": folder}) + "\n")
                stream.flush()
                statuses = json.loads(stream.read())
            told = [[(Path(folder) / f"{n}.{ending}").read_text() for ending in ("out", "err")] for n in range(count)]
        return [
            subprocess.CompletedProcess(command, status, *texts) for status, texts in zip(statuses, told, strict=True)
        ]

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


@cache
def forked(root: Path) -> Forked:
    """The process of this one's tests; it ends with it."""
    made = Forked(root)
    atexit.register(made.end)
    return made
