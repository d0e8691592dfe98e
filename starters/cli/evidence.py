"""`incident evidence`: what was preserved, who has had custody of it, and whether it is unchanged."""

from typing import TYPE_CHECKING, Any

import click

from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.evidence_objects import EvidenceStore
    from domain.model.timeline import Entry

_WHO = click.option("--by", metavar="WHO", help="Who has or had it, if not --as: a role or contact id.")
_WHY = click.option("--reason", required=True, help="Why, without personal information.")
_TO = click.option("--to", metavar="WHO", help="Who has it now: a role or contact id, or an outside party.")


@click.group()
def evidence() -> None:
    """List and check evidence, and record its chain of custody."""


@evidence.command(name="list")
@click.argument("incident", metavar="ID")
@shared
def list_(options: Options, incident: str) -> None:
    """List the evidence of incident ID, with its custody events."""
    from starters.archives import evidence_check
    from starters.cli import terminal

    with evidence_check.opened(options, incident) as (store, stored):
        rows = evidence_check.rows(store, incident, evidence_check.entries(stored))
    if options.as_json:
        terminal.as_json(rows)
        return
    clock = terminal.clock(options)
    table = terminal.table("Evidence", "Evidence", "Kind", "What", "On record", "Custody")
    for row in rows:
        named = f"entry {row['entry']}" if row["entry"] else "no"
        events = "\n".join(
            f"{clock(e['at'])} {e['by']} {e['event']}{' to ' + e['to'] if 'to' in e else ''}" for e in row["custody"]
        )
        table.add_row(row["evidence"], row["kind"], terminal.clean(row["what"]), named, terminal.clean(events))
    terminal.show(table)


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="[EVIDENCE]", required=False)
@shared
def verify(options: Options, incident: str, evidence_: str | None) -> None:
    """Check the evidence of incident ID against the signed record.

    Every copy is hashed again and checked against its manifest, and the manifests against the record.
    """
    from starters.archives import evidence_check
    from starters.cli import terminal

    with evidence_check.opened(options, incident) as (store, stored):
        wrong = list(evidence_check.broken_record(options, store.clients, stored))
        wrong += evidence_check.problems(store, incident, evidence_check.entries(stored), evidence_)
        rows = evidence_check.rows(store, incident, evidence_check.entries(stored))
    copies = sum(row["copies"] for row in rows)
    if options.as_json:
        terminal.as_json({"incident": incident, "intact": not wrong, "problems": wrong, "copies": copies})
    if wrong:
        more = f" ({len(wrong)} problems in all)" if len(wrong) > 1 else ""
        raise RefusedError(f"the evidence of {incident} is not intact: {terminal.clean(wrong[0])}{more}")
    if not options.as_json:
        click.echo(f"The evidence of {incident} is intact: {len(rows)} pieces with {copies} copies")


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="EVIDENCE")
@_WHO
@_WHY
@shared
def receive(options: Options, incident: str, evidence_: str, by: str | None, reason: str) -> None:
    """Record that WHO received EVIDENCE of incident ID."""
    _custody(options, incident, by, {"evidence": evidence_, "event": "received", "reason": reason})


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="EVIDENCE")
@_WHO
@_WHY
@shared
def access(options: Options, incident: str, evidence_: str, by: str | None, reason: str) -> None:
    """Record that WHO looked at EVIDENCE of incident ID."""
    _custody(options, incident, by, {"evidence": evidence_, "event": "accessed", "reason": reason})


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="EVIDENCE")
@_WHO
@click.option("--to", metavar="WHO", required=True, help="Who has it now: a role or contact id, or an outside party.")
@_WHY
@shared
def transfer(options: Options, incident: str, evidence_: str, by: str | None, to: str, reason: str) -> None:
    """Record that WHO handed EVIDENCE of incident ID to somebody else."""
    _custody(options, incident, by, {"evidence": evidence_, "event": "transferred", "reason": reason, "to": to})


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="EVIDENCE")
@_WHO
@_TO
@_WHY
@shared
def release(options: Options, incident: str, evidence_: str, by: str | None, to: str | None, reason: str) -> None:
    """Record that WHO released EVIDENCE of incident ID.

    Its lock in the bucket is unchanged.
    """
    _custody(options, incident, by, {"evidence": evidence_, "event": "released", "reason": reason, "to": to})


def _custody(options: Options, incident: str, by: str | None, given: dict[str, Any]) -> None:
    """Add a custody event to the incident's chain: through its workflow, or directly once that has ended."""
    payload = {"by": by or options.by(), **given}
    from starters.archives import evidence_check
    from starters.cli import terminal
    from starters.client import custody_writer

    with evidence_check.opened(options, incident) as (store, stored):
        # checked first: an entry in the chain cannot be taken back
        _refuse_unknown(store, incident, evidence_check.entries(stored), given["evidence"])
        entry = custody_writer.keep(options, incident, payload, store.clients)
    event = f"{given['evidence']} {given['event']}"
    if options.as_json:
        terminal.as_json({"incident_id": incident, **payload, "entry": entry})
        return
    where = "recorded by the incident" if entry is None else f"entry {entry}, after the end of the closed chain"
    click.echo(f"{event}: {where}")


def _refuse_unknown(store: "EvidenceStore", incident: str, entries: "list[Entry]", evidence_: str) -> None:
    from starters.archives import evidence_check

    if not evidence_check.is_known(store, incident, entries, evidence_):
        raise RefusedError(f"there is no evidence {evidence_!r} in {incident}: incident evidence list {incident}")
