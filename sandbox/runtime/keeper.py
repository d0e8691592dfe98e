"""The process that starts a sandbox's Temporal server again when it dies, on the same database and ports.

The supervisor runs `python -m sandbox.runtime.keeper DATA_DIR`. It sleeps until the server ends, and has loaded next to
nothing until then: a sandbox is to start quickly. It leaves with the sandbox.
"""

import json
import logging
import os
import select
import sys
import time
from pathlib import Path

KEPT = "temporal"
_LOOK_SECONDS = 1.0


def main() -> None:
    """Watch until the sandbox is stopped."""
    data_dir = Path(sys.argv[1])
    while (pid := _kept(data_dir / "sandbox.json")) is not None:
        if _ends(pid, _LOOK_SECONDS):
            _start_again(data_dir)


def _kept(state: Path) -> int | None:
    """The server's process id; None once the sandbox is stopped."""
    try:
        known = json.loads(state.read_bytes())
    except FileNotFoundError:
        return None
    return None if known["stopping"] else int(known["pids"][KEPT])


def _ends(pid: int, seconds: float) -> bool:
    """Wait for a process to end, as long as that; tells whether it has."""
    if not hasattr(os, "pidfd_open"):  # not Linux
        time.sleep(seconds)
        return True  # `revive` looks for itself
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], seconds)[0])
    finally:
        os.close(process)


def _start_again(data_dir: Path) -> None:
    from sandbox.runtime import supervisor
    from sandbox.runtime.launch import StartError
    from sandbox.runtime.services import MissingCommandError
    from sandbox.runtime.state import Files

    try:
        supervisor.revive(Files(data_dir), KEPT)
    except (StartError, MissingCommandError, OSError) as error:
        logging.getLogger(__name__).warning("%s is not there again: %s", KEPT, error)
        time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    main()
