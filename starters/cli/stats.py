"""`incident stats`: what the incidents of an environment came to, from its ledger alone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domain.values.timestamps import stamp
from starters.cli import terminal
from starters.cli.output import deliver, print_json
from starters.cli.shared_options import midnight, shared
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.incidents import Unreadable
    from reporting.statistics.page import Scope
    from reporting.statistics.tally import Stats


@click.command()
@click.option("--since", metavar="DATE", help="Only what was declared on or after this day, where the organisation is.")
@click.option("--format", "format_", type=click.Choice(["html", "svg"]), help="A chart instead of tables.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@shared
def stats(options: Options, since: str | None, format_: str | None, output: Path | None) -> None:
    """Count incidents: how many, how long until acknowledged and resolved, how often in time; by severity and type.

    It is made of the ledger alone, and needs no Temporal. Drills and false alarms are counted apart, dry runs and
    upkeep are left out.
    """
    if options.as_json and format_ is not None:
        raise click.UsageError(f"--json and --format {format_} contradict each other")
    if output is not None and format_ is None and not options.as_json:
        raise click.UsageError("-o wants a format: give --format html, --format svg or --json")
    from reporting.statistics import page
    from reporting.statistics.tally import tally
    from starters.client import recorded_incidents

    now, clock = datetime.now(UTC), terminal.clock(options)
    start = None if since is None else midnight(since, clock.zone, now)
    unreadable: list[Unreadable] = []
    counted = tally(recorded_incidents.incidents(options, unreadable, start))
    scope = page.Scope(options.named_environment(), since, clock(now), unreadable)
    if options.as_json:
        head = {"at": stamp(now), "environment": scope.environment, "since": stamp(start)}
        rows = [one._asdict() for one in unreadable]
        print_json({**head, **counted.model_dump(mode="json"), "unreadable": rows}, output)
    elif format_ is not None:
        drawn = page.page if format_ == "html" else page.chart
        deliver(drawn(counted, scope) + b"\n", output)
    else:
        _show(counted, scope, unreadable)
    recorded_incidents.refuse(unreadable)


def _show(counted: "Stats", scope: "Scope", unreadable: "list[Unreadable]") -> None:
    from reporting.statistics.page import READ_SO, left_out
    from starters.cli import stats_tables

    total = counted.total
    if not (total.incidents or total.drills or total.false_alarms):
        terminal.show(f"{scope.title}: none. {left_out(counted)}")
    else:
        terminal.show(
            scope.title,
            stats_tables.numbers("By severity", [*counted.by_severity, total]),
            stats_tables.numbers("By type", [*counted.by_type, total]),
            "",
            stats_tables.chart(counted),
            "",
            *(terminal.folded(f"- {line}") for line in (*READ_SO, left_out(counted))),
        )
    if unreadable:
        terminal.show(terminal.unreadable(unreadable))
