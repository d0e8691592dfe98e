"""The responders' commands: acknowledge, note, done, mitigated, resolve, close and the like."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from starters.cli.send_command import command, send_and_print
from starters.options import Options


def _sends(name: str, text: str, *parameters: Callable[[Any], Any], update: str | None = None) -> click.Command:
    """A command that sends an update, by default of its own name, with its parameters, and prints the status."""

    def act(options: Options, incident: str, sign_with: Path | None, **given: str | None) -> None:
        send_and_print(options, incident, update or name, sign_with=sign_with, **given)

    return command(name, text, act, *parameters)


_STEP = click.argument("step")
_REASON = click.option("--reason", required=True)
_SEVERITY = click.argument("severity", metavar="P0..P3", type=click.Choice(["P0", "P1", "P2", "P3"]))
_DONE = click.option("--note", help="What was done, or where it is documented.")
_RELIEF = click.option("--summary", required=True, help="How the symptoms were removed.")
_REMEDY = click.option("--summary", required=True, help="What the cause was and how it was removed.")
_ACK = "Acknowledge incident ID: re-paging stops, and the first to acknowledge commands it."
_WAIVE = "Waive task STEP of incident ID: it will not be done, for the reason given."
_CLOSE = "Close incident ID, which must be resolved with every required task done or waived; this is final."
_REOPEN = "Reopen incident ID, which goes back to declared: it is not over."

ack = _sends("ack", _ACK, update="acknowledge")
note = _sends("note", "Add TEXT to the timeline of incident ID; no personal information.", click.argument("text"))
severity = _sends("severity", "Change the severity of incident ID.", _SEVERITY, _REASON, update="reclassify")
done = _sends("done", "Mark task STEP of incident ID done.", _STEP, _DONE, update="complete_task")
waive = _sends("waive", _WAIVE, _STEP, _REASON, update="waive_task")
mitigated = _sends("mitigated", "Mark incident ID mitigated: its symptoms are gone.", _RELIEF)
resolve = _sends("resolve", "Mark incident ID resolved: its cause is gone.", _REMEDY)
reopen = _sends("reopen", _REOPEN, _REASON)
false_alarm = _sends("false-alarm", "End incident ID as a false alarm; this is final.", _REASON, update="false_alarm")
close = _sends("close", _CLOSE)
