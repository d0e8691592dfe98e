"""What a check of a record comes to: which keys are trusted, what Temporal has beside it, and how it is told."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from starters.cli import audited_people, terminal
from starters.cli.output import print_json
from starters.cli.send_command import ask
from starters.errors import RefusedError, UnreachableError
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.reader import LedgerReader, Stored
    from activities.ledger.signatures import Keys
    from domain.audit.verdict import Verdict
    from starters.archives.judging import People

_LATE_SECONDS = 10
"""How long the ledger may take for what Temporal had before it was read."""

_LOOK_AGAIN_SECONDS = 0.25
_ALONE = "Temporal does not have it, or does not answer: whether it goes further there was not looked at"


class Brought(NamedTuple):
    """What whoever checks has brought: keys in PEM, to be trusted alone, and the fingerprints of those that count."""

    pems: list[str]
    fingerprints: frozenset[str]

    @property
    def anything(self) -> bool:
        return bool(self.pems or self.fingerprints)

    def keys(self, there: Mapping[str, str]) -> "Keys":
        """The brought keys, else those that are there, by ARN; of either, those alone whose fingerprint is brought.

        Raises `UsageError` for a brought one that cannot be read, `RefusedError` for another.
        """
        from activities.ledger.signatures import ANY, Keys

        own = {f"{ANY}{number}" if number > 1 else ANY: pem for number, pem in enumerate(self.pems, start=1)}
        try:
            keys = Keys(own or there)
        except ValueError as error:
            if own:
                raise click.UsageError(f"a public key cannot be read: {error}") from error
            raise RefusedError(f"a public key that came with the record cannot be read: {error}") from error
        return keys.only(self.fingerprints) if self.fingerprints else keys


class Checked(NamedTuple):
    """A verdict, the keys that it was found with, what is remarkable beside it, and what people have proven."""

    verdict: "Verdict"
    keys: "Keys"
    remarks: list[str]
    people: "People | None" = None


def document(incident: str) -> dict[str, Any] | None:
    """The incident's document; None if Temporal does not have it or does not answer."""
    try:
        return ask(incident)
    except (RefusedError, UnreachableError):
        return None


def stored(
    options: Options, incident: str, known: dict[str, Any] | None, brought: Brought | None = None
) -> "tuple[Stored, dict[str, str]]":
    """The stored copy, once it reaches as far as the `known` document, and the environment's keys by ARN.

    The keys are asked for only where none are brought.
    """
    from activities.ledger.reader import LedgerReader
    from starters.client.aws_session import vault

    with vault(options, f"reading the record of {incident}") as (clients, environment):
        record = LedgerReader(clients, environment)
        length, _ = _reach(known) or (0, "")
        return _read(record, incident, length), {} if brought and brought.pems else record.pems()


def _read(record: "LedgerReader", incident: str, length: int) -> "Stored":
    until = time.monotonic() + _LATE_SECONDS
    while True:
        found = record.read(incident)
        if any(item.number == f"{length:06d}" for items in found.copy.items.values() for item in items):
            return found
        if not length or time.monotonic() > until:
            return found
        time.sleep(_LOOK_AGAIN_SECONDS)


def checked(found: "Stored", keys: "Keys", known: dict[str, Any] | None) -> Checked:
    """Check a stored copy by itself, and against the document that Temporal gave before it was read."""
    from domain.audit.verdict import beside, check

    verdict, remarks = check(found.copy, keys.vouches), list(found.remarks)
    if (reach := _reach(known)) is None:
        remarks.append(_ALONE)
    elif (flaw := beside(verdict, found.copy, *reach)) is not None:
        verdict.flaws.append(flaw)
    return Checked(verdict, keys, remarks)


def _reach(known: dict[str, Any] | None) -> tuple[int, str] | None:
    """How many entries Temporal has, and the hash of the last; None where it does not say so as we do."""
    try:
        return (int(known["timeline"]["length"]), str(known["timeline"]["head"])) if known else None
    except (KeyError, TypeError, ValueError):
        return None


def text(file: Path) -> str:
    """A key's file. Raises `UsageError`."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read as PEM") from error


def print_verdict(options: Options, found: Checked, *, brought: bool) -> None:
    """Print the verdict. Raises `RefusedError` in one line unless it is proven; it names the first broken entry."""
    verdict, keys, remarks, people = found
    unknown = people.unknown if people else 0
    answer = verdict.answer(brought=brought and not unknown)
    if options.as_json:
        flaws = verdict.model_dump(mode="json")
        summary = {"answer": answer, "intact": answer == "proven", "first": next(iter(flaws["flaws"]), None)}
        looked = audited_people.document(people)
        print_json({**flaws, **summary, "keys": keys.fingerprints(), "remarks": remarks, **looked})
    else:
        for epoch in verdict.epochs:
            if epoch.leaves is not None:
                click.echo(
                    f"Epoch {epoch.epoch} forks from {epoch.leaves} after entry {epoch.after}, reaches {epoch.last}"
                )
        for remark in remarks:
            click.echo(f"Note: {terminal.clean(remark)}")
        for arn, fingerprint in keys.fingerprints().items():
            click.echo(f"Key {terminal.clean(arn)}, SHA-256 {fingerprint}")
        audited_people.show(people)
    told = f"{verdict.entries} entries, signed up to {verdict.signed}"
    if answer == "broken":
        more = f" ({len(verdict.flaws)} flaws in all)" if len(verdict.flaws) > 1 else ""
        raise RefusedError(f"{verdict.incident} is broken: {terminal.clean(str(verdict.flaws[0]))}{more}")
    if answer == "consistent":
        remedy = "name the key that you trust by --fingerprint or --public-key"
        if brought and unknown:
            remedy = f"{unknown} of what people did could not be looked at, for want of a register of keys"
        raise RefusedError(f"{terminal.clean(verdict.incident)} is consistent only with itself: {told}; {remedy}")
    if not options.as_json:
        click.echo(f"{verdict.incident} is proven intact: {told}")
        click.echo(f"Head {verdict.head}")
