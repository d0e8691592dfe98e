"""`incident preauthorise` by one of those who may: it is shown, asked about, signed, and added to the file."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from authority import preauthorisations
from authority.claims import Claim
from authority.preauthorisations import Entry, Standing
from authority.proofs import UnprovenError, prove
from authority.register import Register
from domain.config.names import written
from domain.config.organisation import Contact, Organisation
from domain.config.preauthorisation import LONGEST, PreAuthorisation
from domain.config.runbook import ChangeStep
from domain.values.timestamps import stamp_to_second
from domain.values.words import in_words
from starters.cli import terminal
from starters.cli.output import write
from starters.cli.shared_options import moment
from starters.client.signing import proof_of
from starters.errors import RefusedError
from starters.files import preauthorisations as files
from starters.files.growing import held
from starters.files.identities import load_identities
from starters.files.organisation_folder import PREAUTHORISATIONS
from starters.files.parameters import pairs, typed
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.incidents import Unreadable
    from starters.files.kept import Document


class _Folder:
    """A folder's pre-authorisations as they stand now, and who adds to them."""

    def __init__(self, options: Options, does: str = "pre-authorise") -> None:
        self.options, self.path = options, options.folder()
        self.organisation: Organisation = options.load_organisation()
        self.register: Register = load_identities(self.path, self.organisation.id)
        self.by = _signer(self.organisation, options.by(), does)
        self.now = datetime.now(UTC).replace(microsecond=0)

    @property
    def file(self) -> Path:
        return self.path / PREAUTHORISATIONS

    def standing(self) -> list[Standing]:
        entries = files.load_preauthorisations(self.path, self.organisation.id, self.register)
        return preauthorisations.standing(entries, self.organisation, self.register)

    def named(self, id_: str) -> Standing:
        """The one whose digest begins so. Raises `RefusedError`."""
        found = [one for one in self.standing() if len(id_) > 3 and one.digest.startswith(id_.lower())]
        if len(found) != 1:
            many = ", ".join(one.digest[:12] for one in found)
            raise RefusedError(
                f"{id_} fits {many}" if found else f"no pre-authorisation {id_}: incident preauthorise list"
            )
        return found[0]

    def add(self, claim: Claim, says: PreAuthorisation | None, key: Path | None) -> None:
        """Sign a claim, and write it where the file takes it. Raises `RefusedError`, and what `files.grown` raises."""
        proof = proof_of(claim, self.register, key, self.now)
        try:
            prove(claim, proof, self.register, self.now)
        except UnprovenError as error:
            raise RefusedError(f"{self.by.id} is not proven: {error}") from error
        made = Entry(says=says, claim=claim, **proof.model_dump())
        with held(self.path):
            text = files.grown(self.path, self.organisation.id, self.register, made)
            write(self.file, text.encode(), keep_mode=True)

    def answer(self, digest: str, did: str) -> "Document":
        from starters.cli.preauthorise import row

        one = next(each for each in self.standing() if each.digest == digest)
        told = {"words": in_words(digest), "file": str(self.file), "by": self.by.id, "did": did}
        return {**row(one, self.now), **told}


def _signer(organisation: Organisation, who: str, does: str) -> Contact:
    found, roles = organisation.contact(who), organisation.preauthorisers
    if not roles:
        raise RefusedError("name who pre-authorises first: preauthorisers in organisation.yaml")
    if found is None or not {*found.roles} & {*roles}:
        raise RefusedError(f"{who} may not {does}; {' and '.join(roles)} may")
    return found


def offer(options: Options, **asked: Any) -> "Document":
    """Add a new one, with the caller's signature."""
    folder = _Folder(options)
    terms = _terms(folder, asked)
    _confirm(_shown(options, terms, ()), "Pre-authorise exactly this?", yes=asked["yes"])
    claim = preauthorisations.claim(folder.organisation.id, terms, folder.by.id, folder.now)
    folder.add(claim, terms, asked["sign_with"])
    return folder.answer(terms.digest(), "offered")


def sign(options: Options, id_: str, *, yes: bool, key: Path | None) -> "Document":
    """Add the caller's signature under one; who has signed it already signs nothing."""
    folder = _Folder(options)
    one = folder.named(id_)
    if any(each.claim.by == folder.by.id for each in one.signed):
        return folder.answer(one.digest, "already signed")
    if one.revoked is not None or folder.now >= one.terms.until:
        raise RefusedError(f"{one.digest[:12]} is over: {one.refusal(folder.now)}")
    _refuse_flawed(folder, one.terms)
    _confirm(_shown(options, one.terms, one.signed), "Pre-authorise exactly this?", yes=yes)
    folder.add(preauthorisations.claim(folder.organisation.id, one.terms, folder.by.id, folder.now), None, key)
    return folder.answer(one.digest, "signed")


