"""`identities.yaml`: the register of keys, read with every signature checked, and grown by an entry at its end."""

from pathlib import Path
from typing import Any

import yaml

from authority.enrolment import Enrolled, EnrolmentError, Identities, Revoked, register_of
from authority.register import Register
from domain.config.names import Flaw
from starters.errors import RefusedError
from starters.files.organisation_folder import IDENTITIES, loaded
from starters.files.problems import InvalidFile
from starters.files.yaml_lines import Document, parse, read

_HEAD = """\
# Who signs with which key. `incident identity` writes it: entries are only added, at the end, each signed by a key that
# may enrol; whoever owns this file vouches for the first. Change none of them: revoke instead.
entries:
"""


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines, such as a signature, as it stands."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def load_identities(folder: Path, organisation: str) -> Register:
    """Read the register of an organisation; without the file nobody has a key. Raises `InvalidFile`."""
    return register_of(load_entries(folder, organisation), organisation)


def _taken(document: Document, organisation: str) -> tuple[Enrolled | Revoked, ...]:
    entries = loaded(document, Identities, ()).entries
    try:
        register_of(entries, organisation)
    except EnrolmentError as error:
        flaw = Flaw(("entries", error.position), str(error))
        raise InvalidFile([document.problem(flaw)]) from error
    return entries


def grown(folder: Path, organisation: str, entry: Enrolled | Revoked) -> str:
    """The file's text with one more entry at its end.

    Raises `InvalidFile` where the register would not take it, `RefusedError` where the file is not as it is written
    here, so that nothing can be added at its end.
    """
    file = Path(folder) / IDENTITIES
    before = file.read_text(encoding="utf-8") if file.exists() else _HEAD
    before += "" if before.endswith("\n") else "\n"
    said: dict[str, Any] = {"act": entry.act, **entry.model_dump(mode="json", exclude={"proof", "act"})}
    if entry.proof is not None:
        said["proof"] = entry.proof.model_dump(mode="json")
    text = before + yaml.dump([said], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=200)
    document = parse(text, file)
    count = len(load_entries(folder, organisation)) + 1
    if len(loaded(document, Identities, ()).entries) != count:
        raise RefusedError(f"{file}: entries must be its last key, as a list of blocks, for a program to add to it")
    _taken(document, organisation)
    return text


def load_entries(folder: Path, organisation: str) -> tuple[Enrolled | Revoked, ...]:
    """The entries of a register that holds. Raises `InvalidFile`."""
    file = Path(folder) / IDENTITIES
    return _taken(read(file), organisation) if file.exists() else ()
