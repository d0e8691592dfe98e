"""Deciding on a change: approve exactly the plan that was shown, reject it, or decide alone when nobody answers."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from starters.cli import incident_tables, phi_warning, planning, terminal
from starters.cli.output import answer, print_json
from starters.cli.plan_words import plan_words, worded
from starters.cli.shared_options import shared, sign_with_option
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

    from authority.claims import Act

_ALONE_FOR = timedelta(minutes=60)
"""How long it holds that somebody decides alone; the hands take none that holds for longer."""

_MAY_BE_ASKED_AGAIN = {"expired", "failed", "stale"}
"""Of these nobody has said no, and nothing was done where it is not `ours`: what failed may have been applied."""


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
    if digest is None and not terminal.is_interactive():
        raise click.UsageError("without a terminal, give --digest: nobody approves a plan they have not been shown")
    vote = Vote(options, incident, step, "approve", {"by": by, "digest": digest, "comment": comment}, sign_with)
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
    Vote(options, incident, step, "reject", {"by": options.by(), "reason": reason}, sign_with).send()


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--reason", required=True, help="Why nobody else can be waited for; it is signed with the plan.")
@click.option("--yes", is_flag=True, help="Do not ask for the step once more, as where there is no terminal.")
@sign_with_option
@shared
def break_glass(options: Options, incident: str, step: str, reason: str, *, yes: bool, sign_with: Path | None) -> None:
    """Decide change STEP of incident ID alone, when nobody answers who may; it is requested if it was not yet.

    It is for changes of class A2 alone, never for what touches evidence or who may do what. Those whom the
    organisation names are paged at once, and what you did is reviewed by somebody else within a day.

    For example: incident break-glass inc-20261127-p48z rollback --reason "no approver answers since 03:10"
    """
    by = options.by()
    if not yes and not terminal.is_interactive():
        raise click.UsageError("without a terminal, give --yes: nobody decides alone without having been asked")
    given = {"by": by, "digest": None, "reason": reason}
    asked = "" if yes else step
    Vote(options, incident, step, "break_glass", given, sign_with, typed=asked).send()


class Vote(NamedTuple):
    """What somebody decides of the plan of a change; the plan of an approval without a digest is shown first.

    Whoever decides it alone types what `typed` says once more, where it says something.
    """

    options: Options
    incident: str
    step: str
    vote: str
    payload: dict[str, Any]
    sign_with: Path | None
    typed: str = ""

    def send(self) -> dict[str, Any]:
        """Send it, and print how the change stands; returns the change."""
        from starters.client import incident_client
        from starters.client.connection import run

        # before it is sent: a record cannot be changed afterwards
        phi_warning.warn(
            (self.payload.get(name) for name in ("comment", "reason")),
            lambda: self.options.load_organisation().model_dump(mode="json"),
        )

        async def work(client: "Client") -> dict[str, Any]:
            workflow, payload = await self._signed(client)
            return await incident_client.send(client, workflow, self.vote, payload)

        record = worded(run(work))
        waiting = ", ".join(record.get("eligible") or [])
        still = f"; waiting for {waiting}" if record["status"] == "awaiting-approval" and waiting else ""
        answer(self.options, record, f"{self.incident} {self.step} is {record['status']}{still}")
        return record

    def signed(self) -> tuple[str, dict[str, Any]]:
        """The change's workflow, and what is sent to it: with a proof where the incident asks for one."""
        from starters.client.connection import run

        return run(self._signed)

    async def _signed(self, client: "Client") -> tuple[str, dict[str, Any]]:
        from starters.client import incident_client
        from starters.client.proving import Said, Signing

        payload = dict(self.payload)
        document = await incident_client.state(client, self.incident)
        if self.vote == "break_glass":
            document = await self._requested(client, document)
        workflow = incident_client.change_of(document, self.step)
        record = await incident_client.ask(client, workflow, "state")
        if "digest" in payload and payload["digest"] is None:
            payload["digest"] = _confirmed(record, self.vote, self.typed)
        if not document.get("proofs"):
            return workflow, payload
        digest = payload.get("digest") or (record.get("plan") or {}).get("digest")
        act, subject = self._act(workflow, digest)
        said = Said(act, subject, self.step, int(workflow.rsplit("/", 1)[1]))
        signing = Signing(self.options, self.sign_with)
        holds = {"holds": _ALONE_FOR} if self.vote == "break_glass" else {}
        return workflow, await asyncio.to_thread(signing.signed, document, payload, said, **holds)

    def _act(self, workflow: str, digest: str | None) -> "tuple[Act, str]":
        """As which act it is signed, and over what."""
        from authority.claims import Act
        from domain.model.proofs import of_break_glass, of_vote

        if self.vote == "break_glass" and digest is not None:
            return Act.BREAK_GLASS, of_break_glass(digest, self.payload["reason"])
        return Act(self.vote), of_vote(workflow, digest)

    async def _requested(self, client: "Client", document: dict[str, Any]) -> dict[str, Any]:
        """The incident once the change has a plan: one under way is waited for, one never asked for is requested now.

        Raises `RefusedError` where it was done, or decided on otherwise, already.
        """
        latest = next((one for one in reversed(document["changes"]) if one["step"] == self.step), None)
        if latest is None or (latest["status"] in _MAY_BE_ASKED_AGAIN and not latest["ours"]):
            try:
                await planning.requested(client, self.options, document, self.step, {}, self.sign_with)
            except RefusedError as error:  # such as for want of a value
                first = f"incident change {self.incident} {self.step}"
                raise RefusedError(f"{error.message}; ask for it first ({first}), then break the glass") from error
        elif latest["status"] in {"planning", "awaiting-approval"}:
            await planning.plan_of(client, self.incident, latest["workflow_id"])
        else:  # said twice, it would be done twice
            raise RefusedError(
                f"{latest['workflow_id']} is {latest['status']}; to do it once more, ask for that first: "
                f"incident change {self.incident} {self.step}"
            )
        from starters.client import incident_client

        return await incident_client.state(client, self.incident)


def decide_own(options: Options, incident: str, planned: dict[str, Any], *, yes: bool, sign_with: Path | None) -> None:
    """Print a plan; where whoever requested it decides on it, ask them to, and send what they say.

    Raises `UsageError` where nobody can be asked: the plan is printed then, and the change waits.
    """
    if planned["status"] != "awaiting-approval" or planned["eligible"] != ["requester"]:
        planning.print_plan(options, planned)
        return
    step, digest = planned["step"], planned["plan"]["digest"]
    payload = {"by": options.by(), "digest": digest, "comment": None}
    if yes:
        if not options.as_json:
            planning.print_plan(options, planned)
    elif terminal.is_interactive():
        payload["digest"] = _confirmed(planned, "apply", "")
    else:
        planning.print_plan(options, planned)
        raise click.UsageError(
            f"it waits for you: give --yes without a terminal, or approve it (incident approve {incident} {step} "
            f"--digest {digest})"
        )
    Vote(options, incident, step, "approve", payload, sign_with).send()


def _confirmed(record: dict[str, Any], vote: str, typed: str) -> str:
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
    if vote != "break_glass":
        if not click.confirm(f"{vote.capitalize()} exactly this?", err=True):
            incident, step = record["workflow_id"].split("/")[0], record["step"]
            waits = f"not applied; it waits for you: incident approve {incident} {step}"
            raise RefusedError(waits if vote == "apply" else "not approved")
    elif typed and click.prompt(f"You decide this alone. To do it, type {typed}", err=True) != typed:
        raise RefusedError("another step was typed: nothing is done")
    digest: str = record["plan"]["digest"]
    return digest
