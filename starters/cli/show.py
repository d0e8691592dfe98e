"""`incident show` and `incident timeline`."""

import click
from rich.console import RenderableType

from starters.cli import incident_tables, terminal
from starters.cli.plan_words import all_worded
from starters.cli.send_command import ask
from starters.cli.shared_options import shared
from starters.options import Options


@click.command()
@click.argument("incident", metavar="ID")
@shared
def show(options: Options, incident: str) -> None:
    """Show incident ID as it stands."""
    state = all_worded(ask(incident))

    def parts() -> list[RenderableType]:
        clock = terminal.clock(options)
        tables: dict[str, RenderableType] = {
            "findings": incident_tables.findings(state),
            "offers": incident_tables.offers(state),
            "changes": incident_tables.changes(state),
            "stand_ins": incident_tables.stand_ins(state, clock) if state.get("stand_ins") else "",
            "tasks": incident_tables.tasks(state, clock),
            "clocks": incident_tables.clocks(state, clock),
            "obligations": incident_tables.obligations(state, clock),
        }
        return [
            incident_tables.head(state, clock),
            *filter(None, [terminal.clean(state["description"])]),
            *(table for key, table in tables.items() if state.get(key)),
            f"{len(state['pages'])} pages sent, {state['timeline']['length']} timeline entries",
        ]

    terminal.answer(options, state, parts)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--ledger", is_flag=True, help="As the ledger has it, with what followed the end; needs no Temporal.")
@shared
def timeline(options: Options, incident: str, ledger: bool) -> None:
    """Print everything that happened in incident ID, oldest first."""
    from starters.client import full_timeline

    if ledger:
        entries = full_timeline.documents(full_timeline.in_ledger(options, incident))
    else:
        entries = full_timeline.by_workflow(options, incident).timeline
    terminal.answer(options, entries, lambda: [incident_tables.entries(entries, terminal.clock(options))])
