"""`incident show` and `incident timeline`."""

from typing import TYPE_CHECKING

import click

from starters.cli.shared_options import shared
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

    from starters.client.incident_client import Document


@click.command()
@click.argument("incident", metavar="ID")
@shared
def show(options: Options, incident: str) -> None:
    """Show incident ID as it stands."""
    from starters.cli import incident_tables, terminal
    from starters.client import incident_client
    from starters.client.connection import run

    async def work(client: "Client") -> "Document":
        return await incident_client.state(client, incident)

    state = run(work)
    if options.as_json:
        terminal.as_json(state)
        return
    clock = terminal.clock(options)
    terminal.show(
        incident_tables.head(state, clock),
        incident_tables.findings(state),
        incident_tables.offers(state),
        incident_tables.changes(state),
        incident_tables.tasks(state, clock),
        incident_tables.clocks(state, clock),
        *([incident_tables.obligations(state, clock)] if state["obligations"] else []),
        f"{len(state['pages'])} pages sent, {state['timeline']['length']} timeline entries",
    )


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--ledger", is_flag=True, help="As the ledger has it, with what followed the end; needs no Temporal.")
@shared
def timeline(options: Options, incident: str, ledger: bool) -> None:
    """Print everything that happened in incident ID, oldest first."""
    from starters.cli import incident_tables, terminal
    from starters.client import full_timeline

    entries = (
        full_timeline.in_ledger(options, incident) if ledger else full_timeline.by_workflow(options, incident).timeline
    )
    if options.as_json:
        terminal.as_json(entries)
        return
    terminal.show(incident_tables.entries(entries, terminal.clock(options)))
