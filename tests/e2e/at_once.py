"""The same command many times at one instant: `python -m tests.e2e.at_once COUNT FOLDER COMMAND…`.

Processes that are started one after the other load one after the other too. Here one loads all that the command needs,
and as many are forked from it, wait for each other, and run it. What each prints is in FOLDER, in `<number>.out`.
"""

import importlib
import os
import sys
from pathlib import Path

from starters.main import main

LOADED = ("starters.start", "starters.connection", "starters.loading", "starters.keyed", "starters.personal")


def run(count: int, folder: Path, command: list[str]) -> int:
    """Return the worst exit status."""
    for module in LOADED:
        importlib.import_module(module)
    starts, says_start = os.pipe()
    children = [child for number in range(count) if (child := _fork(number, folder, command, starts, says_start))]
    os.close(says_start)
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


def _fork(number: int, folder: Path, command: list[str], starts: int, says_start: int) -> int:
    if child := os.fork():
        return child
    os.close(says_start)
    os.read(starts, 1)  # ends once nobody holds the other end any more: all are there
    out = os.open(folder / f"{number}.out", os.O_CREAT | os.O_WRONLY)
    os.dup2(out, sys.stdout.fileno())
    sys.argv = ["incident", *command]
    main()
    raise AssertionError("main does not return")


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
