"""Organisations whose people have keys of the system's own `ssh-keygen`, enrolled by the command."""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from starters.files.shipped import shipped_folder
from tests.authority.signing import generated
from tests.starters.conftest import Incident


class Enrolled(NamedTuple):
    """A copy of the shipped organisation, and the file of each person's key."""

    folder: Path
    keys: dict[str, Path]

    def approve(self, type_: str, by: str, *more: str) -> tuple[str, ...]:
        """The arguments by which somebody approves a runbook with their own key, without being asked."""
        return ("runbook", "approve", type_, "--as", by, "--sign-with", str(self.keys[by]), "--yes", *more)


def enrolled(incident: Incident, place: Path, *contacts: str) -> Enrolled:
    """The first of them vouches for the others."""
    folder = Path(shutil.copytree(shipped_folder(), place / "clinic"))
    keys: dict[str, Path] = {}
    first = contacts[0]
    for one in contacts:
        (place / one).mkdir()
        keys[one] = generated(place / one, "ed25519")
        by = () if one == first else ("--sign-with", str(keys[first]))
        public = ("--public", str(keys[one]), "--as", first, "--runbooks", str(folder))
        said = incident("identity", "enrol", one, *public, *by)
        assert said.status == 0, said
    return Enrolled(folder, keys)


def in_production(folder: Path) -> None:
    """Give a copy of the shipped organisation a production that is filled in, and numbers that somebody may answer."""
    environments = folder / "environments"
    text = (environments / "sandbox.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\n(faults|recovery):\n(  .*\n)+", "\n", text)  # which production has none of
    text = text.replace("name: sandbox", "name: production").replace("kind: sandbox", "kind: production")
    (environments / "production.yaml").write_text(text, encoding="utf-8")
    people = folder / "organisation.yaml"
    people.write_text(people.read_text(encoding="utf-8").replace("+61491570", "+61412345"), encoding="utf-8")
