"""`incident audit`: check the stored record, export it as one self-verifying file, or pack all of a period."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domain.values.timestamps import stamp_to_second
from starters.cli import terminal
from starters.cli.output import print_json, write
from starters.cli.send_command import ask
from starters.cli.shared_options import shared
from starters.errors import RefusedError, UnreachableError
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.reader import Stored
    from activities.ledger.signatures import Keys
    from domain.audit.verdict import Verdict

_OWN_KEY = "checked with the key in the archive: compare its fingerprint with one you trust"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """Check the stored record of an incident, export it as one file, or pack all records of a period."""


@audit.command()
@click.argument("incident", metavar="[ID]", required=False)
@click.option("--file", "archive", type=_FILE, help="Check an archive made by `audit export`, offline.")
@click.option(
    "--public-key", type=_FILE, help="The only key to trust, in PEM. Default: the environment's, or the archive's."
)
@shared
def verify(options: Options, incident: str | None, archive: Path | None, public_key: Path | None) -> None:
    """Recompute the record of incident ID from the stored copy alone, and name the first broken entry."""
    from activities.ledger.signatures import ANY, Keys
    from domain.audit.epochs import Flaw
    from domain.audit.verdict import check
    from starters.archives import archive_file

    if (incident is None) == (archive is None):
        raise click.UsageError("give either an incident's ID or --file ARCHIVE")
    given = {} if public_key is None else {ANY: _text(public_key)}
    damaged: list[str] = []
    if archive is not None:
        copy, pems, damaged = archive_file.unpack(archive)
        remarks = [] if given else [_OWN_KEY]
    else:
        (copy, remarks), pems = _stored(options, incident or "", given)
    try:
        keys = Keys(given or pems)
    except ValueError as error:
        raise click.UsageError(f"a public key cannot be read: {error}") from error
    verdict = check(copy, keys.vouches)
    for name in damaged:
        text = f"{name} in the archive does not match its manifest"
        verdict.flaws.append(Flaw(kind="altered", epoch=0, seq=0, text=text))
    _print_verdict(options, verdict, keys, remarks)


@audit.command()
@click.argument("incident", metavar="ID")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: ID.zip.")
@shared
def export(options: Options, incident: str, output: Path | None) -> None:
    """Write the record of incident ID, its signatures and the public key to one self-verifying zip file.

    Only the ledger is needed. The incident's document is included while Temporal still has it.
    """
    from activities.ledger.signatures import Keys
    from domain.audit.verdict import check
    from starters.archives import archive_file

    stored, pems = _stored(options, incident)
    document = _document(incident)
    file = output or Path(f"{incident}.zip")
    write(file, archive_file.pack(stored.copy, pems, document, stamp_to_second(datetime.now(UTC))))
    verdict = check(stored.copy, Keys(pems).vouches)
    if options.as_json:
        written = {"incident_id": incident, "written": str(file), "entries": verdict.entries, "intact": verdict.intact}
        print_json({**written, "document": document is not None})
    else:
        click.echo(
            f"{file} written: {verdict.entries} entries, {'intact' if verdict.intact else 'NOT intact'}", err=True
        )
        if document is None:
            click.echo("Temporal no longer has the incident, so its document is not included", err=True)


@audit.command()
@click.option("--period", metavar="P", required=True, help="2026-Q3, 2026-07 or 2026-01-01..2026-03-31.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: pack-NAME-P.zip.")
@shared
def pack(options: Options, period: str, output: Path | None) -> None:
    """Write all that is on record of period P to one zip file that a stranger can check: records, drills, duties.

    It is made of the ledger alone; the same ledger gives the same file. Its list of contents is signed as records are:
    that is done once, by whoever may, and kept in the evidence bucket.
    """
    from activities.ledger.packs import Packer
    from domain.values.periods import period as read_period
    from starters.client.aws_session import vault

    clock, now = terminal.clock(options), datetime.now(UTC)
    try:
        days = read_period(period, clock.zone)
    except ValueError as error:
        raise click.UsageError(f"--period {error}") from error
    if days.since > now:
        raise click.UsageError(f"--period {period} is still to come")
    with vault(options, f"making the pack of {period}") as (clients, environment):
        made = Packer(clients, environment).make(days, clock, now)
    file = output or Path(f"pack-{environment.name}-{days.name}.zip")
    write(file, made.content)
    found = made.pack
    if options.as_json:
        told = {"period": days.name, "written": str(file), "records": found.incidents, "flaws": found.flaws}
        print_json({**told, "contents": found.statement.contents})
    else:
        click.echo(f"{file} written: {found.incidents} records, {found.incidents - len(found.flaws)} intact", err=True)
    if found.flaws:
        incident, flaw = next(iter(found.flaws.items()))
        more = f" ({len(found.flaws)} broken records in all)" if len(found.flaws) > 1 else ""
        raise RefusedError(f"{incident} is broken: {terminal.clean(flaw)}{more}")


def _stored(options: Options, incident: str, pems: dict[str, str] | None = None) -> "tuple[Stored, dict[str, str]]":
    """The stored copy and the keys to trust, by ARN: the given ones, else the environment's."""
    from activities.ledger.reader import LedgerReader
    from starters.client.aws_session import vault

    with vault(options, f"reading the record of {incident}") as (clients, environment):
        record = LedgerReader(clients, environment)
        return record.read(incident), pems or record.pems()


def _document(incident: str) -> dict[str, Any] | None:
    """The incident's document; None if Temporal does not have it or does not answer."""
    try:
        return ask(incident)
    except (RefusedError, UnreachableError):
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read as PEM") from error


def _print_verdict(options: Options, verdict: "Verdict", keys: "Keys", remarks: list[str]) -> None:
    """Print the verdict. Raises `RefusedError`, naming the first broken entry in one line, if the record is broken."""
    first = verdict.flaws[0] if verdict.flaws else None
    if options.as_json:
        found = verdict.model_dump(mode="json")
        summary = {"intact": verdict.intact, "first": None if first is None else found["flaws"][0]}
        print_json({**found, **summary, "keys": keys.fingerprints(), "remarks": remarks})
    else:
        for epoch in verdict.epochs:
            if epoch.leaves is not None:
                click.echo(
                    f"Epoch {epoch.epoch} forks from {epoch.leaves} after entry {epoch.after}, reaches {epoch.last}"
                )
        for remark in remarks:
            click.echo(f"Note: {terminal.clean(remark)}")
        for arn, fingerprint in keys.fingerprints().items():
            click.echo(f"Key {arn}, SHA-256 {fingerprint}")
    if first is not None:
        more = f" ({len(verdict.flaws)} flaws in all)" if len(verdict.flaws) > 1 else ""
        raise RefusedError(f"{verdict.incident} is broken: {terminal.clean(str(first))}{more}")
    if not options.as_json:
        click.echo(f"{verdict.incident} is intact: {verdict.entries} entries, signed up to {verdict.signed}")
        click.echo(f"Head {verdict.head}")
