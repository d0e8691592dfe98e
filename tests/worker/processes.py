"""A worker in a process of its own, as a service manager would run it; forked, see `tests.forks`."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.forked import ROOT, Begun, forked

WAIT_SECONDS = 60
_LOOK_SECONDS = 0.02


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would reach a worker, and with `variables`."""
    prefixes = ("INCIDENT_", "TEMPORAL_", "AWS_", "STATUSPAGE_", "OTEL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    aws = {"AWS_REGION": "ap-southeast-2", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    return kept | aws | {"INCIDENT_ENVIRONMENT": "sandbox"} | variables


@asynccontextmanager
async def worker_process(*arguments: str, **variables: str) -> AsyncIterator["WorkerProcess"]:
    with TemporaryDirectory(prefix="worker-") as folder:
        begun = forked(ROOT).begin(("worker", *arguments), environment(**variables), ROOT, Path(folder))
        worker = WorkerProcess(begun, Path(folder))
        try:
            yield worker
        finally:
            if not begun.ended:
                worker.send_signal(signal.SIGKILL)
            begun.wait(WAIT_SECONDS)


class WorkerProcess:
    def __init__(self, begun: Begun, said: Path) -> None:
        [self.pid] = begun.pids
        self._begun = begun
        self._said = said
        self._read = 0

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def event(self, name: str) -> dict[str, Any]:
        """Read the log up to the event of that name, and return it."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                over = self._begun.ended  # before its log is looked at: nothing is written after
                lines = self._text("err").splitlines(keepends=True)
                for line in lines[self._read :]:
                    if not line.endswith("\n"):
                        break
                    self._read += 1
                    if line.startswith("{") and (event := json.loads(line))["event"] == name:
                        return dict(event)
                assert not over, f"no event {name!r} in {''.join(lines)}"
                await asyncio.sleep(_LOOK_SECONDS)

    async def ended(self) -> tuple[int, str, str]:
        """Wait for the end: exit status, stdout, stderr."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not self._begun.ended:
                await asyncio.sleep(_LOOK_SECONDS)
        [status] = self._begun.wait(WAIT_SECONDS)
        return status, self._text("out"), self._text("err")

    def _text(self, ending: str) -> str:
        file = self._said / f"0.{ending}"
        return file.read_text() if file.exists() else ""
