"""A worker as a process of its own, to be killed and started again."""

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.house import House
from tests.forked import ROOT, Begun, forked
from tests.waiting import until

_LEAVE_SECONDS = 40


class Worker:
    """`incident worker --json` over a house's sandbox, with `variables` on top of that sandbox's own.

    `root` holds the code that it runs.
    """

    def __init__(self, house: House, root: Path = ROOT, /, **variables: str) -> None:
        self._house = house
        self._root = root
        self._variables = variables
        self._folder = Path(tempfile.mkdtemp(prefix="worker-", dir=house.data_dir))
        self._begun: Begun | None = None
        self._starts = 0
        self._killed = False

    def start(self) -> None:
        """Start it, unless it runs, and return once it polls, or was killed by what a test had laid out for it."""
        if self.alive:
            return
        self._starts += 1
        self._killed = False
        self._said.mkdir(parents=True)
        environment = self._house.environment | {"INCIDENT_SHUTDOWN_GRACE": "1s"} | self._variables
        self._begun = forked(self._root).begin(("worker", "--json"), environment, self._house.cwd, self._said)
        out = self._said / "0.out"
        until(lambda: not self.alive or (out.exists() and "\n" in out.read_text()), "the worker says something")
        if self._killed:
            return
        said = out.read_text()
        assert said.startswith("{"), self.log
        assert json.loads(said)["ready"]

    @property
    def _said(self) -> Path:
        return self._folder / str(self._starts)

    @property
    def log(self) -> str:
        """What it logged since it was started last."""
        return (self._said / "0.err").read_text()

    @property
    def alive(self) -> bool:
        return self._begun is not None and not self._begun.ended

    def kill(self) -> None:
        """SIGKILL: nothing of it gets to clean up. May be called while another thread waits for its end."""
        self._killed = True
        self._signal(signal.SIGKILL)

    def end(self) -> None:
        """Wait until it is dead, whoever killed it."""
        assert self._begun is not None
        self._begun.wait(_LEAVE_SECONDS)

    def stop(self) -> None:
        """SIGTERM, as a service manager does; it must leave by itself, with status 0."""
        if self._begun is None or not self.alive:
            return
        self._signal(signal.SIGTERM)
        assert self._begun.wait(_LEAVE_SECONDS) == [0], self.log

    def _signal(self, number: signal.Signals) -> None:
        assert self._begun is not None
        [pid] = self._begun.pids
        os.kill(pid, number)


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
