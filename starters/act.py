"""What people tell an incident: acknowledged, noted, done, mitigated, resolved, closed."""

from typing import TYPE_CHECKING, Any

import click

from starters.options import Options, shared

if TYPE_CHECKING:
    from temporalio.client import Client


@click.command()
@click.argument("incident", metavar="ID")
@shared
def ack(options: Options, incident: str) -> None:
    """Acknowledge incident ID: re-pages end, and the first to do so commands it."""
    _tell(options, incident, "acknowledge")


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("text")
@shared
def note(options: Options, incident: str, text: str) -> None:
    """Put TEXT on the timeline of incident ID; no personal information."""
    _tell(options, incident, "note", text=text)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("severity_", metavar="P0..P3", type=click.Choice(["P0", "P1", "P2", "P3"]))
@click.option("--reason", required=True)
@shared
def severity(options: Options, incident: str, severity_: str, reason: str) -> None:
    """Change the severity of incident ID."""
    _tell(options, incident, "reclassify", severity=severity_, reason=reason)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--note", "note_", help="What was done, or where it is written down.")
@shared
def done(options: Options, incident: str, step: str, note_: str | None) -> None:
    """Tell that task STEP of incident ID is done."""
    _tell(options, incident, "complete_task", step=step, note=note_)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--reason", required=True)
@shared
def waive(options: Options, incident: str, step: str, reason: str) -> None:
    """Waive task STEP of incident ID: it will not be done, for a reason."""
    _tell(options, incident, "waive_task", step=step, reason=reason)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--summary", required=True, help="How the symptoms went away.")
@shared
def mitigated(options: Options, incident: str, summary: str) -> None:
    """Tell that the symptoms of incident ID are gone."""
    _tell(options, incident, "mitigated", summary=summary)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--summary", required=True, help="What the cause was and what became of it.")
@shared
def resolve(options: Options, incident: str, summary: str) -> None:
    """Tell that the cause of incident ID is gone."""
    _tell(options, incident, "resolve", summary=summary)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--reason", required=True)
@shared
def reopen(options: Options, incident: str, reason: str) -> None:
    """Put incident ID back to declared: it is not over."""
    _tell(options, incident, "reopen", reason=reason)


@click.command(name="false-alarm")
@click.argument("incident", metavar="ID")
@click.option("--reason", required=True)
@shared
def false_alarm(options: Options, incident: str, reason: str) -> None:
    """End incident ID, which was none; this is final."""
    _tell(options, incident, "false_alarm", reason=reason)


@click.command()
@click.argument("incident", metavar="ID")
@shared
def close(options: Options, incident: str) -> None:
    """Close incident ID, which is resolved and has no required task open; this is final."""
    _tell(options, incident, "close")


def _tell(options: Options, incident: str, command: str, **given: Any) -> None:
    """Send a command in the caller's name and print the state that it led to."""
    payload = {"by": options.by(), **given}
    from starters import conversation, personal
    from starters.connection import run

    personal.warn(options, given.values())

    async def work(client: "Client") -> dict[str, Any]:
        return await conversation.tell(client, incident, command, payload)

    state = run(work)
    if options.as_json:
        import json

        click.echo(json.dumps(state, ensure_ascii=False))
        return
    waiting = ", ".join(state.get("waiting_for", []))
    click.echo(
        f"{incident} is {state['status']}, {state['severity']}" + (f"; waiting for {waiting}" if waiting else "")
    )
