"""Telling open incidents who stands in: what began before the files said so learns of it by a command."""

import asyncio
from typing import TYPE_CHECKING, Any

from starters.client import incident_client
from starters.client.proving import Signing
from starters.errors import RefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from temporalio.client import Client

_OPEN = "WorkflowType = 'Incident' AND ExecutionStatus = 'Running'"
KNOWN = "known"
TOLD = "told"


async def tell(
    client: "Client",
    signing: Signing,
    environment: str,
    name: str,
    payload: dict[str, Any],
    concerned: "Callable[[dict[str, Any]], bool]",
) -> dict[str, str]:
    """Say a command to each open incident of an environment, signed for it; what became of it, by incident.

    That is `told`, `known` where it is not `concerned` any more, or why it was refused.
    """
    found: dict[str, str] = {}
    for document in await incident_client.states(client, _OPEN):
        if document["environment"] != environment or document["mode"] == "dry-run":
            continue
        incident = document["id"]
        if not concerned(document):
            found[incident] = KNOWN
            continue
        try:
            signed = await asyncio.to_thread(signing.command, document, name, payload)
            await incident_client.send(client, incident, name, signed)
            found[incident] = TOLD
        except (RefusedError, UnreachableError) as error:
            found[incident] = error.message
    return found
