"""What a command sends along so that whoever acts on it knows who sent it: a claim, signed by the caller's key."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click
from pydantic import ValidationError

from authority.claims import Act, Claim
from domain.config.names import unknown
from domain.config.organisation import COMMANDER, Organisation
from domain.model import acts
from starters.client.aws_signing import is_by_aws, proof_by_aws
from starters.client.signing import proof_of
from starters.errors import RefusedError
from starters.files.identities import load_identities
from starters.options import Options

_HOLDS = timedelta(hours=24)
"""How long a vote or a request holds: until it is acted on others have to vote, and AWS has to answer."""


class Said(NamedTuple):
    """What is claimed: an act about a subject (`domain.model.proofs`), of a step, or of one change of it."""

    act: Act
    subject: str
    step: str | None = None
    generation: int | None = None


class Signing(NamedTuple):
    """How the caller signs: by the `key` of a file, by AWS (`BY_AWS`), or, with none, by what they have enrolled."""

    options: Options
    key: Path | None = None

    def command(self, incident: dict[str, Any], name: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload of an incident's command, like `signed`; without a key of what needs no proof, as it is.

        What the incident could not read is left for it to refuse.
        """
        try:
            said = acts.given(acts.read(name, payload))
        except ValidationError:
            return payload
        claimed = Said(Act(acts.ACTS[name]), acts.subject(name, said), said.get("step"))
        try:
            return self.signed(incident, payload, claimed)
        except RefusedError:
            optional = name == "note" or said.get("event") in {"received", "accessed"} or _is_optional(incident, said)
            if self.key is not None or not optional:
                raise
            return payload

    def signed(
        self, incident: dict[str, Any], payload: dict[str, Any], said: Said, holds: timedelta = _HOLDS
    ) -> dict[str, Any]:
        """The payload of a command, signed where the incident's document asks for proofs; the claim `holds` so long.

        Raises `RefusedError` where the caller has no key, and what `load_identities` raises.
        """
        if not incident.get("proofs"):
            return payload
        organisation, now = self.options.load_organisation(), datetime.now(UTC).replace(microsecond=0)
        who = payload["by"]
        by = contact(organisation, incident.get("commander") or who if who == COMMANDER else who)
        about = {"organisation": organisation.id, "environment": incident["environment"], "incident": incident["id"]}
        fields = {**about, **said._asdict(), "by": by, "at": now, "expires": now + holds}
        try:
            claim = Claim(**fields, nonce=secrets.token_hex(16))
        except ValidationError as error:
            name = ".".join(map(str, error.errors()[0]["loc"]))
            raise click.UsageError(f"{name} cannot be signed: names are of printable ASCII") from error
        register = load_identities(self.options.folder(), organisation.id)
        if is_by_aws(register, by, self.key, now):
            there = self.options._replace(environment=incident["environment"]).load_environment()
            proof = proof_by_aws(claim, register, there)
        else:
            proof = proof_of(claim, register, self.key, now)
        return {**payload, "by": by, "proof": {"claim": claim.model_dump(mode="json"), **proof.model_dump()}}


def _is_optional(incident: dict[str, Any], said: dict[str, Any]) -> bool:
    """Whether it is a task that need not be done, or is proven by a code."""
    task = next((one for one in incident.get("tasks", []) if one["step"] == said.get("step")), None)
    return task is not None and (not task["required"] or ("code_of" in task and "note" not in said))


def contact(organisation: Organisation, who: str) -> str:
    """The id of a contact, or of the first who holds a role. Raises `UsageError`."""
    found = organisation.contact(who)
    if found is None:
        raise click.UsageError(unknown(who, [one.id for one in organisation.contacts], "contact"))
    return found.id
