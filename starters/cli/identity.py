"""`incident identity`: whose keys prove who somebody is."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from domain.values.timestamps import stamp_to_second
from starters.cli import terminal
from starters.cli.output import answer, print_json, write
from starters.cli.shared_options import instant, shared, sign_with_option
from starters.errors import RefusedError
from starters.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from authority.claims import Claim
    from authority.enrolment import Enrolled, Revoked
    from authority.proofs import Proven
    from authority.register import Method, Register, RegisteredKey
    from domain.config.organisation import Organisation

E = TypeVar("E", "Enrolled", "Revoked")


@click.group()
def identity() -> None:
    """See whose keys prove who they are, enrol and revoke them, and try your own."""


@identity.command()
@click.argument("contact")
@click.option(
    "--public",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The public key to enrol, such as ~/.ssh/id_ed25519.pub.",
)
@click.option("--aws-arn", metavar="ARN", help="Their identity in AWS, as aws sts get-caller-identity tells it.")
@click.option("--enrols", is_flag=True, help="The key may enrol and revoke keys too; the first always may.")
@sign_with_option
@shared
def enrol(
    options: Options, contact: str, public: Path | None, aws_arn: str | None, enrols: bool, sign_with: Path | None
) -> None:
    """Enter a key of CONTACT, or who they are in AWS, into identities.yaml, signed by you; commit the file afterwards.

    The first key is entered unsigned: whoever owns the file vouches for it, and it may enrol the others; it is an
    SSH key, like each that enrols. For example: incident identity enrol cto --public cto.pub --as technical-manager
    """
    from authority.enrolment import Enrolled
    from starters.client.proving import contact as contact_id

    organisation = options.load_organisation()
    whose, by = contact_id(organisation, contact), contact_id(organisation, options.by())
    method, line = _key(public, aws_arn, enrols=enrols)

    def made(at: datetime, first: bool) -> "Enrolled":
        if first and method != "ssh":
            raise RefusedError("the first key enrols the others, so it is an SSH key: give --public FILE")
        return Enrolled(by=by, at=at, contact=whose, method=method, public=line, enrols=enrols or first)

    entry, file = _add(options, organisation, made, sign_with)
    said = {
        "contact": whose,
        "key": entry.key.name,
        "by": by,
        "enrols": entry.enrols,
        "signed": entry.proof is not None,
    }
    vouched = "signed by" if entry.proof else "the first, unsigned: the file's owner vouches for it;"
    told = f"{file}: {entry.key.name} proves from now on who {whose} is ({vouched} {by})"
    answer(options, {**said, "since": stamp_to_second(entry.at), "file": str(file)}, f"{told}\nNext: commit {file}")


def _key(public: Path | None, arn: str | None, *, enrols: bool) -> "tuple[Method, str]":
    """What is to be enrolled: its method and its public half."""
    from authority.aws_iam import IdentityError, person_of_arn
    from starters.client.signing import public_key

    if (public is None) == (arn is None):
        raise click.UsageError("give --public FILE or --aws-arn ARN")
    if public is not None:
        return "ssh", public_key(public)
    if enrols:
        raise RefusedError("an identity of AWS enrols nobody: AWS knows a signature for minutes; give an SSH key")
    try:
        return "aws-iam", person_of_arn(arn or "")
    except IdentityError as error:
        raise RefusedError(f"--aws-arn: {error}") from error


@identity.command()
@click.argument("key")
@click.option("--at", metavar="TIME", help="From when on it proves nothing, such as when it was lost; by default now.")
@sign_with_option
@shared
def revoke(options: Options, key: str, at: str | None, sign_with: Path | None) -> None:
    """Revoke KEY, named by its fingerprint or the end of it; what it has proven before stays proven.

    For example: incident identity revoke 4Tn5Q --at 2026-11-25T18:00:00+11:00 --as technical-manager
    """
    from authority.enrolment import Revoked
    from starters.client.proving import contact as contact_id
    from starters.client.signing import own_key
    from starters.files.identities import load_identities

    organisation = options.load_organisation()
    by = contact_id(organisation, options.by())
    register = load_identities(options.folder(), organisation.id)
    found = own_key(register, key)
    until, today = instant(at), datetime.now(UTC)
    if not any(one.enrols and one.name != found.name and one.proves_at(today) for one in register):
        raise RefusedError(f"{found.name} is the last key that may enrol: enrol another with --enrols first")

    def made(now: datetime, _: bool) -> "Revoked":
        return Revoked(by=by, at=now, key=found.name, until=max(until or now, found.since))

    entry, file = _add(options, organisation, made, sign_with)
    said = {
        "contact": found.contact,
        "key": found.name,
        "by": by,
        "until": stamp_to_second(entry.until),
        "file": str(file),
    }
    when = terminal.clock(options)(entry.until)
    if since := [one.name for one in register if one.by == found.contact and entry.until <= one.since]:
        told = f"Entered by {found.contact} since then, and good still: {', '.join(since)}. Revoke what is not theirs."
        click.echo(terminal.folded(told), err=True)
    answer(options, said, f"{file}: {found.name} of {found.contact} proves nothing from {when} on\nNext: commit {file}")


def _add(
    options: Options,
    organisation: "Organisation",
    made: "Callable[[datetime, bool], E]",
    sign_with: Path | None,
) -> tuple[E, Path]:
    """Sign an entry, and write it where the register takes it; nothing is written where it does not."""
    from authority.enrolment import Enrolled
    from starters.client.signing import proof_of
    from starters.files.growing import held
    from starters.files.identities import grown, load_identities
    from starters.files.organisation_folder import IDENTITIES

    folder = options.folder()
    register, now = load_identities(folder, organisation.id), datetime.now(UTC).replace(microsecond=0)
    first = not list(register)
    entry = made(now, first)
    if first and isinstance(entry, Enrolled) and entry.by != entry.contact:
        raise RefusedError(f"the first key is your own: incident identity enrol {entry.by} --public FILE")
    if not first:
        proof = proof_of(entry.claim(organisation.id), register, sign_with, now)
        entry = entry.model_copy(update={"proof": proof})
    file = folder / IDENTITIES
    with held(folder):
        if list(load_identities(folder, organisation.id)) != list(register):
            raise RefusedError(f"{file} was changed meanwhile: say it again")
        write(file, grown(folder, organisation.id, entry).encode(), keep_mode=True)
    return entry, file


@identity.command(name="list")
@shared
def list_(options: Options) -> None:
    """List every key: whose it is, since when and until when it proves, and who enrolled it."""
    from starters.files.identities import load_identities

    organisation = options.load_organisation()
    keys, now = list(load_identities(options.folder(), organisation.id)), datetime.now(UTC)
    good = {key.contact for key in keys if key.proves_at(now)}
    without = sorted({one.id for one in organisation.contacts} - good)
    if options.as_json:
        print_json({"keys": [_document(key) for key in keys], "without": without})
        return
    clock = terminal.clock(options)
    rows = [
        (key.contact, key.name, clock(key.since), clock(key.until) if key.until else "", _entered(key)) for key in keys
    ]
    title = f"Keys of {organisation.title}, in {clock.name}"
    terminal.show(terminal.table(title, "Contact", "Key", "Since", "Until", "Entered", rows=rows, lines=True))
    if without:
        click.echo(terminal.folded(f"Without a key that is good now: {', '.join(without)}"))


@identity.command()
@sign_with_option
@shared
def test(options: Options, sign_with: Path | None) -> None:
    """Try your own key, or your session of AWS: whether it proves who you are."""
    from authority.aws_iam import StsUnavailableError
    from authority.claims import Act, Claim
    from authority.proofs import UnprovenError
    from domain.values.canonical import digest
    from starters.client.proving import contact as contact_id
    from starters.files.identities import load_identities

    organisation = options.load_organisation()
    by, now = contact_id(organisation, options.by()), datetime.now(UTC).replace(microsecond=0)
    register = load_identities(options.folder(), organisation.id)
    subject, nonce = digest("a test"), secrets.token_hex(16)
    given: dict[str, Any] = {"organisation": organisation.id, "act": Act.TEST, "subject": subject, "nonce": nonce}
    claim = Claim(**given, by=by, at=now, expires=now + timedelta(minutes=5))
    try:
        proven = _tried(options, claim, register, sign_with)
    except (UnprovenError, StsUnavailableError) as error:
        raise RefusedError(f"{by} is not proven: {error}") from error
    how = "a hardware key that verified you" if proven.holder_verified else _HOW[proven.method]
    said = {"by": by, "method": proven.method, "key": proven.key, "holder_verified": proven.holder_verified}
    answer(options, said, f"You are {by}: proven by {how}, {proven.key}")


_HOW = {"ssh": "a key", "aws-iam": "AWS"}


def _tried(options: Options, claim: "Claim", register: "Register", sign_with: Path | None) -> "Proven":
    """What a claim is proven by, once it is signed. Raises what a look at it raises."""
    from authority.proofs import prove, prove_by_sts
    from starters.client import aws_signing
    from starters.client.signing import proof_of

    if not aws_signing.is_by_aws(register, claim.by, sign_with, claim.at):
        proof = proof_of(claim, register, sign_with, claim.at)
        return prove(claim, proof, register, datetime.now(UTC))
    from starters.client import aws_session

    environment = options.load_environment()
    proof = aws_signing.proof_by_aws(claim, register, environment)
    post = aws_session.sts(environment.region)
    return prove_by_sts(claim, proof, register, datetime.now(UTC), environment.region, post)


def _entered(key: "RegisteredKey") -> str:
    return f"by {key.by}" + (", may enrol" if key.enrols else "")


def _document(key: "RegisteredKey") -> dict[str, Any]:
    until = None if key.until is None else stamp_to_second(key.until)
    said = {"contact": key.contact, "method": key.method, "key": key.name, "enrols": key.enrols, "by": key.by}
    return {**said, "since": stamp_to_second(key.since), "until": until}
