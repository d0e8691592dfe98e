"""`preauthorisations.yaml`: what may begin by itself in a P0, read with every signature checked."""

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

from authority.preauthorisations import (
    Entry,
    PreAuthorisationError,
    PreAuthorisations,
    Standing,
    refuse_unproven,
    standing,
)
from authority.register import Register
from domain.config.names import Flaw
from domain.config.organisation import Organisation
from domain.model.preauthorised import PreAuthorised
from starters.files import growing
from starters.files.identities import load_identities
from starters.files.organisation_folder import PREAUTHORISATIONS, loaded
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import Document, read

_HEAD = """\
# What may begin by itself in a P0, before anybody has acknowledged. `incident preauthorise` writes it: signatures are
# only added, at the end. Change none of them: whatever says something else needs others.
preauthorisations:
"""


def load_preauthorisations(folder: Path, organisation: str, register: Register) -> tuple[Entry, ...]:
    """The entries of an organisation's folder; without the file there are none. Raises `InvalidFile`.

    Each was signed by a key of the register. Which of them count is for `authority.preauthorisations` to say.
    """
    file = Path(folder) / PREAUTHORISATIONS
    return _taken(organisation, register, read(file)) if file.exists() else ()


def standing_in(folder: Path, organisation: Organisation) -> list[Standing]:
    """Each pre-authorisation of a folder, as it stands there. Raises `InvalidFile`."""
    register = load_identities(folder, organisation.id)
    return standing(load_preauthorisations(folder, organisation.id, register), organisation, register)


def lasting(folder: Path, organisation: Organisation, environment: str, types: Collection[str]) -> list[PreAuthorised]:
    """Those of an environment and of these types, in the order of these, that all have signed and nobody has revoked.

    Whether it is their time is for whoever declares something to say. Raises `InvalidFile`.
    """
    found = [one for one in standing_in(folder, organisation) if one.terms.environment == environment]
    asked = [one for kind in types for one in found if one.terms.type == kind]
    return [one.carried() for one in asked if one.refusal(one.begins) is None]


def grown(folder: Path, organisation: str, register: Register, entry: Entry) -> str:
    """The file's text with one more entry at its end.

    Raises `InvalidFile` where it would not be taken, and what `growing.grown` raises.
    """
    said: dict[str, Any] = {} if entry.says is None else {"says": entry.says.model_dump(mode="json")}
    return growing.grown(
        Path(folder) / PREAUTHORISATIONS, _HEAD, {**said, **entry.signed()}, partial(_taken, organisation, register)
    )


def _taken(organisation: str, register: Register, document: Document) -> tuple[Entry, ...]:
    entries = loaded(document, PreAuthorisations, ()).preauthorisations
    try:
        refuse_unproven(entries, organisation, register)
    except PreAuthorisationError as error:
        flaw = Flaw(("preauthorisations", error.position), str(error))
        raise InvalidFile([document.problem(flaw)]) from error
    return entries
