"""`incident demo --scenario all`: every scenario in a sandbox of its own, two at a time."""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click

_AT_ONCE = 2
"""Each keeps little more than one core busy."""


def play(scenarios: Sequence[str], options: Sequence[str]) -> list[dict[str, Any]]:
    """Play them, and return how each ended, in their order; what one said is printed only if it failed.

    When this is interrupted, so are they, and each stops its sandbox.
    """
    children: list[subprocess.Popen[str]] = []

    def one(scenario: str) -> dict[str, Any]:
        began = time.monotonic()
        command = [sys.executable, "-m", "starters.cli.main", "demo", "--scenario", scenario, *options]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        children.append(child)
        said, _ = child.communicate()
        seconds = round(time.monotonic() - began)
        ended = "as expected" if child.returncode == 0 else "NOT as expected"
        click.echo(f"{'' if child.returncode == 0 else said}  {scenario:24}{seconds:>4} s  {ended}")
        return {"scenario": scenario, "seconds": seconds, "as_expected": child.returncode == 0}

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            return list(pool.map(one, scenarios))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in children:
                child.terminate()
            raise
