"""`incident audit pack`: a whole period in one file, and what a stranger finds who checks it without our code."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.packs import PERIOD, Quarter, quarter
from tests.proving import proved
from tests.starters.conftest import Incident
from tests.starters.ledgered import alter
from tests.starters.vaulted import Vaulted


class Stranger:
    """Somebody with the unpacked pack, Python and openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checks(self) -> tuple[int, str]:
        """The exit status of the pack's own program, and what it says."""
        said = proved(self.folder)
        return said.returncode, said.stdout + said.stderr

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())

    def write(self, name: str, content: Any) -> None:
        """Write a file as packs have it."""
        (self.folder / name).write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")

    def relist(self) -> None:
        """Make the list of contents anew, as somebody would who hides what was taken away."""
        contents = self.read("contents.json")
        files = (file for file in self.folder.rglob("*") if file.is_file() and not file.name.startswith("contents."))
        contents["sha256"] = {
            file.relative_to(self.folder).as_posix(): sha256(file.read_bytes()).hexdigest() for file in files
        }
        self.write("contents.json", contents)

    def remove(self, incident: str) -> None:
        for file in sorted((self.folder / "incidents" / incident).rglob("*"), reverse=True):
            file.unlink() if file.is_file() else file.rmdir()
        (self.folder / "incidents" / incident).rmdir()


@pytest.fixture
def known(aws: Vaulted) -> Quarter:
    return quarter(aws)


@pytest.fixture
def stranger(incident: Incident, known: Quarter, tmp_path: Path) -> Stranger:
    """The pack of the quarter, unpacked."""
    assert known
    file = tmp_path / "pack.zip"
    assert incident("audit", "pack", "--period", PERIOD, "-o", str(file)).status == 0
    with ZipFile(file) as zipped:
        zipped.extractall(tmp_path / "pack")
    return Stranger(tmp_path / "pack")


def test_what_was_open_in_the_period_is_in_it(stranger: Stranger, known: Quarter) -> None:
    """All modes; what ended before it or began after it is not. Everything checks."""
    rows = {row["incident"]: row for row in stranger.read("incidents.json")}
    assert set(rows) == {known.long, known.breach, known.drill, known.review}
    assert [rows[name]["mode"] for name in (known.breach, known.drill, known.review)] == ["live", "drill", "upkeep"]
    assert all(row["flaw"] is None for row in rows.values())
    (drill,) = stranger.read("drills.json")
    assert (drill["incident"], drill["verdict"]) == (known.drill, "running")
    points = {point["name"]: point["met"] for point in drill["points"]}
    assert (points["acknowledged in time"], points["right change"]) == (True, False)
    (review,) = stranger.read("upkeep.json")
    assert (review["schedule"], len(review["missed"])) == ("runbook-review", 1)
    assert [(task["status"], task["note"]) for task in review["tasks"]] == [("done", "fit for use")]
    total = stranger.read("statistics.json")["total"]
    assert (total["incidents"], total["drills"]) == (1, 1)  # declared in the quarter; upkeep is no incident
    status, said = stranger.checks()
    assert status == 0, said
    assert said.startswith(f"4 records and {len(stranger.read('contents.json')['sha256'])} files of {PERIOD}")


def test_duties_are_told_kept_or_missed(stranger: Stranger, known: Quarter) -> None:
    """With the entries of the record that say so."""
    missed = {row["step"]: row for row in stranger.read("duties.json") if row["missed"]}
    assert missed
    assert {row["incident"] for row in missed.values()} == {known.breach}
    chain = (stranger.folder / "incidents" / known.breach / "chain.jsonl").read_text().splitlines()
    for step, row in missed.items():
        for seq in row["overdue_in"]:
            entry = json.loads(chain[seq - 1])
            assert (entry["kind"], entry["data"]["step"]) == ("obligation-overdue", step)


def test_who_came_and_who_left_is_seen_between_declarations(stranger: Stranger, known: Quarter) -> None:
    rows = [(row["incident"], row["what"]) for row in stranger.read("people.json")]
    assert (known.review, "new-cto is a contact now: cto") in rows
    assert (known.review, "cto is no contact any more") in rows


