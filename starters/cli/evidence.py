"""`incident evidence`: what was preserved, in whose hands it has been, and whether it is still what it was."""

from typing import TYPE_CHECKING, Any

import click

from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from activities.evidence_objects import EvidenceStore
    from domain.model.timeline import Entry

_WHO = click.option("--by", metavar="WHO", help="Whose hands, if not those of --as: a role or contact id.")
_WHY = click.option("--reason", required=True, help="Why; no personal information.")
_TO = click.option("--to", metavar="WHO", help="Who has it now: somebody of ours, or a party outside.")


@click.group()
def evidence() -> None:
    """List and check what was preserved, and keep its chain of custody."""


@evidence.command(name="list")
@click.argument("incident", metavar="ID")
@shared
def list_(options: Options, incident: str) -> None:
    """List what was preserved in incident ID, with every custody event."""
    from starters.archives import evidence_check
    from starters.cli import terminal

    with evidence_check.opened(options, incident) as (store, stored):
        rows = evidence_check.rows(store, incident, evidence_check.entries(stored))
    if options.as_json:
        terminal.as_json(rows)
        return
    clock = terminal.clock(options)
    table = terminal.table("Evidence", "Evidence", "Kind", "What", "Named by", "In whose hands")
    for row in rows:
        named = f"entry {row['entry']}" if row["entry"] else "nothing on record"
        hands = "\n".join(
            f"{clock(e['at'])} {e['by']} {e['event']}{' to ' + e['to'] if 'to' in e else ''}" for e in row["custody"]
        )
        table.add_row(row["evidence"], row["kind"], terminal.clean(row["what"]), named, terminal.clean(hands))
    terminal.show(table)


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="[EVIDENCE]", required=False)
@shared
def verify(options: Options, incident: str, evidence_: str | None) -> None:
    """Hash everything preserved in incident ID again, against its manifests and those against the signed record."""
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
        raise RefusedError(f"the evidence of {incident} is not whole: {terminal.clean(wrong[0])}{more}")
    if not options.as_json:
        click.echo(f"The evidence of {incident} is whole: {len(rows)} pieces with {copies} copies")


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="EVIDENCE")
@_WHO
@_WHY
@shared
def receive(options: Options, incident: str, evidence_: str, by: str | None, reason: str) -> None:
    """Put on record that WHO received EVIDENCE of incident ID."""
    _custody(options, incident, by, {"evidence": evidence_, "event": "received", "reason": reason})


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="EVIDENCE")
@_WHO
@_WHY
@shared
def access(options: Options, incident: str, evidence_: str, by: str | None, reason: str) -> None:
    """Put on record that WHO looked into EVIDENCE of incident ID."""
    _custody(options, incident, by, {"evidence": evidence_, "event": "accessed", "reason": reason})


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="EVIDENCE")
@_WHO
@click.option("--to", metavar="WHO", required=True, help="Who has it now: somebody of ours, or a party outside.")
@_WHY
@shared
def transfer(options: Options, incident: str, evidence_: str, by: str | None, to: str, reason: str) -> None:
    """Put on record that WHO handed EVIDENCE of incident ID to somebody else."""
    _custody(options, incident, by, {"evidence": evidence_, "event": "transferred", "reason": reason, "to": to})


@evidence.command()
@click.argument("incident", metavar="ID")
@click.argument("evidence_", metavar="EVIDENCE")
@_WHO
@_TO
@_WHY
@shared
def release(options: Options, incident: str, evidence_: str, by: str | None, to: str | None, reason: str) -> None:
    """Put on record that WHO let EVIDENCE of incident ID go; its lock in the store stays as it is."""
    _custody(options, incident, by, {"evidence": evidence_, "event": "released", "reason": reason, "to": to})


def _custody(options: Options, incident: str, by: str | None, told: dict[str, Any]) -> None:
    """Put a custody event into the incident's chain: through its workflow, or after its end straight behind it."""
    payload = {"by": by or options.by(), **told}
    from starters.archives import evidence_check
    from starters.cli import terminal
    from starters.client import custody_writer

    with evidence_check.opened(options, incident) as (store, stored):
        _refuse_unknown(store, incident, evidence_check.entries(stored), told["evidence"])
        entry = custody_writer.keep(options, incident, payload, store.clients)
    event = f"{told['evidence']} {told['event']}"
    if options.as_json:
        terminal.as_json({"incident_id": incident, **payload, "entry": entry})
        return
    where = "told to the incident" if entry is None else f"entry {entry}, which follows the closed chain"
    click.echo(f"{event}: {where}")


def _refuse_unknown(store: "EvidenceStore", incident: str, entries: "list[Entry]", evidence_: str) -> None:
    from starters.archives import evidence_check

    if not evidence_check.is_known(store, incident, entries, evidence_):
        raise RefusedError(f"there is no evidence {evidence_!r} in {incident}: incident evidence list {incident}")
