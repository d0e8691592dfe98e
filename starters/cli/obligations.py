"""`incident facts`, `incident obligations` and `incident obligation`: what is owed, to whom and by when."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import RenderableType

from starters.cli import incident_tables, terminal
from starters.cli.output import answer, write
from starters.cli.send_command import send
from starters.cli.shared_options import instant, shared, sign_with_option
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

Document = dict[str, Any]


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--record", metavar="FACT", help="Record a fact, such as belief_at; it cannot be removed.")
@click.option("--at", metavar="TIME", help="The fact's time, RFC 3339 with an offset. Default: now.")
@click.option("--reason", help="Why; required to change the time of a recorded fact.")
@sign_with_option
@shared
def facts(
    options: Options, incident: str, record: str | None, at: str | None, reason: str | None, sign_with: Path | None
) -> None:
    """Show the facts that deadlines of incident ID count from, or record one."""
    if record is None:
        if at is not None or reason is not None:
            raise click.UsageError("--at and --reason need --record FACT")
        [state] = _states(incident)
    else:
        state = send(options, incident, "record_fact", sign_with=sign_with, fact=record, at=_instant(at), reason=reason)
    terminal.answer(options, state["facts"], lambda: _tables(options, state))


@click.command()
@click.argument("incident", metavar="[ID]", required=False)
@shared
def obligations(options: Options, incident: str | None) -> None:
    """Show the obligations of incident ID; without ID, the open ones of every incident."""
    states = _states(incident)
    rows = [{"incident": state["id"], **owed} for state in states for owed in state["obligations"]]
    if incident is not None:
        terminal.answer(options, rows, lambda: _tables(options, states[0]))
        return
    rows = sorted((row for row in rows if row["state"] == "open"), key=lambda row: str(row["due_at"]))
    terminal.answer(options, rows, lambda: [incident_tables.owed(rows, terminal.clock(options))])


def _tables(options: Options, state: Document) -> list[RenderableType]:
    clock = terminal.clock(options)
    return [incident_tables.facts(state, clock), incident_tables.obligations(state, clock)]


@click.group()
def obligation() -> None:
    """Sign off an obligation, or prepare its drafts. The program itself sends nothing to outside parties."""


@obligation.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--reference", help="The proof: a receipt number, or where it is filed.")
@click.option("--at", metavar="TIME", help="When it was done, RFC 3339 with an offset. Default: now.")
@click.option("--outcome", help="The decision, if the obligation asks for one.")
@click.option("--justification", help="Why it is late; required if it is.")
@click.option("--reason", help="The reason for the decision.")
@sign_with_option
@shared
def discharge(
    options: Options, incident: str, step: str, at: str | None, sign_with: Path | None, **given: str | None
) -> None:
    """Sign that obligation STEP of incident ID is discharged.

    The last required signature ends it.
    """
    _end(options, incident, "discharge_obligation", step, sign_with, at=_instant(at), **given)


@obligation.command(name="not-required")
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--reason", help="Why it does not apply; required from the first signer.")
@sign_with_option
@shared
def not_required(options: Options, incident: str, step: str, reason: str | None, sign_with: Path | None) -> None:
    """Sign that obligation STEP of incident ID is not required."""
    _end(options, incident, "obligation_not_required", step, sign_with, reason=reason)


@obligation.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--reason", help="Which obligation replaces it, and why; required from the first signer.")
@sign_with_option
@shared
def superseded(options: Options, incident: str, step: str, reason: str | None, sign_with: Path | None) -> None:
    """Sign that another obligation supersedes STEP of incident ID."""
    _end(options, incident, "supersede_obligation", step, sign_with, reason=reason)


@obligation.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="The folder to write the drafts to."
)
@shared
def pack(options: Options, incident: str, step: str, output: Path | None) -> None:
    """Prepare the drafts for obligation or task STEP of incident ID.

    What is known is filled in; the rest is left to people.
    """
    from starters.cli import drafts

    [state] = _states(incident)
    written = drafts.drafts(options, state, step)
    if output is not None:
        try:
            output.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(f"{output}: {error.strerror}") from error
        for name, text in written.items():
            write(output / name, text.encode())
    text = "\n\n".join(written.values()) if output is None else "\n".join(str(output / name) for name in written)
    answer(options, {"incident": incident, "step": step, "drafts": written}, text)


def _end(options: Options, incident: str, update: str, step: str, sign_with: Path | None, **given: str | None) -> None:
    """Sign how an obligation ends, and print how it stands. Who says nothing of their own agrees to what stands."""
    if not any(given.values()):
        given["proposal"] = _agreed(incident, step)
    state = send(options, incident, update, step=step, sign_with=sign_with, **given)
    owed = next(owed for owed in state["obligations"] if owed["step"] == step)
    signed = {signature["role"] for signature in owed["signatures"]}
    missing = [role for role in owed["signers"] if role not in signed]
    left = f"; still to sign: {', '.join(missing)}" if owed["state"] == "open" and missing else ""
    answer(options, owed, f"{incident} {step} is {owed['state']}{left}")


def _instant(text: str | None) -> str | None:
    at = instant(text)
    return None if at is None else at.isoformat()


def _states(incident: str | None) -> list[Document]:
    """The incident's document; without one, those of all whose workflow runs: no obligation is open in any other."""
    from starters.client import incident_client
    from starters.client.connection import run

    async def work(client: "Client") -> list[Document]:
        query = "WorkflowType = 'Incident' AND ExecutionStatus = 'Running'"
        return (
            [await incident_client.state(client, incident)] if incident else await incident_client.states(client, query)
        )

    return run(work)


def _agreed(incident: str, step: str) -> str | None:
    """The digest of the ending that stands proposed, as it is shown here; None where nobody signs, or none stands."""
    from pydantic import ValidationError

    from domain.model.duty_records import Ending

    [state] = _states(incident)
    standing: Document = next((owed for owed in state["obligations"] if owed["step"] == step), {})
    if not state.get("proofs") or standing.get("proposal") is None:
        return None
    try:
        ending = Ending.model_validate(standing["proposal"])
    except ValidationError as error:
        raise RefusedError(f"how {step} is proposed to end cannot be read: say all of it yourself") from error
    parts = [f"{name} {terminal.clean(str(value))}" for name, value in ending.model_dump(mode="json").items() if value]
    click.echo(f"You agree to how {step} ends: {'; '.join(parts)}", err=True)
    return ending.digest()
