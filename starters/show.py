"""`incident show` and `incident timeline`."""

from typing import TYPE_CHECKING

import click

from starters.options import Options, shared

if TYPE_CHECKING:
    from temporalio.client import Client

    from starters.conversation import Document


@click.command()
@click.argument("incident", metavar="ID")
@shared
def show(options: Options, incident: str) -> None:
    """Show incident ID as it stands."""
    from starters import conversation, tables, terminal
    from starters.connection import run

    async def work(client: "Client") -> "Document":
        return await conversation.state(client, incident)

    state = run(work)
    if options.as_json:
        terminal.as_json(state)
        return
    clock = terminal.clock(options)
    terminal.show(
        tables.head(state, clock),
        tables.findings(state),
        tables.offers(state),
        tables.changes(state),
        tables.tasks(state, clock),
        tables.clocks(state, clock),
        *([tables.obligations(state, clock)] if state["obligations"] else []),
        f"{len(state['pages'])} pages sent, {state['timeline']['length']} timeline entries",
    )


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--ledger", is_flag=True, help="As the ledger has it, with what followed the end; needs no Temporal.")
@shared
def timeline(options: Options, incident: str, ledger: bool) -> None:
    """Print everything that happened in incident ID, oldest first."""
    from starters import tables, terminal, whole

    entries = whole.in_ledger(options, incident) if ledger else whole.by_workflow(options, incident).timeline
    if options.as_json:
        terminal.as_json(entries)
        return
    terminal.show(tables.entries(entries, terminal.clock(options)))
