"""`incident list`: from Temporal's visibility store, so no worker is needed."""

import re
from typing import TYPE_CHECKING, Any

import click

from domain.model.timeline import shortened
from domain.values import ids
from domain.values.local_time import UNKNOWN, instant
from domain.values.timestamps import stamp
from starters.cli import terminal
from starters.cli.output import print_json
from starters.cli.shared_options import shared
from starters.options import Options

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowExecution

    from starters.client.notes import Notes

_STATUSES = ["declared", "acknowledged", "mitigated", "resolved", "closed", "false-alarm"]


@click.command(name="list")
@click.option("--severity", type=click.Choice(["P0", "P1", "P2", "P3"]))
@click.option("--status", type=click.Choice(_STATUSES))
@click.option("--waiting-for", metavar="WHO", help="A role, or a contact with any of theirs, as a stand-in too.")
@shared
def list_incidents(options: Options, severity: str | None, status: str | None, waiting_for: str | None) -> None:
    """List incidents, newest first."""
    query = _query(severity, status, _roles(options, waiting_for))
    from starters.client.connection import run

    rows = run(_rows, query)
    if options.as_json:
        print_json(rows)
        return
    clock = terminal.clock(options)

    def cells(row: dict[str, Any]) -> list[Any]:
        ended = "" if row["execution"] in {"running", "completed"} else " (ended from outside)"
        status = f"{row['severity']} {row['status']}{ended}"
        waiting = "\n".join(row["waiting_for"])
        mode = "" if row["mode"] == "live" else f" ({row['mode']})"
        return [row["id"], f"{row['title']}\n{row['type']}{mode}", status, clock(row["declared_at"]), waiting]

    columns = ("Id", "Title and type", "Status", "Declared", "Waiting for")
    listed = terminal.table("Incidents", *columns, rows=map(cells, rows), lines=True)
    terminal.show(listed if rows else "No incidents")


def _query(severity: str | None, status: str | None, roles: list[str]) -> str:
    """The visibility query; runs that continued as new are left out."""
    parts = ["WorkflowType = 'Incident'", "ExecutionStatus != 'ContinuedAsNew'"]
    if severity is not None:
        parts.append(f"{ids.INCIDENT_SEVERITY} = '{severity}'")
    if status is not None:
        parts.append(f"{ids.INCIDENT_STATUS} = '{status}'")
    if roles:
        parts.append("(" + " OR ".join(f"{ids.WAITING_FOR} = '{role}'" for role in roles) + ")")
    return " AND ".join(parts)


def _roles(options: Options, who: str | None) -> list[str]:
    """The roles of a contact, and its id; a name that the organisation does not know counts as a role."""
    if who is None:
        return []
    if not re.fullmatch(r"[\w.@+-]+", who):  # it goes into a query, which has no parameters
        raise click.UsageError(f"--waiting-for {who!r} is not a role or contact id")
    contact = next((c for c in options.load_organisation().contacts if c.id == who), None)
    return [who] if contact is None else list(dict.fromkeys([*contact.roles, *_lent(options, who), who]))


def _lent(options: Options, who: str) -> list[str]:
    """The roles that a contact stands in for now."""
    from datetime import UTC, datetime

    from starters.files.delegations import known

    now = datetime.now(UTC)
    unsigned = options.environment is not None and options.load_environment().kind == "sandbox"
    return [one.role for one in known(options.folder(), unsigned=unsigned) if one.to == who and one.holds_at(now)]


async def _rows(client: "Client", query: str) -> list[dict[str, Any]]:
    from starters.client.notes import Notes

    notes = Notes()
    rows = [await _row(found, notes) async for found in client.list_workflows(query)]
    notes.warn()
    return rows


async def _row(found: "WorkflowExecution", notes: "Notes") -> dict[str, Any]:
    """A row of the list. Anybody may start a workflow of this type: what cannot be read of one is `unknown` there."""
    attributes = {pair.key.name: pair.value for pair in found.typed_search_attributes}
    title, declared_at = await notes.of(found, "title", ""), await notes.of(found, "declared_at")
    return {
        "id": found.id,
        "type": attributes.get(ids.INCIDENT_TYPE, ""),
        "title": shortened(title) if isinstance(title, str) else UNKNOWN,
        "severity": attributes.get(ids.INCIDENT_SEVERITY, ""),
        "status": attributes.get(ids.INCIDENT_STATUS, ""),
        "mode": attributes.get(ids.INCIDENT_MODE, ""),
        "declared_at": stamp(found.start_time) if declared_at is None else stamp(instant(declared_at)) or UNKNOWN,
        "closed_at": stamp(found.close_time),
        "waiting_for": list(attributes.get(ids.WAITING_FOR, [])),
        "execution": "running" if found.status is None else found.status.name.lower(),
    }
