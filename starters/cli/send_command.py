"""Send a command to an incident in the caller's name, and print the state that follows."""

from typing import TYPE_CHECKING, Any

import click

from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

_OUTLIVE = frozenset({"complete_task", "waive_task", "note"})
"""Commands still accepted once an incident is closed, by its follow-up."""


def send(options: Options, incident: str, command: str, **given: Any) -> dict[str, Any]:
    """Send a command and return the new state: the incident's, or its follow-up's once the incident is closed."""
    payload = {"by": options.by(), **given}
    from starters.cli import phi_warning
    from starters.client import incident_client
    from starters.client.connection import run

    # before it is sent: a record cannot be changed afterwards
    phi_warning.warn(options, (value for name, value in given.items() if name != "at"))

    async def work(client: "Client") -> dict[str, Any]:
        if command in _OUTLIVE:
            return await incident_client.tell_work(client, incident, command, payload)
        return await incident_client.tell(client, incident, command, payload)

    return run(work)


def send_and_print(options: Options, incident: str, command: str, **given: Any) -> None:
    """Send a command and print the incident's new status."""
    state = send(options, incident, command, **given)
    if options.as_json:
        from starters.cli import terminal

        terminal.as_json(state)
        return
    waiting = ", ".join(state.get("waiting_for", []))
    click.echo(
        f"{incident} is {state['status']}, {state['severity']}" + (f"; waiting for {waiting}" if waiting else "")
    )