def test_the_same_ledger_gives_the_same_bytes(incident: Incident, known: Quarter, tmp_path: Path) -> None:
    """However the period is written; the signature is made once."""
    files = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for file, period in zip(files, (PERIOD, "2026-10-01..2026-12-31"), strict=True):
        said = incident("audit", "pack", "--period", period, "-o", str(file), "--json")
        assert (said.json["period"], said.json["records"], said.json["flaws"]) == (PERIOD, len(known) - 2, {})
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("relisted", [False, True])
def test_a_drill_that_is_taken_away_is_found(stranger: Stranger, known: Quarter, relisted: bool) -> None:
    """From the list, from the tables, and from both: then the list is no more the one that was signed."""
    stranger.remove(known.drill)
    for name in ("incidents.json", "drills.json"):
        stranger.write(name, [row for row in stranger.read(name) if row["incident"] != known.drill])
    if relisted:
        stranger.relist()
    status, said = stranger.checks()
    assert status == 1
    assert ("contents.json is not the list that was signed" in said) == relisted
    assert (f"incidents/{known.drill}/chain.jsonl is missing" in said) != relisted


@pytest.mark.parametrize("relisted", [False, True])
def test_a_duty_that_was_missed_and_is_taken_away_is_found(stranger: Stranger, known: Quarter, relisted: bool) -> None:
    """The record tells it though the table does not."""
    rows = stranger.read("duties.json")
    gone = next(row for row in rows if row["overdue_in"])
    stranger.write("duties.json", [row for row in rows if row is not gone])
    if relisted:
        stranger.relist()
    status, said = stranger.checks()
    assert status == 1
    assert f"duties.json leaves out that {gone['step']} of {known.breach} was missed" in said
    assert ("contents.json is not the list that was signed" in said) == relisted
    assert ("duties.json is not as it was" in said) != relisted


def test_a_record_that_is_cut_or_altered_is_found(stranger: Stranger, known: Quarter) -> None:
    """Whatever the list says; a drill that is only left out of its table, and a file that was never listed, too."""
    chain = stranger.folder / "incidents" / known.breach / "chain.jsonl"
    lines = chain.read_text().splitlines(keepends=True)
    for changed in (lines[:-1], [*lines[:5], *lines[6:]], [*lines[:5], lines[5].replace("Z", "z"), *lines[6:]]):
        chain.write_text("".join(changed))
        stranger.relist()
        status, said = stranger.checks()
        assert status == 1
        assert f"{known.breach}: " in said
    chain.write_text("".join(lines))
    stranger.write("drills.json", [])
    stranger.relist()
    (stranger.folder / "more.txt").write_text("x")
    said = stranger.checks()[1]
    assert f"drills.json leaves out {known.drill}" in said
    assert "more.txt is not in the list of contents" in said


def test_a_signature_over_another_list_is_found(stranger: Stranger) -> None:
    """Nobody without the key can sign what was left."""
    seal = stranger.read("contents.signature.json")
    stranger.write("people.json", [])
    stranger.relist()
    contents = sha256((stranger.folder / "contents.json").read_bytes()).hexdigest()
    stranger.write("contents.signature.json", {**seal, "body": {**seal["body"], "contents": contents}})
    status, said = stranger.checks()
    assert status == 1
    assert "the signature of the list of contents is not valid" in said


@pytest.mark.parametrize("how", ["rewritten", "garbled", "gone"])
def test_a_broken_record_is_packed_and_named(
    incident: Incident, aws: Vaulted, known: Quarter, tmp_path: Path, how: str
) -> None:
    """The pack tells what is wrong with it, and so does its own program; nothing is left out."""
    alter(aws, known.drill, how)
    file = tmp_path / "pack.zip"
    said = incident("audit", "pack", "--period", PERIOD, "-o", str(file))
    assert said.status == 1
    assert f"{known.drill} is broken: " in said.err
    with ZipFile(file) as zipped:
        zipped.extractall(tmp_path / "pack")
    stranger = Stranger(tmp_path / "pack")
    assert [row["incident"] for row in stranger.read("incidents.json") if row["flaw"]] == [known.drill]
    status, told = stranger.checks()
    assert status == 1
    assert told.startswith(f"{known.drill}: ")


@pytest.mark.parametrize("period", ["2026", "2026-Q5", "2030-01", "2026-03-02..2026-03-01"])
def test_what_is_no_period_is_refused(incident: Incident, aws: Vaulted, period: str) -> None:
    assert aws
    said = incident("audit", "pack", "--period", period)
    assert said.status == 2
    assert f"--period {period}" in said.err.replace("'", "")
