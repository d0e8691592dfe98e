"""Requesting changes: a plan is printed, and nothing is changed until it is approved."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starters.cli import planning
from starters.cli.shared_options import shared, sign_with_option
from starters.cli.voting import decide_own
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

_yes = click.option(
    "--yes", is_flag=True, help="Where nobody else has to approve: have exactly the plan applied, unasked."
)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter that the step asks for.")
@_yes
@sign_with_option
@shared
def change(
    options: Options, incident: str, step: str, settings: tuple[str, ...], *, yes: bool, sign_with: Path | None
) -> None:
    """Request change STEP of incident ID and print its plan; nothing is changed until the plan is approved.

    Where nobody else has to approve it (class A1), you are asked to. `incident show ID` lists the changes on offer.
    """
    from starters.client import incident_client
    from starters.client.connection import run
    from starters.files import parameters

    options.by()
    given = parameters.pairs(settings)

    async def work(client: "Client") -> dict[str, Any]:
        document = await incident_client.state(client, incident)
        return await planning.requested(client, options, document, step, given, sign_with)

    decide_own(options, incident, run(work), yes=yes, sign_with=sign_with)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@_yes
@sign_with_option
@shared
def undo(options: Options, incident: str, step: str, *, yes: bool, sign_with: Path | None) -> None:
    """Request the undo of change STEP of incident ID: a new change, planned and approved like any other."""
    from starters.client import incident_client
    from starters.client.connection import run

    options.by()

    async def work(client: "Client") -> dict[str, Any]:
        document = await incident_client.state(client, incident)
        return await planning.undone(client, options, document, step, sign_with)

    decide_own(options, incident, run(work), yes=yes, sign_with=sign_with)
