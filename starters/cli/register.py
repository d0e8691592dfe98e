"""`incident register`: every incident in which sensitive information may be involved, and what was decided of it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from starters.cli.output import deliver, print_json
from starters.cli.shared_options import shared
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.incidents import Unreadable
    from domain.config.obligation import BreachRegister


@click.command()
@click.option("--format", "format_", type=click.Choice(["csv"]), help="For a spreadsheet.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@shared
def register(options: Options, format_: str | None, output: Path | None) -> None:
    """Show the breach register: every incident in which sensitive information may be involved, and what was decided.

    It is made of the ledger alone, and needs no Temporal. Drills and dry runs are not in it.
    """
    if options.as_json and format_ is not None:
        raise click.UsageError(f"--json and --format {format_} contradict each other")
    if output is not None and format_ is None and not options.as_json:
        raise click.UsageError("-o wants a format: give --format csv or --json")
    from domain.values.timestamps import stamp
    from reporting.register.breach_register import entry, suspected_by
    from starters.client import recorded_incidents

    now, read_by = datetime.now(UTC), _read_by(options)
    unreadable: list[Unreadable] = []
    entries = [
        entry(incident, read_by, now)
        for incident in recorded_incidents.incidents(options, unreadable)
        if incident.declaration.mode == "live" and suspected_by(incident, read_by)
    ]
    if options.as_json:
        head = {"at": stamp(now), "environment": options.named_environment()}
        rows = [one.model_dump(mode="json") for one in entries]
        print_json({**head, "entries": rows, "unreadable": [one._asdict() for one in unreadable]}, output)
    elif format_ is not None:
        from starters.cli import register_csv

        deliver(register_csv.text(entries, unreadable).encode(), output)
    else:
        from starters.cli import register_table, terminal

        register_table.show(entries, unreadable, terminal.clock(options))
    recorded_incidents.refuse(unreadable)


def _read_by(options: Options) -> "BreachRegister":
    """How the organisation's register reads the record; without that there is none."""
    from starters.files.loading import load_obligations

    found = load_obligations(options.folder(), options.load_organisation()).breach_register
    if found is None:
        file = options.folder() / "obligations.yaml"
        raise click.UsageError(f"{file} has no breach_register: say there how a breach is decided")
    return found
