"""The responders' commands: acknowledge, note, done, mitigated, resolve, close and the like."""

import click

from starters.cli.send_command import send_and_print
from starters.cli.shared_options import shared
from starters.options import Options


@click.command()
@click.argument("incident", metavar="ID")
@shared
def ack(options: Options, incident: str) -> None:
    """Acknowledge incident ID: re-paging stops, and the first to acknowledge commands it."""
    send_and_print(options, incident, "acknowledge")


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("text")
@shared
def note(options: Options, incident: str, text: str) -> None:
    """Add TEXT to the timeline of incident ID; no personal information."""
    send_and_print(options, incident, "note", text=text)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("severity_", metavar="P0..P3", type=click.Choice(["P0", "P1", "P2", "P3"]))
@click.option("--reason", required=True)
@shared
def severity(options: Options, incident: str, severity_: str, reason: str) -> None:
    """Change the severity of incident ID."""
    send_and_print(options, incident, "reclassify", severity=severity_, reason=reason)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--note", "note_", help="What was done, or where it is documented.")
@shared
def done(options: Options, incident: str, step: str, note_: str | None) -> None:
    """Mark task STEP of incident ID done."""
    send_and_print(options, incident, "complete_task", step=step, note=note_)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--reason", required=True)
@shared
def waive(options: Options, incident: str, step: str, reason: str) -> None:
    """Waive task STEP of incident ID: it will not be done, for the reason given."""
    send_and_print(options, incident, "waive_task", step=step, reason=reason)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--summary", required=True, help="How the symptoms were removed.")
@shared
def mitigated(options: Options, incident: str, summary: str) -> None:
    """Mark incident ID mitigated: its symptoms are gone."""
    send_and_print(options, incident, "mitigated", summary=summary)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--summary", required=True, help="What the cause was and how it was removed.")
@shared
def resolve(options: Options, incident: str, summary: str) -> None:
    """Mark incident ID resolved: its cause is gone."""
    send_and_print(options, incident, "resolve", summary=summary)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--reason", required=True)
@shared
def reopen(options: Options, incident: str, reason: str) -> None:
    """Reopen incident ID, which goes back to declared: it is not over."""
    send_and_print(options, incident, "reopen", reason=reason)


@click.command(name="false-alarm")
@click.argument("incident", metavar="ID")
@click.option("--reason", required=True)
@shared
def false_alarm(options: Options, incident: str, reason: str) -> None:
    """End incident ID as a false alarm; this is final."""
    send_and_print(options, incident, "false_alarm", reason=reason)


@click.command()
@click.argument("incident", metavar="ID")
@shared
def close(options: Options, incident: str) -> None:
    """Close incident ID, which must be resolved with every required task done or waived; this is final."""
    send_and_print(options, incident, "close")
