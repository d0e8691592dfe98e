"""What an incident's archive proves to a stranger, and its stored record to whoever has the folder."""

from pathlib import Path
from zipfile import ZipFile

from tests.e2e.house import Document, House
from tests.proving import proved


def all_proven(house: House, incident: str, folder: Path) -> list[Document]:
    """What people did, each of it proven, by both programs."""
    acts: list[Document] = house.json("audit", "verify", incident)["acts"]
    assert {one["answer"] for one in acts} == {"proven"}, acts
    house.run("audit", "export", incident, "-o", str(folder / "record.zip"))
    with ZipFile(folder / "record.zip") as zipped:
        zipped.extractall(folder / "unpacked")
    said = proved(folder / "unpacked")
    assert said.returncode == 0, said.stderr
    assert f"{len(acts)} proven: a key of the register has signed it" in said.stdout
    return acts
