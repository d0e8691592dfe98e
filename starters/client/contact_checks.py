"""Checks of contacts that wait for their answer, and answering them."""

import asyncio
from typing import NamedTuple

from temporalio.client import Client

from domain.values import codes, ids
from starters.client import incident_client
from starters.client.incident_client import Document
from starters.client.proving import Signing
from starters.errors import RefusedError

_OPEN = f"WorkflowType = 'Incident' AND ExecutionStatus = 'Running' AND {ids.INCIDENT_MODE} = 'upkeep'"


class Waiting(NamedTuple):
    """A task that waits for the code of a notice, or for a note on how somebody was heard."""

    incident: Document
    task: Document

    def takes(self, code: str) -> bool:
        """Whether this is the code that was last sent for it."""
        sent = next((one for one in self.incident["notices"] if one["step"] == self.task.get("code_of")), None)
        if sent is None or sent["code"] is None:
            return False
        return bool(codes.digest(code, codes.about(self.incident["id"], sent["sequence"])) == sent["code"])


async def confirm(client: Client, signing: Signing, by: str, code: str) -> list[Document]:
    """Say a code; gives what was confirmed. A code that is none of those that were sent last is refused."""
    found = [one for one in await _waiting(client) if one.takes(code)]
    if not found:
        raise RefusedError("no open check has this code: the last that was sent counts, until its check is over")
    return [await _done(client, signing, one, {"by": by, "code": code}) for one in found]


async def heard(client: Client, signing: Signing, by: str, environment: str, contact: str, note: str) -> list[Document]:
    """Confirm an environment's open checks of a contact or an external party by how a lead heard of them."""
    key = ids.contact_key(contact)
    waiting = await _waiting(client)
    found = [one for one in waiting if one.task["key"] == key and one.incident["environment"] == environment]
    if not found:
        raise RefusedError(f"no check of {contact!r} is open in {environment}: incident contact list")
    return [await _done(client, signing, one, {"by": by, "note": note}) for one in found]


async def _waiting(client: Client) -> list[Waiting]:
    """Every open task that has a key, of every upkeep that is open."""
    asked = await incident_client.states(client, _OPEN)
    return [Waiting(one, task) for one in asked for task in one["tasks"] if task["status"] == "open" and "key" in task]


async def _done(client: Client, signing: Signing, waiting: Waiting, said: Document) -> Document:
    incident, step = waiting.incident["id"], waiting.task["step"]
    given = {"step": step, **said}
    signed = await asyncio.to_thread(signing.command, waiting.incident, "complete_task", given)
    await incident_client.send(client, incident, "complete_task", signed)
    return {"incident": incident, "step": step, "title": waiting.task["title"]}
