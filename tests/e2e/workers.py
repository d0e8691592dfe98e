"""A worker as a process of its own, to be killed and started again."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.house import House
from tests.waiting import until

_LEAVE_SECONDS = 40


class Worker:
    """`incident worker --json` over a house's sandbox, with `variables` on top of that sandbox's own."""

    def __init__(self, house: House, **variables: str) -> None:
        self._house = house
        self._variables = variables
        self._log = Path(house.data_dir) / f"worker-{id(self)}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs, and return once it polls."""
        if self.alive:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._house.command, "worker", "--json"],
                cwd=self._house.cwd,
                env=self._house.environment | {"INCIDENT_SHUTDOWN_GRACE": "1s"} | self._variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.startswith(b"{"), self._log.read_text()
        assert json.loads(said)["ready"]

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: nothing of it gets to clean up. May be called while another thread waits for its end."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Wait until it is dead, whoever killed it."""
        until(lambda: not self.alive, "the worker dies")

    def stop(self) -> None:
        """SIGTERM, as a service manager does; it must leave by itself, with status 0."""
        if self._process is None or not self.alive:
            return
        self._process.terminate()
        assert self._process.wait(_LEAVE_SECONDS) == 0, self._log.read_text()


@contextmanager
def running(worker: Worker) -> Iterator[Worker]:
    """Run a worker for the time of a test; it does not outlive it, however that ends."""
    try:
        worker.start()
        yield worker
    finally:
        if worker.alive:
            worker.kill()
            worker.end()
