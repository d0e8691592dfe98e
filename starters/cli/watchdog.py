"""`incident watchdog`: one look for what nobody carries on, for a timer outside of the workers."""

from typing import TYPE_CHECKING

import click
from rich.console import RenderableType

from domain.values.timestamps import stamp
from starters.cli import terminal
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from domain.model.silence import Found


@click.command()
@shared
def watchdog(options: Options) -> None:
    """Page people about every open incident of which something was due two minutes ago and did not happen.

    And mail them about closed ones of whose work nobody is reminded, and about schedules that do not run.
    What every worker that serves `notify` does by itself, from outside: by the ledger alone, with your own rights and
    without Temporal. However many look, each page goes out once. Exits 0 when nothing is due, 1 when something was, 2
    when it could not look.
    """
    from starters.client.aws_session import watched

    found = watched(options)
    rows = [{**one._asdict(), "due_at": stamp(one.due_at), "paged": list(one.paged)} for one in found]
    terminal.answer(options, rows, lambda: [_said(options, found)])
    if found:
        raise RefusedError(f"{_counted(found)} in {options.named_environment()}")


def _counted(found: "list[Found]") -> str:
    schedules = sum(one.is_schedule for one in found)
    said = {"incidents are not carried on": len(found) - schedules, "schedules do not run": schedules}
    return " and ".join(f"{count} {what}" for what, count in said.items() if count)


def _said(options: Options, found: "list[Found]") -> RenderableType:
    if not found:
        return "Every incident is carried on, and every schedule runs."
    clock = terminal.clock(options)
    cells = ([one.incident, one.what, clock(stamp(one.due_at)), ", ".join(one.paged) or "nobody now"] for one in found)
    return terminal.table("Not carried on", "What", "Did not happen", "Was due", "Paged", rows=cells)
