"""Where a custody event goes: to the incident while its workflow lives, else straight behind its closed chain."""

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError
from temporalio.client import Client, WorkflowExecutionStatus

from domain.model.commands import Custody
from domain.rules.custody import behind_the_end
from domain.values.status import FINAL
from starters.client import incident_client
from starters.client.connection import look, run
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.action import Clients

_LOOK_SECONDS = 0.2
_ENDING_SECONDS = 60


def keep(options: Options, incident: str, payload: dict[str, Any], clients: "Clients") -> int | None:
    """Put a custody event on record; gives its number where this command wrote it itself, behind a closed chain.

    Raises `RefusedError` with the reason. A repeat is a second event, except after a cut between the entry and its
    signature: then it signs the entry that stands there.
    """
    try:
        command = Custody.model_validate(payload)
    except ValidationError as error:
        raise click.UsageError(error.errors(include_url=False, include_input=False)[0]["msg"]) from error

    if run(_sent, incident, payload):
        return None
    return _behind(options, incident, command, clients)


async def _sent(client: Client, incident: str, payload: dict[str, Any]) -> bool:
    """Send it to the incident; no when its workflow is over, or Temporal does not have it any more."""
    until = time.monotonic() + _ENDING_SECONDS
    while (found := await look(client, incident)) and found.status is WorkflowExecutionStatus.RUNNING:
        if (await incident_client.state(client, incident))["status"] not in FINAL:
            try:
                await incident_client.send(client, incident, "custody", payload)
            except RefusedError:
                if (await incident_client.state(client, incident))["status"] not in FINAL:
                    raise
            else:
                return True
        if time.monotonic() > until:
            raise RefusedError(f"{incident} is just being closed; say it again once it is")
        await asyncio.sleep(_LOOK_SECONDS)
    return False


def _behind(options: Options, incident: str, command: Custody, clients: "Clients") -> int:
    from activities.ledger.store import LedgerStore

    who = options.load_organisation().contact(command.by)
    if who is None:
        raise RefusedError(f"{command.by!r} is no contact or role of the organisation")
    return (
        LedgerStore(clients, options.load_environment())
        .follow(incident, behind_the_end(command, who), datetime.now(UTC))
        .seq
    )
