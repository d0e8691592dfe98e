"""`incident evidence`: what was preserved, who has had custody of it, and whether it is unchanged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from starters.cli import terminal
from starters.cli.output import answer, print_json
from starters.cli.send_command import command
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

_WHO = click.option("--by", metavar="WHO", help="Who has or had it, if not --as: a role or contact id.")
_WHY = click.option("--reason", required=True, help="Why, without personal information.")
_TO = "Who has it now: a role or contact id, or an outside party."


@click.group()
def evidence() -> None:
    """List and check evidence, and record its chain of custody."""


@evidence.command(name="list")
@click.argument("incident", metavar="ID")
@shared
def list_(options: Options, incident: str) -> None:
    """List the evidence of incident ID, with its custody events."""
    from starters.archives import evidence_check

    with evidence_check.opened(options, incident) as preserved:
        rows = preserved.rows()
    if options.as_json:
        print_json(rows)
        return
    clock = terminal.clock(options)

    def cells(row: dict[str, Any]) -> list[Any]:
        named = f"entry {row['entry']}" if row["entry"] else "no"
        events = (
            f"{clock(e['at'])} {e['by']} {e['event']}{' to ' + e['to'] if 'to' in e else ''}" for e in row["custody"]
        )
        return [row["evidence"], row["kind"], row["what"], named, "\n".join(events)]

    columns = ("Evidence", "Kind", "What", "On record", "Custody")
    terminal.show(terminal.table("Evidence", *columns, rows=map(cells, rows)))


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="[EVIDENCE]", required=False)
@shared
def verify(options: Options, incident: str, evidence_: str | None) -> None:
    """Check the evidence of incident ID against the signed record.

    Every copy is hashed again and checked against its manifest, and the manifests against the record.
    """
    from starters.archives import evidence_check

    with evidence_check.opened(options, incident) as preserved:
        wrong, rows, hidden = list(preserved.problems(evidence_)), preserved.rows(), preserved.hidden
    copies, gaps = (sum(row.get(name, 0) for row in rows) for name in ("copies", "gaps"))
    if options.as_json:
        intact = None if hidden and not wrong else not wrong
        found = {"problems": wrong, "copies": copies, "locks_hidden": hidden, "gaps": gaps}
        print_json({"incident": incident, "intact": intact, **found})
    if wrong:
        more = f" ({len(wrong)} problems in all)" if len(wrong) > 1 else ""
        raise RefusedError(f"the evidence of {incident} is not intact: {terminal.clean(wrong[0])}{more}")
    if hidden:
        raise RefusedError(
            f"the contents of the evidence of {incident} are unchanged, but whether {hidden} copies are still locked "
            "cannot be told: these credentials lack s3:GetObjectRetention and s3:GetObjectLegalHold"
        )
    if not options.as_json:
        named = f"; {gaps} versions could not be copied, as their manifests say" if gaps else ""
        click.echo(f"The evidence of {incident} is intact: {len(rows)} pieces with {copies} copies{named}")


def _custody(name: str, event: str, text: str, *parameters: Callable[[Any], Any]) -> None:
    """Add a command for one kind of custody event."""

    def act(options: Options, incident: str, by: str | None, sign_with: Path | None, **given: str | None) -> None:
        _record(options, incident, {"by": by or options.by(), "event": event, **given}, sign_with)

    piece = click.argument("evidence", metavar="EVIDENCE")
    evidence.add_command(command(name, text, act, piece, _WHO, *parameters, _WHY))


_custody("receive", "received", "Record that WHO received EVIDENCE of incident ID.")
_custody("access", "accessed", "Record that WHO looked at EVIDENCE of incident ID.")
_custody(
    "transfer",
    "transferred",
    "Record that WHO handed EVIDENCE of incident ID to somebody else.",
    click.option("--to", metavar="WHO", required=True, help=_TO),
)
_custody(
    "release",
    "released",
    "Record that WHO released EVIDENCE of incident ID.\n\nIts lock in the bucket is unchanged.",
    click.option("--to", metavar="WHO", help=_TO),
)


def _record(options: Options, incident: str, payload: dict[str, Any], sign_with: Path | None) -> None:
    """Add a custody event to the incident's chain: through its workflow, or directly once that has ended."""
    from starters.archives import evidence_check
    from starters.client import custody_writer

    piece = payload["evidence"]
    with evidence_check.opened(options, incident) as preserved:
        preserved.refuse_unknown(piece)  # checked first: an entry in the chain cannot be taken back
        entry = custody_writer.keep(options, incident, payload, preserved.clients, sign_with)
    where = "recorded by the incident" if entry is None else f"entry {entry}, after the end of the closed chain"
    answer(options, {"incident_id": incident, **payload, "entry": entry}, f"{piece} {payload['event']}: {where}")
