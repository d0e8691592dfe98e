"""Requests for changes, and their plans: asked for, waited for, printed."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from starters.cli import incident_tables, terminal
from starters.cli.plan_words import worded
from starters.errors import RefusedError, UnreachableError
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

_PLAN_SECONDS = 120
_LOOK_SECONDS = 0.2
_ENDED_WITHOUT_EFFECT = {"failed", "rejected", "cancelled", "expired", "stale"}


async def requested(
    client: "Client",
    options: Options,
    document: dict[str, Any],
    step: str,
    given: dict[str, str],
    sign_with: Path | None,
) -> dict[str, Any]:
    """Request the change of a step of the incident with this document, signed where it asks for it; with its plan."""
    from authority.claims import Act
    from domain.model.acts import of_request
    from starters.client.proving import Said, Signing
    from starters.files import parameters

    values: dict[str, Any] = given
    if given:
        action = next((one.get("change") for one in document["offers"] if one["step"] == step), None)
        values = parameters.typed(action, given)
    payload = {"by": options.by(), "step": step, "set": values}
    said = Said(Act.REQUEST, of_request(step, values), step)
    signed = await asyncio.to_thread(Signing(options, sign_with).signed, document, payload, said)
    return await _sent(client, document["id"], "request_change", signed)


async def undone(
    client: "Client", options: Options, document: dict[str, Any], step: str, sign_with: Path | None
) -> dict[str, Any]:
    """The same for the undo of what a step has done last."""
    from authority.claims import Act
    from domain.model.acts import of_undo
    from starters.client.proving import Said, Signing

    payload, said = {"by": options.by(), "step": step}, Said(Act.UNDO, of_undo(step), step)
    signed = await asyncio.to_thread(Signing(options, sign_with).signed, document, payload, said)
    return await _sent(client, document["id"], "undo", signed)


async def _sent(client: "Client", incident: str, command: str, payload: dict[str, Any]) -> dict[str, Any]:
    from starters.client import incident_client

    document = await incident_client.send(client, incident, command, payload)
    return await plan_of(client, incident, incident_client.change_of(document, payload["step"]))


async def plan_of(client: "Client", incident: str, workflow: str) -> dict[str, Any]:
    """Wait for the plan of a change, which its own workflow makes. Raises `RefusedError` where there is none."""
    from starters.client import incident_client

    until = time.monotonic() + _PLAN_SECONDS
    record: dict[str, Any] = await incident_client.ask(client, workflow, "state")
    while record["status"] == "planning":
        if time.monotonic() > until:
            raise UnreachableError(
                f"{workflow} has no plan after {_PLAN_SECONDS} s and is still working on it: incident show {incident}"
            )
        await asyncio.sleep(_LOOK_SECONDS)  # queries add nothing to the change's history
        record = await incident_client.ask(client, workflow, "state")
    if record["status"] in _ENDED_WITHOUT_EFFECT:
        raise RefusedError(
            f"{workflow} {record['status']}: {record.get('reason') or 'see incident timeline ' + incident}"
        )
    return record


def print_plan(options: Options, planned: dict[str, Any]) -> None:
    """Print a plan, and what comes next where somebody else decides."""
    record = worded(planned)

    def parts() -> list[RenderableType]:
        if record["status"] != "awaiting-approval" or record["eligible"] == ["requester"]:
            return incident_tables.plan(record)
        incident = record["workflow_id"].split("/")[0]
        step = f"Next, by somebody other than who requested it:\n  incident approve {incident} {record['step']}"
        return [*incident_tables.plan(record), step]

    terminal.answer(options, record, parts)
