"""`incident report`: the account of an incident, from what the ledger has of it alone."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from starters.cli.output import print_json, write
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from domain.model.timeline import Entry

_FORMATS = ["markdown", "html", "json", "pdf"]


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--format", "format_", type=click.Choice(_FORMATS), help="Default: markdown.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@shared
def report(options: Options, incident: str, format_: str | None, output: Path | None) -> None:
    """Write the account of incident ID: what happened, who decided what, and what is left to do.

    It is made of the ledger alone, and needs no Temporal; where the ledger cannot be read, of the incident's workflow.
    """
    if options.as_json and format_ not in {None, "json"}:
        raise click.UsageError(f"--json and --format {format_} contradict each other")
    wanted = "json" if options.as_json else format_ or "markdown"
    if wanted == "pdf" and output is None and sys.stdout.isatty():
        raise click.UsageError("a PDF is nothing for a terminal: give -o FILE")
    from starters.client import full_timeline

    content = _rendered(options, incident, full_timeline.entries(options, incident), wanted)
    if output is None:
        click.echo(content, nl=wanted != "pdf")
        return
    write(output, content if wanted == "pdf" else content + b"\n")
    if options.as_json:
        print_json({"incident_id": incident, "written": str(output)})
    else:
        click.echo(f"{output} written", err=True)


def _rendered(options: Options, incident: str, entries: "list[Entry]", format_: str) -> bytes:
    from domain.rules.evolve import NoIncidentError
    from reporting.formats.rendering import rendered
    from starters.cli import terminal

    try:
        return rendered(entries, format_, terminal.clock(options))
    except NoIncidentError as error:
        raise RefusedError(f"{incident} cannot be read: {error}; see incident audit verify {incident}") from error
