"""A sandbox's ports: four in a row on loopback."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from activities import local_files

HOST = "127.0.0.1"
DEFAULT_BASE = 7233
_BLOCK = 4
_STEP = 10
_BLOCKS = 200


class PortsTakenError(Exception):
    """The ports are in use; the text names them."""


def choose(wanted: int | None) -> int:
    """The base asked for, or the first free block from 7233 on. Raises `PortsTakenError`."""
    if wanted is not None:
        if taken := _taken(wanted):
            raise PortsTakenError(
                f"port {', '.join(map(str, taken))} is in use: choose another --port-base, or leave it out"
            )
        return wanted
    for number in range(_BLOCKS):
        base = DEFAULT_BASE + number * _STEP
        if not _taken(base):
            return base
    raise PortsTakenError(f"no four ports in a row are free between {DEFAULT_BASE} and {base + _BLOCK - 1}")


@contextmanager
def choosing() -> Iterator[None]:
    """Keep other sandboxes of this user from choosing the same ports before ours are bound."""
    with local_files.appending(Path(tempfile.gettempdir()) / f"incident-sandbox-{os.getuid()}.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _taken(base: int) -> list[int]:
    return [port for port in range(base, base + _BLOCK) if not _free(port)]


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # a port in TIME_WAIT is free: the servers bind it too
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
