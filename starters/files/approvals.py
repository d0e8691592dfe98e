"""`approvals.yaml`: who has signed which version of which runbook, read with every signature checked."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from authority.approvals import Approval, ApprovalError, Approvals, lacking, of_digest, refuse_unproven
from authority.register import Register
from domain.config.names import Flaw
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.values import limits
from starters.files import growing
from starters.files.identities import load_identities
from starters.files.organisation_folder import APPROVALS, loaded
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import Document, read

_HEAD = """\
# Who has approved which version of which runbook. `incident runbook approve` writes it: signatures are only added, at
# the end. Change none of them: a runbook that says something else needs others.
approvals:
"""


class Signatures(NamedTuple):
    """What a declaration says of approvals, as JSON, and the roles that have not signed its runbook."""

    approvals: list[dict[str, Any]]
    lacking: tuple[str, ...]


def signatures(folder: Path, organisation: Organisation, runbook: Runbook, others: Iterable[Runbook]) -> Signatures:
    """Who has signed this runbook, and `others` that may be opened beside it, the first of these as far as they fit.

    Raises `InvalidFile`.
    """
    register = load_identities(folder, organisation.id)
    known = load_approvals(folder, organisation.id, register)
    own, room, found = runbook.digest(), limits.APPROVALS, list[dict[str, Any]]()
    for other in others:
        theirs = [one.signed() for one in of_digest(other.digest(), known, register)]
        room -= limits.size(theirs)
        if room < 0:
            break
        found += theirs
    signed = [one.signed() for one in of_digest(own, known, register)]
    return Signatures([*signed, *found], lacking(own, known, organisation, register))


def load_approvals(folder: Path, organisation: str, register: Register) -> tuple[Approval, ...]:
    """The signatures of an organisation's folder; without the file nobody has signed. Raises `InvalidFile`.

    Each was made by a key of the register. Which of them count is for `authority.approvals` to say.
    """
    file = Path(folder) / APPROVALS
    return _taken(organisation, register, read(file)) if file.exists() else ()


def grown(folder: Path, organisation: str, register: Register, approval: Approval) -> str:
    """The file's text with one more signature at its end.

    Raises `InvalidFile` where it would not be taken, and what `growing.grown` raises.
    """
    said = {"type": approval.type, "version": approval.version, **approval.signed()}
    return growing.grown(Path(folder) / APPROVALS, _HEAD, said, partial(_taken, organisation, register))


def _taken(organisation: str, register: Register, document: Document) -> tuple[Approval, ...]:
    approvals = loaded(document, Approvals, ()).approvals
    try:
        refuse_unproven(approvals, organisation, register)
    except ApprovalError as error:
        flaw = Flaw(("approvals", error.position), str(error))
        raise InvalidFile([document.problem(flaw)]) from error
    return approvals
