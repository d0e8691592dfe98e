"""`incident watch`: follow an incident until it ends."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group, RenderableType
from rich.live import Live

from domain.values.durations import spoken
from domain.values.local_time import UNKNOWN, Clock, instant
from starters.cli import incident_tables, terminal
from starters.cli.output import print_json
from starters.cli.plan_words import all_worded
from starters.cli.send_command import ask
from starters.cli.shared_options import shared
from starters.errors import UnreachableError
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client

_LOOK_SECONDS = 1.0
_ENDED = {"closed", "false-alarm"}


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--once", is_flag=True, help="Print how it stands now, and end.")
@shared
def watch(options: Options, incident: str, once: bool) -> None:
    """Follow incident ID until it ends: what is due and when, who is waited for, and what to type next.

    With --json the last frame is printed as a document: now with --once, else when the incident ends.
    """
    from starters.client.connection import run

    clock = None if options.as_json else terminal.clock(options)
    state = ask(incident) if once else run(_follow, incident, clock)
    if clock is None:
        print_json({"state": all_worded(state), "next": state["next"]})
    elif once:
        terminal.show(frame(state, datetime.now(UTC), clock))


async def _follow(client: "Client", incident: str, clock: Clock | None) -> dict[str, Any]:
    """Look again and again; a pause of the workers is shown, not fatal."""
    from starters.client import incident_client

    state = await incident_client.state(client, incident)
    quiet = clock is None
    with Live(console=terminal.console(stderr=quiet), auto_refresh=False, transient=quiet) as live:
        trouble = ""
        while True:
            if clock is not None:
                live.update(frame(state, datetime.now(UTC), clock, trouble), refresh=True)
            if state["status"] in _ENDED:
                return state
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                state, trouble = await incident_client.state(client, incident), ""
            except UnreachableError as error:
                trouble = f"{error}; this is how it stood before"


def frame(state: dict[str, Any], now: datetime, clock: Clock, trouble: str = "") -> RenderableType:
    """One picture of an incident at `now` (UTC)."""

    def due(entry: dict[str, Any]) -> list[str]:
        at = instant(entry["at"])
        left = UNKNOWN if at is None else "now" if at <= now else spoken(at - now)
        return [left, clock(entry["at"]), entry["what"]]

    parts: list[RenderableType] = [incident_tables.head(state, clock)]
    if trouble:
        parts.append(trouble)
    if state["status"] in _ENDED:
        parts.append(f"It has ended: incident report {state['id']}")
    else:  # the commands stand first: a low window cuts the frame at its foot
        commands = ([item["who"], item["command"], item["why"]] for item in state["next"])
        parts.append(terminal.table("What to type next", "Who", "Command", "Why", rows=commands))
        dues = map(due, state["due"][:5])
        parts.append(terminal.table("Due next, if nobody does anything", "In", "At", "What", rows=dues))
    if state["changes"]:
        parts.append(incident_tables.changes(state))
    if state["findings"]:
        parts.append(incident_tables.findings(state))
    return Group(*parts)