def revoke(options: Options, id_: str, reason: str, key: Path | None) -> "Document":
    """Revoke one for good; again it does nothing."""
    folder = _Folder(options, "revoke a pre-authorisation")
    one = folder.named(id_)
    if one.revoked is not None:
        return folder.answer(one.digest, "already revoked")
    if not reason.strip() or len(reason) > 500:
        raise click.UsageError("--reason must be a text of 500 characters at most")
    claim = preauthorisations.revocation(folder.organisation.id, one.terms, folder.by.id, folder.now, reason)
    folder.add(claim, None, key)
    return folder.answer(one.digest, "revoked")


def said(document: "Document") -> str:
    """What it came to, for people."""
    state = "it is in force" if document["in_force"] else document["state"]
    which = f"{document['id']} ({document['words']})"
    did = f"{document['by']} has {document['did']} {which}: {state}."
    if document["did"] == "already revoked":
        did = f"{which} was revoked already: {state}."
    if document["lacking"] and document["did"] in {"offered", "signed", "already signed"}:
        sign = f"incident preauthorise sign {document['id']}"
        return f"{did}\nNext: commit {document['file']}, then as {' and '.join(document['lacking'])}: {sign}"
    return f"{did}\nNext: commit {document['file']}"


def _terms(folder: _Folder, asked: dict[str, Any]) -> PreAuthorisation:
    """What is offered. Raises `UsageError` for what could never begin."""
    from starters.files.loading import load_runbook

    environment = folder.options.named_environment()
    where = folder.options.load_environment()
    runbook = load_runbook(folder.path, asked["type_"], folder.organisation, where)
    step = runbook.step(asked["step"])
    action = step.change if isinstance(step, ChangeStep) else None
    fields = {
        "type": asked["type_"],
        "step": asked["step"],
        "action": action or asked["step"],
        "environment": environment,
        "set": typed(action, pairs(asked["settings"])),
        "most": asked["most"],
        "reason": asked["reason"],
        **_times(folder.now, asked["since"], asked["until"]),
    }
    try:
        terms = PreAuthorisation.model_validate(fields)
    except ValidationError as error:
        raise click.UsageError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
    _refuse_flawed(folder, terms)
    return terms


def _refuse_flawed(folder: _Folder, terms: PreAuthorisation) -> None:
    from starters.files.preauthorisation_checks import of_terms, overlapping

    flaw = next(of_terms(folder.path, terms), None)
    if flaw is not None:
        raise click.UsageError(f"{written(flaw.at)}: {flaw.message}")
    others = [one.terms for one in folder.standing() if one.revoked is None and one.terms != terms]
    if other := overlapping(terms, others):
        name = other.digest()[:12]
        raise click.UsageError(
            f"{name} stands for {terms.step} until {stamp_to_second(other.until)}: offer one from then on (--from), "
            f"or incident preauthorise revoke {name}"
        )


def _times(now: datetime, since: str | None, until: str) -> dict[str, datetime]:
    begins, ends = moment(since, "--from") or now, moment(until, "--until") or now
    if begins < now:
        raise click.UsageError(f"--from {since} must be to come")
    if not now < ends <= now + LONGEST:
        raise click.UsageError(f"--until {until} must be to come, and within {LONGEST.days} days")
    return {"since": begins.replace(microsecond=0), "until": ends.replace(microsecond=0)}


def _confirm(lines: Sequence[str], question: str, *, yes: bool) -> None:
    """Show it on stderr, as stdout belongs to the command's result, and ask."""
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError("without a terminal, give --yes: nobody signs what they have not been shown")
    for line in lines:
        click.echo(terminal.folded(line), err=True)
    if not yes and not click.confirm(question, err=True):
        raise RefusedError("not signed")


def _shown(options: Options, terms: PreAuthorisation, signed: Sequence[Entry]) -> list[str]:
    clock = terminal.clock(options)
    rows = {
        "Begins": f"{terms.step} ({terms.action}) of {terms.type}, in {terms.environment}",
        "When": "in a P0, as soon as a probe that suggests it is suspect; at once where none does",
        "With": given(terms.set) or "what the runbook gives",
        "At most": "once" if terms.most == 1 else f"{terms.most} times in all, once in an incident",
        "From": clock(terms.since),
        "Until": clock(terms.until),
        "Reason": terms.reason,
        "Digest": terms.digest(),
        "Words": in_words(terms.digest()),
        "Signed by": ", ".join(each.claim.by for each in signed) or "nobody yet",
    }
    return [f"{name:<11}{terminal.clean(value)}" for name, value in rows.items()]


def given(values: Mapping[str, Any]) -> str:
    """Parameters as `--set` takes them."""
    shown = {name: ",".join(map(str, one)) if isinstance(one, list) else one for name, one in values.items()}
    return "; ".join(f"{name}={one}" for name, one in shown.items())


def used(options: Options) -> dict[str, int]:
    """How often each was used, by its digest: the changes that were begun by it, as the ledger has them."""
    from starters.client import recorded_incidents

    unreadable = list["Unreadable"]()
    found = Counter[str]()
    for state in recorded_incidents.incidents(options, unreadable):
        for change in state.changes:
            if change.preauthorised is not None and change.ours:
                found[change.preauthorised.digest] += 1
    recorded_incidents.refuse(unreadable)
    return dict(found)
