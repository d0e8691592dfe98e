"""Losing Temporal: its server killed, its database gone, and a copy of that database to bring the server back from."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.runtime import state
from sandbox.runtime.state import Files
from tests.e2e.house import TEMPORAL, House
from tests.waiting import SERVER_STARTS, until

_SUFFIXES = ("", "-wal", "-shm")


def kill_temporal(house: House) -> None:
    """SIGKILL the server of a sandbox, as when its machine dies."""
    known = state.read(Files(house.data_dir))
    assert known is not None
    assert known.keeper is not None
    for pid in (known.keeper, known.pids["temporal"]):  # nothing starts it again
        os.kill(pid, signal.SIGKILL)
    until(lambda: not _listens(known.temporal_port), "the server is dead")


def delete_database(house: House, copy: Path) -> None:
    """Delete what the server has stored, keeping a copy of it elsewhere."""
    database = Files(house.data_dir).temporal
    copy.parent.mkdir(parents=True, exist_ok=True)
    for suffix in _SUFFIXES:
        file = database.with_name(database.name + suffix)
        if file.exists():
            shutil.move(file, copy.with_name(copy.name + suffix))
    assert copy.exists()


@contextmanager
def old_server(copy: Path) -> Iterator[str]:
    """The server on the database that was lost, at another address, which is given."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = [str(TEMPORAL), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--db-filename", str(copy), "--log-level", "never", "--sqlite-pragma", "journal_mode=wal"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(port), "the old server answers", SERVER_STARTS.total_seconds())
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(port: int) -> bool:
    asked = subprocess.run(
        [TEMPORAL, "operator", "namespace", "describe", "default", "--address", f"127.0.0.1:{port}"],
        capture_output=True,
        check=False,
    )
    return asked.returncode == 0
