"""Where a custody event goes: to the incident while its workflow lives, else straight behind its closed chain."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError
from temporalio.client import Client, WorkflowExecutionStatus

from domain.model import acts
from domain.model.commands import Custody
from domain.model.proofs import ClaimAsked
from domain.rules.custody import behind_the_end
from domain.values.status import FINAL
from starters.client import incident_client
from starters.client.connection import look, run
from starters.client.proving import Signing
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.action import Clients

_LOOK_SECONDS = 0.2
_ENDING_SECONDS = 60


def keep(
    options: Options, incident: str, payload: dict[str, Any], clients: "Clients", sign_with: Path | None
) -> int | None:
    """Put a custody event on record; gives its number where this command wrote it itself, behind a closed chain.

    It is signed (`Signing`, by `sign_with`) where evidence leaves our hands by it.

    Raises `RefusedError` with the reason. A repeat is a second event, except after a cut between the entry and its
    signature: then it signs the entry that stands there.
    """
    try:
        command = Custody.model_validate(payload)
    except ValidationError as error:
        raise click.UsageError(error.errors(include_url=False, include_input=False)[0]["msg"]) from error

    signing = Signing(options, sign_with)
    if run(_sent, incident, payload, signing):
        return None
    return _behind(options, incident, command, clients, signing)


async def _sent(client: Client, incident: str, payload: dict[str, Any], signing: Signing) -> bool:
    """Send it to the incident; no when its workflow is over, or Temporal does not have it any more."""
    until = time.monotonic() + _ENDING_SECONDS
    while (found := await look(client, incident)) and found.status is WorkflowExecutionStatus.RUNNING:
        if (document := await incident_client.state(client, incident))["status"] not in FINAL:
            signed = await asyncio.to_thread(signing.command, document, "custody", payload)
            try:
                await incident_client.send(client, incident, "custody", signed)
            except RefusedError:
                if (await incident_client.state(client, incident))["status"] not in FINAL:
                    raise
            else:
                return True
        if time.monotonic() > until:
            raise RefusedError(f"{incident} is just being closed; say it again once it is")
        await asyncio.sleep(_LOOK_SECONDS)
    return False


def _behind(options: Options, incident: str, command: Custody, clients: "Clients", signing: Signing) -> int:
    from activities.ledger.store import LedgerStore

    who, environment = options.load_organisation().contact(command.by), options.load_environment()
    if who is None:
        raise RefusedError(f"{command.by!r} is no contact or role of the organisation")
    about = {"proofs": environment.kind != "sandbox", "environment": environment.name, "id": incident}
    said = command.model_dump(mode="json", exclude={"proof"}, exclude_defaults=True)
    proof = signing.command(about, "custody", said).get("proof")
    if isinstance(proof, dict) and proof.get("method") == "aws-iam":
        _witness(options, clients, acts.subject("custody", acts.given(command)), proof)
    entry = behind_the_end(command, who, proof)
    return LedgerStore(clients, environment).follow(incident, entry, datetime.now(UTC)).seq


def _witness(options: Options, clients: "Clients", subject: str, proof: dict[str, Any]) -> None:
    """Have what AWS says of a signature put on record: nobody else looks at this one. Raises `RefusedError`."""
    from authority.aws_iam import StsUnavailableError
    from starters.client import aws_session

    claim = proof["claim"]
    about = {name: claim[name] for name in ("environment", "incident", "step", "act", "by")}
    asked = ClaimAsked(**about, subject=subject, proof=proof)
    try:
        verdict = aws_session.witness(options, clients).look(asked, datetime.now(UTC))
    except StsUnavailableError as error:
        raise RefusedError(f"{error}: say it again") from error
    if verdict.proven is None:
        raise RefusedError(f"{claim['by']} is not proven: {verdict.reason}")
