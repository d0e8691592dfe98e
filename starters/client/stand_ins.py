"""Telling open incidents who stands in: what began before the files said so learns of it by a command."""

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from starters.client import incident_client
from starters.client.proving import Signing
from starters.errors import RefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from temporalio.client import Client

_OPEN = "WorkflowType = 'Incident' AND ExecutionStatus = 'Running'"


class Heard(NamedTuple):
    """Whether an incident knows of what it was told; where it was not told now, the `reason`."""

    incident: str
    told: bool
    reason: str | None = None


async def tell(
    client: "Client",
    signing: Signing,
    environment: str,
    name: str,
    payload: dict[str, Any],
    concerned: "Callable[[dict[str, Any]], bool]",
) -> list[Heard]:
    """Say a command to each open incident of an environment, signed for it; what became of it, in order of incidents.

    One that it does not concern (any more) is not told again; one that refuses it, or cannot be reached, does not know.
    """
    found = list[Heard]()
    for document in await incident_client.states(client, _OPEN):
        if document["environment"] != environment or document["mode"] == "dry-run":
            continue
        incident = document["id"]
        if not concerned(document):
            found.append(Heard(incident, told=True, reason="it is up to date"))
            continue
        try:
            signed = await asyncio.to_thread(signing.command, document, name, payload)
            await incident_client.send(client, incident, name, signed)
            found.append(Heard(incident, told=True))
        except (RefusedError, UnreachableError) as error:
            found.append(Heard(incident, told=False, reason=error.message))
    return sorted(found)
