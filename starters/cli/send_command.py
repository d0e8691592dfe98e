"""Send a command to an incident in the caller's name, and print the state that follows."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starters.cli.output import answer
from starters.cli.shared_options import shared, sign_with_option
from starters.errors import RefusedError, UnreachableError
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

_OUTLIVE = frozenset({"complete_task", "waive_task", "note"})
"""Commands still accepted once an incident is closed, by its follow-up."""


def ask(incident: str) -> dict[str, Any]:
    """The incident's document."""
    from starters.client import incident_client
    from starters.client.connection import run

    return run(incident_client.state, incident)


def send(
    options: Options, incident: str, command: str, *, sign_with: Path | None = None, **given: Any
) -> dict[str, Any]:
    """Send a command and return the new state: the incident's, or its follow-up's once the incident is closed.

    It is signed, by the key of the file `sign_with` or by one of the agent's, where the incident asks for it.
    """
    payload = {"by": options.by(), **given}
    from starters.cli import phi_warning
    from starters.client import incident_client
    from starters.client.connection import run

    # before it is sent: a record cannot be changed afterwards
    texts = (value for name, value in given.items() if name != "at")
    phi_warning.warn(texts, lambda: options.load_organisation().model_dump(mode="json"))
    said = incident_client.send_work if command in _OUTLIVE else incident_client.send

    async def work(client: "Client") -> dict[str, Any]:
        signed = payload
        try:
            document = await incident_client.state(client, incident)
        except (RefusedError, UnreachableError) as unread:  # such as while KMS is away: people are heard all the same
            try:
                document = await asyncio.to_thread(_by_files, options, incident)
            except click.ClickException:
                raise unread from None
        if document.get("proofs"):
            signed = await asyncio.to_thread(_signed, options, sign_with, document, command, payload)
        return await said(client, incident, command, signed)

    return run(work)


def _by_files(options: Options, incident: str) -> dict[str, Any]:
    """What signing asks of an incident that cannot be read, by the caller's own folder."""
    environment = options.load_environment()
    return {"id": incident, "environment": environment.name, "proofs": environment.kind != "sandbox"}


def _signed(
    options: Options, sign_with: Path | None, document: dict[str, Any], command: str, payload: dict[str, Any]
) -> dict[str, Any]:
    from starters.client.proving import Signing

    return Signing(options, sign_with).command(document, command, payload)


def send_and_print(
    options: Options, incident: str, command: str, *, sign_with: Path | None = None, **given: Any
) -> None:
    """Send a command and print the incident's new status."""
    state = send(options, incident, command, sign_with=sign_with, **given)
    waiting = ", ".join(state.get("waiting_for", []))
    still = f"; waiting for {waiting}" if waiting else ""
    answer(options, state, f"{incident} is {state['status']}, {state['severity']}{still}")


def command(name: str, text: str, act: Callable[..., None], *parameters: Callable[[Any], Any]) -> click.Command:
    """Make a command on incident ID that calls `act` with the options, the incident and its parameters by name.

    Among them is `sign_with`, the file of the caller's key.

    `text` is its help, `parameters` are click's decorators in the order of the command line.
    """
    decorated = sign_with_option(shared(act))
    for parameter in (*reversed(parameters), click.argument("incident", metavar="ID")):
        decorated = parameter(decorated)
    return click.command(name=name, help=text)(decorated)
