"""What people tell an incident: acknowledged, noted, done, mitigated, resolved, closed."""

import click

from starters.cli.send_command import tell
from starters.cli.shared_options import shared
from starters.options import Options


@click.command()
@click.argument("incident", metavar="ID")
@shared
def ack(options: Options, incident: str) -> None:
    """Acknowledge incident ID: re-pages end, and the first to do so commands it."""
    tell(options, incident, "acknowledge")


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("text")
@shared
def note(options: Options, incident: str, text: str) -> None:
    """Put TEXT on the timeline of incident ID; no personal information."""
    tell(options, incident, "note", text=text)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("severity_", metavar="P0..P3", type=click.Choice(["P0", "P1", "P2", "P3"]))
@click.option("--reason", required=True)
@shared
def severity(options: Options, incident: str, severity_: str, reason: str) -> None:
    """Change the severity of incident ID."""
    tell(options, incident, "reclassify", severity=severity_, reason=reason)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--note", "note_", help="What was done, or where it is written down.")
@shared
def done(options: Options, incident: str, step: str, note_: str | None) -> None:
    """Tell that task STEP of incident ID is done."""
    tell(options, incident, "complete_task", step=step, note=note_)


@click.command()
@click.argument("incident", metavar="ID")
@click.argument("step")
@click.option("--reason", required=True)
@shared
def waive(options: Options, incident: str, step: str, reason: str) -> None:
    """Waive task STEP of incident ID: it will not be done, for a reason."""
    tell(options, incident, "waive_task", step=step, reason=reason)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--summary", required=True, help="How the symptoms went away.")
@shared
def mitigated(options: Options, incident: str, summary: str) -> None:
    """Tell that the symptoms of incident ID are gone."""
    tell(options, incident, "mitigated", summary=summary)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--summary", required=True, help="What the cause was and what became of it.")
@shared
def resolve(options: Options, incident: str, summary: str) -> None:
    """Tell that the cause of incident ID is gone."""
    tell(options, incident, "resolve", summary=summary)


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--reason", required=True)
@shared
def reopen(options: Options, incident: str, reason: str) -> None:
    """Put incident ID back to declared: it is not over."""
    tell(options, incident, "reopen", reason=reason)


@click.command(name="false-alarm")
@click.argument("incident", metavar="ID")
@click.option("--reason", required=True)
@shared
def false_alarm(options: Options, incident: str, reason: str) -> None:
    """End incident ID, which was none; this is final."""
    tell(options, incident, "false_alarm", reason=reason)


@click.command()
@click.argument("incident", metavar="ID")
@shared
def close(options: Options, incident: str) -> None:
    """Close incident ID, which is resolved and has no required task open; this is final."""
    tell(options, incident, "close")
