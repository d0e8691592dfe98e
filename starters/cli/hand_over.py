"""`incident hand-over`: command is offered to somebody, who takes it or not."""

from datetime import UTC
from pathlib import Path

import click

from domain.values.local_time import Clock
from starters.cli import terminal
from starters.cli.output import answer
from starters.cli.send_command import ask, send
from starters.cli.shared_options import shared, sign_with_option
from starters.errors import RefusedError
from starters.options import Options


@click.command(name="hand-over")
@click.argument("incident", metavar="ID")
@click.argument("accept", metavar="[accept]", required=False, type=click.Choice(["accept"]))
@click.option("--to", metavar="WHO", help="Offer command to this contact, or the first who holds this role.")
@sign_with_option
@shared
def hand_over(options: Options, incident: str, accept: str | None, to: str | None, sign_with: Path | None) -> None:
    """Offer command of incident ID to somebody with --to, who is paged with where it stands; or accept the offer.

    Until it is accepted whoever commands goes on commanding. An offer lapses after ten minutes.
    """
    if (accept is None) == (to is None):
        raise click.UsageError("give --to WHO to offer command, or accept to take it")
    if to is not None:
        from starters.client.proving import contact

        state = send(options, incident, "hand_over", sign_with=sign_with, to=contact(options.load_organisation(), to))
    else:
        state = send(options, incident, "take_command", sign_with=sign_with, of=_offering(incident))
    clock = Clock(UTC) if options.as_json else terminal.clock(options)
    answer(options, state, terminal.clean(_told(incident, state, clock)))


def _offering(incident: str) -> str:
    """Who offers command, by the incident's own word. Raises `RefusedError`."""
    state = ask(incident)
    if (offer := state["hand_over"]) is None:
        raise RefusedError(f"command is not offered to anybody: {state['commander'] or 'nobody'} commands")
    return str(offer["by"])


def _told(incident: str, state: dict[str, object], clock: Clock) -> str:
    offer = state["hand_over"]
    if not isinstance(offer, dict):
        return f"{state['commander']} commands {incident}"
    until = clock(offer["until"])
    return f"Command of {incident} is offered to {offer['to']} until {until}; until it is taken {offer['by']} commands"
