"""Two checkouts measured in turns: `python -m benchmarks.against DIR [NAME…]`, DIR being another one with its `.venv`.

Each has a server and workers of its own, which rest while the other's turn lasts.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path

from benchmarks.figures import HEADING, compared

_NAMES = ("counted", "throughput", "latency", "storm")
_HERE = Path(__file__).parent.parent
_RUN = "import runpy, sys; sys.path.insert(0, ''); runpy.run_path(sys.argv[1], run_name='__main__')"


class Checkout:
    """The process that measures one checkout."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [folder / ".venv/bin/python", "-c", _RUN, Path(__file__).with_name("turns.py")],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(("INCIDENT_", "TEMPORAL_"))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _line(self, start: str) -> str:
        """The next line of ours; what else is printed, as the SDK's core does, is passed over."""
        for said in self._process.stdout or ():
            if said.startswith(start):
                return said
        raise RuntimeError(f"the measuring process ended: {self._process.wait()}")

    def ready(self) -> None:
        self._line("ready")

    def turn(self, name: str) -> dict[str, float]:
        if self._process.stdin:
            print(name, file=self._process.stdin, flush=True)
        taken: dict[str, float] = json.loads(self._line("{"))
        return taken

    def stop(self) -> None:
        self._process.communicate(timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description=__doc__)
    parser.add_argument("folder", metavar="DIR", type=Path, help="another checkout, with its .venv")
    parser.add_argument("names", nargs="*", metavar="NAME", default=_NAMES, help=f"of {', '.join(_NAMES)}")
    parser.add_argument("--pairs", type=int, default=3, help="turns of each (3)")
    given = parser.parse_args()
    here, there = Checkout(_HERE), Checkout(given.folder.resolve())
    try:
        here.ready()
        there.ready()
        print(HEADING)
        for name in given.names:
            turns = [(there.turn(name), here.turn(name)) for _ in range(given.pairs)]
            for what in turns[0][0]:
                pairs = [(new[what], old[what]) for old, new in turns]
                print(compared(name, what, "", pairs, None, at_most=True).row(), flush=True)
    finally:
        here.stop()
        there.stop()


if __name__ == "__main__":
    main()
