"""`incident runbook approve` by one of the roles that approve runbooks: their signature under a version of one."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from authority import approvals
from authority.approvals import Approval
from authority.proofs import UnprovenError, prove
from authority.register import Register
from domain.config.organisation import Contact, Organisation
from domain.config.runbook import Runbook
from domain.values.timestamps import stamp_to_second
from domain.values.words import in_words
from starters.cli import terminal
from starters.cli.output import write
from starters.client.signing import proof_of
from starters.errors import RefusedError
from starters.files import approvals as files
from starters.files.growing import held
from starters.files.identities import load_identities
from starters.files.organisation_folder import APPROVALS
from starters.options import Options

if TYPE_CHECKING:
    from starters.files.kept import Document


def approver(organisation: Organisation, who: str | None) -> Contact | None:
    """The contact that the caller is, if they hold a role that approves runbooks."""
    found = None if who is None else organisation.contact(who)
    return found if found is not None and {*found.roles} & {*organisation.runbook_approvers} else None


class Standing:
    """Who has signed what of a folder, as it stands now."""

    def __init__(self, folder: Path, organisation: Organisation) -> None:
        self.organisation = organisation
        self.register: Register = load_identities(folder, organisation.id)
        self.all = files.load_approvals(folder, organisation.id, self.register)

    def of(self, digest: str) -> list[Approval]:
        """The signatures that count for a runbook of this digest."""
        return approvals.of_digest(digest, self.all, self.register)

    def lacking(self, digest: str) -> tuple[str, ...]:
        """The roles whose signature it lacks."""
        return approvals.lacking(digest, self.all, self.organisation, self.register)

    def last_approved(self, type_: str, but: str) -> Approval | None:
        """The latest signature under another version that all have signed."""
        found = (one for one in reversed(self.all) if one.type == type_ and one.claim.subject != but)
        return next((one for one in found if not self.lacking(one.claim.subject)), None)


def sign(options: Options, book: Runbook, by: Contact, was: Path | None, *, yes: bool, key: Path | None) -> "Document":
    """Show what is signed, ask, sign, and add it to the file; who has signed it already signs nothing.

    Raises `RefusedError` where it is not confirmed, or the key does not prove who signs.
    """
    folder, subject = options.folder(), book.digest()
    standing = Standing(folder, options.load_organisation())
    file = folder / APPROVALS
    told = {"type": book.id, "version": book.version, "digest": subject, "words": in_words(subject), "file": str(file)}
    if any(one.claim.by == by.id for one in standing.of(subject)):
        return _answer(told, standing, by, changed=False)
    _confirm(_shown(options, book, standing, was), yes=yes)
    now = datetime.now(UTC).replace(microsecond=0)
    claim = approvals.claim(standing.organisation.id, book.id, book.version, subject, by.id, now)
    proof = proof_of(claim, standing.register, key, now)
    try:
        prove(claim, proof, standing.register, now)
    except UnprovenError as error:
        raise RefusedError(f"{by.id} is not proven: {error}") from error
    made = Approval(type=book.id, version=book.version, claim=claim, **proof.model_dump())
    with held(folder):
        write(file, files.grown(folder, standing.organisation.id, standing.register, made).encode(), keep_mode=True)
    return _answer(told, Standing(folder, standing.organisation), by, changed=True)


def _answer(told: dict[str, Any], standing: Standing, by: Contact, *, changed: bool) -> "Document":
    return {**told, "signed_by": by.id, "lacking": [*standing.lacking(told["digest"])], "changed": changed}


def said(document: "Document") -> str:
    """What a signature came to, for people."""
    what = f"version {document['version']} of {document['type']} ({document['words']})"
    did = "has signed" if document["changed"] else "has already signed"
    left = document["lacking"]
    rest = f"It lacks the signature of {' and '.join(left)}." if left else "All have: it is approved."
    after = f"\nNext: commit {document['file']}" if document["changed"] else ""
    return f"{document['signed_by']} {did} {what}. {rest}{after}"


def _confirm(lines: Sequence[str], *, yes: bool) -> None:
    """Show it on stderr, as stdout belongs to the command's result, and ask."""
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("without a terminal, give --yes: nobody approves what they have not been shown")
    for line in lines:
        click.echo(terminal.folded(line), err=True)
    if not yes and not click.confirm("Approve exactly this?", err=True):
        raise RefusedError("not approved")


def _shown(options: Options, book: Runbook, standing: Standing, was: Path | None) -> "list[str]":
    clock = terminal.clock(options)
    reviewed = f", reviewed {book.reviewed}" if book.reviewed else ", never reviewed"
    by = f" by {book.approved.by}" if book.approved else ""
    lines = [
        f"{'Runbook':<13}{book.title} ({book.id}), version {book.version}{reviewed}{by}",
        f"{'Digest':<13}{book.digest()}",
        f"{'Words':<13}{in_words(book.digest())}",
    ]
    if signed := standing.of(book.digest()):
        lines.append(f"{'Signed by':<13}{', '.join(one.claim.by for one in signed)}")
    last = standing.last_approved(book.id, book.digest())
    if last is None:
        lines.append(f"{'Before':<13}no other version of it has been approved")
    else:
        words = in_words(last.claim.subject)
        lines.append(f"{'Before':<13}version {last.version} ({words}), approved on {clock(last.claim.at)[:10]}")
    return [*lines, *_changed(options, book, was, last)]


def _changed(options: Options, book: Runbook, was: Path | None, last: Approval | None) -> "list[str]":
    """What differs from an older folder; that is named where it does not have the version that was approved last."""
    if was is None:
        return [] if last is None else [f"{'Changed':<13}give --was FOLDER, as it was then, to see it in words"]
    from starters.files.runbook_diff import of_type
    from starters.files.unapproved import digest_in

    lines = [f"{'Changed':<13}{one.about}: {one.what}" for one in of_type(was, options.folder(), book.id)]
    if last is not None and digest_in(was, book.id) != last.claim.subject:
        lines.insert(0, f"{'Changed':<13}since {was}, which is not what was approved last:")
    return lines or [f"{'Changed':<13}neither steps, approvals nor pages, since {was}"]


def approval_rows(standing: Standing, digest: str) -> "list[Document]":
    """Who has signed a runbook, as JSON."""
    return [{"by": one.claim.by, "at": stamp_to_second(one.claim.at), "key": one.key} for one in standing.of(digest)]


def approval_lines(options: Options, standing: Standing, book: Runbook) -> "list[str]":
    """Who has approved a runbook, and who has not; nothing where nobody has to."""
    if not standing.organisation.runbook_approvers:
        return []
    clock = terminal.clock(options)
    signed = [f"{one.claim.by} on {clock(one.claim.at)[:10]}" for one in standing.of(book.digest())]
    left = standing.lacking(book.digest())
    lacks = f"; lacks the signature of {' and '.join(left)}" if left else ""
    return [f"Approved by: {', '.join(signed) or 'nobody'}{lacks}", f"Words: {in_words(book.digest())}"]
