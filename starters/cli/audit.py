"""`incident audit`: check the stored record, and export it as one self-verifying file."""

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
    """Check the stored record of an incident, or export it as one file."""


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
