"""Archives of signed records, and what both programs say of them."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

from tests.proving import fingerprint, proved_here
from tests.records import signer
from tests.signed_records import Entries, archived, identities, told
from tests.starters.conftest import Incident

Register = list[dict[str, Any]]


class Checked:
    """What both programs say of one archive: the answer to each entry that somebody is said to have made."""

    def __init__(self, incident: Incident, folder: Path, entries: Entries, register: Register | None) -> None:
        self.folder = folder / "unpacked"
        file = archived(folder / "a.zip", entries, register)
        with ZipFile(file) as zipped:
            zipped.extractall(self.folder)
        key = fingerprint(signer().pem)
        self.good, self.said = proved_here(self.folder, key)
        ours = incident("audit", "verify", "--file", str(file), "--fingerprint", key, "--json")
        self.status, self.json = ours.status, ours.json

    @property
    def answers(self) -> dict[int, str]:
        """Of both, by the number of the entry."""
        acts = {one["entry"]: one["answer"] for one in self.json["acts"]}
        words = {"proven", "hands", "namespace", "unknown", "WRONG"}
        lines = [line.split() for line in self.said.splitlines() if line[:1].isdigit()]
        mine = {int(line[0]): word.lower() for line in lines for word in line[2:] if word in words and len(line) > 4}
        assert {number: word for number, word in mine.items() if number in acts} == acts
        return acts


class Checks:
    """Has an archive checked: of the story and its register, where no others are given."""

    def __init__(self, incident: Incident, folder: Path) -> None:
        self._incident, self._folder = incident, folder

    def __call__(self, entries: Entries | None = None, register: Register | None = None) -> Checked:
        return Checked(self._incident, self._folder, entries or told(), register or identities())
