"""`incident deploy`: releases amid incidents. Needs no AWS; `move` needs the code of the build that it moves to."""

from typing import TYPE_CHECKING

import click

from starters.cli.output import answer
from starters.cli.shared_options import shared
from starters.options import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from starters.client.releases import Build


@click.group()
def deploy() -> None:
    """Release amid incidents: each stays on the build that it began with, until it ends or is moved."""


@deploy.command()
@shared
def status(options: Options) -> None:
    """Show the builds: which is current, what is open on each, and which can be stopped."""
    from starters.cli import terminal
    from starters.client import releases
    from starters.client.connection import run

    found = run(releases.status, options.named_environment())
    terminal.answer(
        options, [{**one._asdict(), "can_be_stopped": one.can_be_stopped} for one in found], lambda: _shown(found)
    )


@deploy.command()
@click.argument("build")
@shared
def promote(options: Options, build: str) -> None:
    """Have new incidents begin on BUILD, whose workers must poll every queue; open ones stay where they are."""
    from starters.client import releases
    from starters.client.connection import run

    before = run(releases.promote, options.named_environment(), build)
    stay = f"; what is open on {before} stays there: incident deploy status" if before not in {None, build} else ""
    answer(options, {"current": build, "before": before}, f"New incidents begin on {build}{stay}")


@deploy.command()
@click.argument("incident", metavar="ID")
@shared
def move(options: Options, incident: str) -> None:
    """Move incident ID and its open changes to the current build, if this code replays what they have done."""
    from starters.client import releases
    from starters.client.connection import run

    build, moved = run(releases.move, incident)
    text = f"Moved to {build}: {', '.join(moved)}" if moved else f"{incident} is on {build} already, or has ended"
    answer(options, {"incident": incident, "build": build, "moved": moved}, text)


def _shown(found: "list[Build]") -> "Iterator[RenderableType]":
    """Without the builds of which nothing is left."""
    from starters.cli import terminal

    rows = [
        (
            one.build or "(none)",
            one.state,
            one.workers,
            "\n".join(one.incidents),
            one.open - len(one.incidents),
            _next(one),
        )
        for one in found
        if one.workers or one.open or one.state == "current"
    ]
    columns = ("Build", "State", "Workers", "Incident", "Other work", "Next")
    yield terminal.table("Builds", *columns, rows=rows, lines=True) if rows else "No worker polls, and nothing is open."


def _next(one: "Build") -> str:
    if one.can_be_stopped:
        return "stop its workers: nothing is left on it"
    if one.state == "unversioned":
        return (
            "give workers a build: incident worker --build-id BUILD"
            if one.workers
            else "goes on with the current build"
        )
    if one.not_polled and (one.open or one.state in {"new", "current"}):
        return f"start its workers for {', '.join(one.not_polled)}"
    if one.state == "new":
        return f"incident deploy promote {one.build}"
    if one.state == "current":
        return "new incidents begin here"
    return "keep its workers, or incident deploy move ID" if one.open else "keep its workers: the server still looks"
