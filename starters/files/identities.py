"""`identities.yaml`: the register of keys, read with every signature checked, and grown by an entry at its end."""

from functools import partial
from pathlib import Path
from typing import Any

from authority.enrolment import Enrolled, EnrolmentError, Identities, Revoked, register_of
from authority.register import Register
from domain.config.names import Flaw
from starters.files import growing
from starters.files.organisation_folder import IDENTITIES, loaded
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import Document, read

_HEAD = """\
# Who signs with which key. `incident identity` writes it: entries are only added, at the end, each signed by a key that
# may enrol; whoever owns this file vouches for the first. Change none of them: revoke instead.
entries:
"""


def load_identities(folder: Path, organisation: str) -> Register:
    """Read the register of an organisation; without the file nobody has a key. Raises `InvalidFile`."""
    return register_of(load_entries(folder, organisation), organisation)


def _taken(organisation: str, document: Document) -> tuple[Enrolled | Revoked, ...]:
    entries = loaded(document, Identities, ()).entries
    try:
        register_of(entries, organisation)
    except EnrolmentError as error:
        flaw = Flaw(("entries", error.position), str(error))
        raise InvalidFile([document.problem(flaw)]) from error
    return entries


def grown(folder: Path, organisation: str, entry: Enrolled | Revoked) -> str:
    """The file's text with one more entry at its end.

    Raises `InvalidFile` where the register would not take it, and what `growing.grown` raises.
    """
    said: dict[str, Any] = {"act": entry.act, **entry.model_dump(mode="json", exclude={"proof", "act"})}
    if entry.proof is not None:
        said["proof"] = entry.proof.model_dump(mode="json")
    return growing.grown(Path(folder) / IDENTITIES, _HEAD, said, partial(_taken, organisation))


def load_entries(folder: Path, organisation: str) -> tuple[Enrolled | Revoked, ...]:
    """The entries of a register that holds. Raises `InvalidFile`."""
    file = Path(folder) / IDENTITIES
    return _taken(organisation, read(file)) if file.exists() else ()
