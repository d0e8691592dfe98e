"""`incident audit`: check the stored record, export it as one self-verifying file, or pack all of a period."""

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from domain.values.timestamps import stamp_to_second
from starters.cli import terminal
from starters.cli.output import print_json, write
from starters.cli.shared_options import shared
from starters.errors import RefusedError
from starters.options import Options

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _fingerprints(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> frozenset[str]:
    """SHA-256 in hex, with colons or without, in any case. Raises `BadParameter`."""
    found = frozenset(text.replace(":", "").strip().lower() for text in given)
    if wrong := [text for text in found if not _FINGERPRINT.fullmatch(text)]:
        raise click.BadParameter(f"{terminal.clean(wrong[0])!r} is no SHA-256 in hex")
    return found


@click.group()
def audit() -> None:
    """Check the stored record of an incident, export it as one file, or pack all records of a period."""


@audit.command()
@click.argument("incident", metavar="[ID]", required=False)
@click.option("--file", "archive", type=_FILE, help="Check an archive made by `audit export`, offline.")
@click.option("--public-key", "files", type=_FILE, multiple=True, help="A key that you trust, in PEM; no other counts.")
@click.option(
    "--fingerprint",
    "fingerprints",
    metavar="SHA256",
    multiple=True,
    callback=_fingerprints,
    help="The fingerprint of a key that you trust; no other counts.",
)
@click.option(
    "--first-key",
    "first_keys",
    metavar="SHA256:…",
    multiple=True,
    help="The key that the register of people's keys begins with, as the organisation tells you.",
)
@shared
def verify(
    options: Options,
    incident: str | None,
    archive: Path | None,
    files: tuple[Path, ...],
    fingerprints: frozenset[str],
    first_keys: tuple[str, ...],
) -> None:
    """Recompute the record of incident ID from the stored copy alone, and name the first broken entry.

    It is proven by a key of yours: one that you give, or that KMS gives under your AWS account. Without one, an archive
    is consistent only with itself. What people have signed is looked at by the register of keys in the archive,
    else by that of your folder. Exit status 0 is for what is proven.
    """
    from domain.audit.epochs import Flaw
    from domain.audit.verdict import check
    from starters.archives import archive_file
    from starters.cli import audited_people, verdicts

    if (incident is None) == (archive is None):
        raise click.UsageError("give either an incident's ID or --file ARCHIVE")
    brought = verdicts.Brought([verdicts.text(file) for file in files], fingerprints)
    if archive is not None:
        copy, pems, damaged, kept = archive_file.unpack(archive)
        keys = brought.keys(pems)
        found = verdicts.Checked(check(copy, keys.vouches), keys, [])
        found = audited_people.with_people(found, copy, kept, first_keys)
        for name in damaged:
            text = f"{name} in the archive is not as it was put there"
            found.verdict.flaws.append(Flaw(kind="altered", epoch=0, seq=0, text=text))
    else:
        known = verdicts.document(incident or "")
        stored, pems = verdicts.stored(options, incident or "", known, brought)
        found = verdicts.checked(stored, brought.keys(pems), known)
        kept = audited_people.own_register(options, found.remarks)
        found = audited_people.with_people(found, stored.copy, kept, first_keys)
    if fingerprints and not found.keys.fingerprints():
        found.remarks.append("no key that is there has a fingerprint that you gave")
    verdicts.print_verdict(options, found, brought=archive is None or brought.anything)


@audit.command()
@click.argument("incident", metavar="ID")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: ID.zip.")
@shared
def export(options: Options, incident: str, output: Path | None) -> None:
    """Write the record of incident ID, its signatures and the public key to one self-verifying zip file.

    Only the ledger is needed, and your folder, whose register of people's keys is copied. The incident's document is
    included while Temporal still has it. A record that is not intact is written too, and the exit status is 1.
    """
    from activities.ledger.signatures import Keys
    from starters.archives import archive_file
    from starters.cli import audited_people, verdicts

    known = verdicts.document(incident)
    stored, pems = verdicts.stored(options, incident, known)
    found = verdicts.checked(stored, Keys(pems), known)
    kept = audited_people.own_register(options, found.remarks)
    file = output or Path(f"{incident}.zip")
    write(file, archive_file.pack(stored.copy, pems, known, stamp_to_second(datetime.now(UTC)), kept))
    verdict = audited_people.with_people(found, stored.copy, kept).verdict
    if options.as_json:
        written = {"incident_id": incident, "written": str(file), "entries": verdict.entries, "intact": verdict.intact}
        print_json({**written, "document": known is not None})
    else:
        click.echo(
            f"{file} written: {verdict.entries} entries, {'intact' if verdict.intact else 'NOT intact'}", err=True
        )
        if kept is None:
            click.echo(f"Note: {terminal.clean(found.remarks[-1])}", err=True)
        if known is None:
            click.echo("Temporal no longer has the incident, so its document is not included", err=True)
    if verdict.flaws:
        raise RefusedError(f"the record of {incident} is not intact: {terminal.clean(str(verdict.flaws[0]))}")


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
