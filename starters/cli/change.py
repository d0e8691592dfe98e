"""Requesting changes, and voting on exactly the plan that was shown."""

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from rich.console import RenderableType

from starters.cli import incident_tables, terminal
from starters.cli.output import answer, print_json
from starters.cli.plan_words import plan_words, worded
from starters.cli.shared_options import shared, sign_with_option
from starters.errors import RefusedError, UnreachableError
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

_PLAN_SECONDS = 120
_LOOK_SECONDS = 0.2
_ENDED_WITHOUT_EFFECT = {"failed", "rejected", "cancelled", "expired", "stale"}


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A parameter that the step asks for.")
@sign_with_option
@shared
def change(options: Options, incident: str, step: str, settings: tuple[str, ...], sign_with: Path | None) -> None:
    """Request change STEP of incident ID and print its plan; nothing is changed until the plan is approved.

    `incident show ID` lists the changes on offer.
    """
    from authority.claims import Act
    from domain.model.acts import of_request
    from starters.client import incident_client
    from starters.client.connection import run
    from starters.client.proving import Said, Signing
    from starters.files import parameters

    by, given = options.by(), parameters.pairs(settings)

    async def work(client: "Client") -> dict[str, Any]:
        document = await incident_client.state(client, incident)
        values: dict[str, Any] = given
        if given:
            action = next((one.get("change") for one in document["offers"] if one["step"] == step), None)
            values = parameters.typed(action, given)
        payload = {"by": by, "step": step, "set": values}
        signing = Signing(options, sign_with)
        said = Said(Act.REQUEST, of_request(step, values), step)
        signed = await asyncio.to_thread(signing.signed, document, payload, said)
        return await _planned(client, incident, "request_change", signed)

    _print_plan(options, run(work))


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@sign_with_option
@shared
def undo(options: Options, incident: str, step: str, sign_with: Path | None) -> None:
    """Request the undo of change STEP of incident ID: a new change, planned and approved like any other."""
    from authority.claims import Act
    from domain.model.acts import of_undo
    from starters.client import incident_client
    from starters.client.connection import run
    from starters.client.proving import Said, Signing

    payload = {"by": options.by(), "step": step}

    async def work(client: "Client") -> dict[str, Any]:
        document = await incident_client.state(client, incident)
        signing = Signing(options, sign_with)
        signed = await asyncio.to_thread(signing.signed, document, payload, Said(Act.UNDO, of_undo(step), step))
        return await _planned(client, incident, "undo", signed)

    _print_plan(options, run(work))


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option(
    "--digest", help="The digest of the plan you were shown. Without it, the plan is shown and you are asked."
)
@click.option("--comment")
@click.option("--print", "only_print", is_flag=True, help="Print the signed payload for a signal, and send nothing.")
@sign_with_option
@shared
def approve(
    options: Options,
    incident: str,
    step: str,
    digest: str | None,
    comment: str | None,
    *,
    only_print: bool,
    sign_with: Path | None,
) -> None:
    """Approve the plan of change STEP of incident ID.

    What --print gives is sent by temporal workflow signal, from wherever that runs.
    """
    by = options.by()
    # stderr too: the plan is shown there, as stdout belongs to the command's result
    if digest is None and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("without a terminal, give --digest: nobody approves a plan they have not been shown")
    vote = _Vote(options, incident, step, "approve", {"by": by, "digest": digest, "comment": comment}, sign_with)
    if not only_print:
        vote.send()
        return
    workflow, payload = vote.signed()
    print_json(payload)
    click.echo(f"Send it: temporal workflow signal -w {workflow} --name approve --input PAYLOAD", err=True)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--reason", required=True)
@sign_with_option
@shared
def reject(options: Options, incident: str, step: str, reason: str, sign_with: Path | None) -> None:
    """Reject the plan of change STEP of incident ID."""
    _Vote(options, incident, step, "reject", {"by": options.by(), "reason": reason}, sign_with).send()


class _Vote(NamedTuple):
    """What somebody decides of the plan of a change; an approval without a digest is asked for first."""

    options: Options
    incident: str
    step: str
    vote: str
    payload: dict[str, Any]
    sign_with: Path | None

    def send(self) -> None:
        """Send it, and print how the change stands."""
        from starters.client import incident_client
        from starters.client.connection import run

        async def work(client: "Client") -> dict[str, Any]:
            workflow, payload = await self._signed(client)
            return await incident_client.send(client, workflow, self.vote, payload)

        record = worded(run(work))
        waiting = ", ".join(record.get("eligible") or [])
        still = f"; waiting for {waiting}" if record["status"] == "awaiting-approval" and waiting else ""
        answer(self.options, record, f"{self.incident} {self.step} is {record['status']}{still}")

    def signed(self) -> tuple[str, dict[str, Any]]:
        """The change's workflow, and what is sent to it: with a proof where the incident asks for one."""
        from starters.client.connection import run

        return run(self._signed)

    async def _signed(self, client: "Client") -> tuple[str, dict[str, Any]]:
        from authority.claims import Act
        from domain.model.proofs import of_vote
        from starters.client import incident_client
        from starters.client.proving import Said, Signing

        payload = dict(self.payload)
        document = await incident_client.state(client, self.incident)
        workflow = incident_client.change_of(document, self.step)
        if self.vote == "approve" and payload["digest"] is None:
            payload["digest"] = _confirmed(await incident_client.ask(client, workflow, "state"))
        if not document.get("proofs"):
            return workflow, payload
        plan = (await incident_client.ask(client, workflow, "state")).get("plan") or {}
        subject = of_vote(workflow, payload.get("digest") or plan.get("digest"))
        said = Said(Act(self.vote), subject, self.step, int(workflow.rsplit("/", 1)[1]))
        signing = Signing(self.options, self.sign_with)
        return workflow, await asyncio.to_thread(signing.signed, document, payload, said)


async def _planned(client: "Client", incident: str, command: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Request a change and wait for its plan, which its own workflow makes."""
    from starters.client import incident_client

    document = await incident_client.send(client, incident, command, payload)
    workflow = incident_client.change_of(document, payload["step"])
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


def _confirmed(record: dict[str, Any]) -> str:
    """Show the plan on the terminal, ask, and return the digest of the plan shown.

    Raises `RefusedError` where what would be shown is not the whole plan of its digest.
    """
    if record["status"] != "awaiting-approval":
        raise RefusedError(f"{record['workflow_id']} is {record['status']}; there is nothing to approve")
    if plan_words(record["plan"]) is None:
        raise RefusedError(f"{record['workflow_id']} shows another plan than that of its digest, or not all of it")
    out = terminal.console(stderr=True)
    for part in incident_tables.plan(record):
        out.print(part)
    if not click.confirm("Approve exactly this?", err=True):
        raise RefusedError("not approved")
    digest: str = record["plan"]["digest"]
    return digest


def _print_plan(options: Options, planned: dict[str, Any]) -> None:
    record = worded(planned)

    def parts() -> list[RenderableType]:
        if record["status"] != "awaiting-approval":
            return incident_tables.plan(record)
        incident = record["workflow_id"].split("/")[0]
        step = f"Next, by somebody other than who requested it:\n  incident approve {incident} {record['step']}"
        return [*incident_tables.plan(record), step]

    terminal.answer(options, record, parts)
