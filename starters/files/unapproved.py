"""What a folder's signatures come to: the runbooks that lack one, and what may begin by itself and cannot any more."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from authority.approvals import Approval, lacking
from authority.preauthorisations import Entry
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from starters.files.approvals import load_approvals
from starters.files.identities import load_identities
from starters.files.loading import folders, load_runbook
from starters.files.organisation_folder import (
    PREAUTHORISATIONS,
    list_environments,
    list_runbooks,
    load_environment,
    load_organisation,
)
from starters.files.preauthorisation_checks import of_folder
from starters.files.preauthorisations import load_preauthorisations
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import read


def load_signed(folder: Path, organisation: str) -> tuple[Approval, ...]:
    """The signatures of a folder, by its own register. Raises `InvalidFile`; nothing of a register that is broken."""
    try:
        register = load_identities(folder, organisation)
    except InvalidFile:
        return ()  # which is said of that file
    return load_approvals(folder, organisation, register)


def load_preauthorised(folder: Path, organisation: str) -> tuple[Entry, ...]:
    """What may begin by itself, by a folder's own register and runbooks, as it stands today.

    Raises `InvalidFile`, also where the runbook has come to say something else; nothing of a register that is broken.
    """
    try:
        register = load_identities(folder, organisation)
    except InvalidFile:
        return ()  # which is said of that file
    entries = load_preauthorisations(folder, organisation, register)
    document = read(folder / PREAUTHORISATIONS)
    if found := [document.problem(flaw) for flaw in of_folder(folder, entries, datetime.now(UTC))]:
        raise InvalidFile(found)
    return entries


def lacking_by_type(folder: Path) -> dict[str, tuple[str, ...]]:
    """By type of incident, the roles that must sign its runbook yet. Raises `InvalidFile` where anything is wrong."""
    organisation = load_organisation(folder)
    register = load_identities(folder, organisation.id)
    known = load_approvals(folder, organisation.id, register)
    digests = {type_: _read(folder, organisation, type_).digest() for type_ in list_runbooks(folder)}
    return {type_: lacking(digest, known, organisation, register) for type_, digest in digests.items()}


def unapproved(path: Path) -> dict[Path, tuple[str, ...]]:
    """By runbook of a folder, or of a folder of such folders, the roles that must sign it yet, where any must.

    Nothing of a folder in which something is wrong, which `lint` reports.
    """
    found: dict[Path, tuple[str, ...]] = {}
    for folder in folders(path):
        with suppress(InvalidFile):
            found |= {folder / f"{type_}.yaml": left for type_, left in lacking_by_type(folder).items() if left}
    return found


def digest_in(folder: Path, type_: str) -> str:
    """The digest of the runbook of this type as a folder has it, as workers know it. Raises `InvalidFile`."""
    return _read(folder, load_organisation(folder), type_).digest()


def _read(folder: Path, organisation: Organisation, type_: str) -> Runbook:
    """Whatever environment it is checked against: they change nothing of it."""
    name = next(iter(list_environments(folder)), "")
    return load_runbook(folder, type_, organisation, load_environment(folder, name, allow_placeholders=True))
