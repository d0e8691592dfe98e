"""The responders' commands: acknowledge, note, done, mitigated, resolve, close and the like."""

from collections.abc import Callable
from typing import Any

import click

from starters.cli.send_command import command, send_and_print
from starters.options import Options


def _sends(update: str, name: str, text: str, *parameters: Callable[[Any], Any]) -> click.Command:
    """A command that sends the update of that name, with its parameters as they are given, and prints the status."""

    def act(options: Options, incident: str, **given: str | None) -> None:
        send_and_print(options, incident, update, **given)

    return command(name, text, act, *parameters)


_STEP = click.argument("step")
_REASON = click.option("--reason", required=True)

ack = _sends(
    "acknowledge", "ack", "Acknowledge incident ID: re-paging stops, and the first to acknowledge commands it."
)
note = _sends(
    "note", "note", "Add TEXT to the timeline of incident ID; no personal information.", click.argument("text")
)
severity = _sends(
    "reclassify",
    "severity",
    "Change the severity of incident ID.",
    click.argument("severity", metavar="P0..P3", type=click.Choice(["P0", "P1", "P2", "P3"])),
    _REASON,
)
done = _sends(
    "complete_task",
    "done",
    "Mark task STEP of incident ID done.",
    _STEP,
    click.option("--note", help="What was done, or where it is documented."),
)
waive = _sends(
    "waive_task", "waive", "Waive task STEP of incident ID: it will not be done, for the reason given.", _STEP, _REASON
)
mitigated = _sends(
    "mitigated",
    "mitigated",
    "Mark incident ID mitigated: its symptoms are gone.",
    click.option("--summary", required=True, help="How the symptoms were removed."),
)
resolve = _sends(
    "resolve",
    "resolve",
    "Mark incident ID resolved: its cause is gone.",
    click.option("--summary", required=True, help="What the cause was and how it was removed."),
)
reopen = _sends("reopen", "reopen", "Reopen incident ID, which goes back to declared: it is not over.", _REASON)
false_alarm = _sends("false_alarm", "false-alarm", "End incident ID as a false alarm; this is final.", _REASON)
close = _sends(
    "close",
    "close",
    "Close incident ID, which must be resolved with every required task done or waived; this is final.",
)
