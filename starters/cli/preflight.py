"""`incident preflight`: whether an environment is ready, before anybody needs it."""

from collections import Counter
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType

from starters.cli import terminal
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.preflight.check import Row

_SAID = {"missing": "missing", "wrong": "wrong", "unknown": "cannot tell"}


@click.command()
@click.option(
    "--write", is_flag=True, help="Also put a locked object into the evidence bucket, under the role forensics."
)
@click.option("--assume", is_flag=True, help="Also let EC2 and Lambda decide dry runs under the roles.")
@shared
def preflight(options: Options, write: bool, assume: bool) -> None:
    """Check that everything the environment's file names is there, and that pages, roles, logs and records will work.

    It reads only, within a minute, with your own rights; needs no Temporal. Exits 1 unless all is ok.
    """
    from starters.client.aws_session import preflight as looked

    rows = looked(options, write=write, assume=assume)
    terminal.answer(options, [row._asdict() for row in rows], lambda: _parts(rows))
    if lost := [row for row in rows if row.status != "ok"]:
        raise RefusedError(f"{len(lost)} of {len(rows)} checks are not ok in {options.named_environment()}")


def _parts(rows: "list[Row]") -> list[RenderableType]:
    """How many of each kind are ok, what is not, and what a person does about it, which is said once."""
    names = dict.fromkeys(row.check for row in rows)
    fine = Counter(row.check for row in rows if row.status == "ok")
    every = Counter(row.check for row in rows)
    counts = ([name, f"{fine[name]} of {every[name]}", _others(rows, name)] for name in names)
    parts: list[RenderableType] = [terminal.table("Preflight", "Check", "Ok", "Not ok", rows=counts)]
    lost = [row for row in rows if row.status != "ok"]
    if not lost:
        return [*parts, "Everything is ok: nothing is to be done."]
    cells = ([row.check, row.target, _SAID[row.status]] for row in lost)
    parts.append(terminal.table("Not ok", "Check", "What", "Is", rows=cells))
    parts += ["", "What a person must do:"]
    width = terminal.console().width
    said: dict[tuple[str, str], list[str]] = {}
    for row in lost:
        said.setdefault((row.check, row.detail), []).append(row.target)
    for number, ((check, detail), targets) in enumerate(said.items(), start=1):
        parts.append(terminal.folded(f"{number:>3}  {check} {', '.join(targets)}: {detail}", width))
    return parts


def _others(rows: "list[Row]", name: str) -> str:
    counted = Counter(row.status for row in rows if row.check == name and row.status != "ok")
    return ", ".join(f"{count} {_SAID[status]}" for status, count in counted.items())
