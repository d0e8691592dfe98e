"""Runbooks that people of the shipped organisation have signed, with keys made in software."""

from datetime import timedelta
from typing import Any

from authority.approvals import Approval, claim
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.model.declaration import Declaration
from domain.model.proofs import RunbookApproval
from starters.files.organisation_folder import load_organisation
from starters.files.shipped import shipped_folder
from tests.activities.scopes import NOW
from tests.authority.signing import TOUCHED
from tests.builders import declaration
from tests.people import HOME, People

PEOPLE = People("devops-lead", "technical-manager", "cto", "compliance-officer")
"""Made once: a key takes longer than a signature."""


def axis() -> Organisation:
    """The shipped organisation, which names who approves runbooks."""
    return load_organisation(shipped_folder())


def signed(book: Runbook, *by: str, home: str = HOME) -> tuple[Approval, ...]:
    """A runbook's approvals by these people."""
    return tuple(_signed(book, one, home) for one in by)


def _signed(book: Runbook, by: str, home: str) -> Approval:
    made = claim(home, book.id, book.version, book.digest(), by, NOW - timedelta(days=30))
    token = PEOPLE.tokens[by]
    proof = {"method": "ssh", "key": token.key.fingerprint, "signature": token.signed(made.canonical(), TOUCHED)}
    return Approval.model_validate({"type": book.id, "version": book.version, "claim": made, **proof})


def own(kind: str = "production", book: Runbook | None = None, **fields: Any) -> Declaration:
    """A declaration of the shipped organisation's."""
    plain = declaration(**fields, **({"runbook": book} if book else {}))
    where = plain.environment.model_copy(update={"kind": kind})
    return plain.model_copy(update={"environment": where, "organisation": axis()})


def carried(*approvals: Approval) -> tuple[RunbookApproval, ...]:
    return tuple(RunbookApproval.model_validate(one.signed()) for one in approvals)
