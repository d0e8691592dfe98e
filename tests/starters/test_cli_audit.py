"""`incident audit`: a broken record is named in one line, and an archive proves itself without anything of ours."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain.audit.storage_format import StoredCopy
from starters.archives import archive_file
from tests.proving import fingerprint, proved
from tests.records import ARN, forked, record, signer
from tests.starters.conftest import Incident
from tests.starters.vaulted import INCIDENT, Vaulted

LENGTH = 400


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of an incident of 400 entries."""
    file = tmp_path_factory.mktemp("archives") / "whole.zip"
    file.write_bytes(archive_file.pack(record(LENGTH), {ARN: signer().pem}, {"id": INCIDENT}, "2026-12-01T00:00:00Z"))
    return file


def item_key(number: int) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"chain#{INCIDENT}#0001"}, "sk": {"S": f"{number:06d}"}}


def repacked(file: Path, into: Path, change: Callable[[dict[str, str]], None]) -> str:
    """Write an archive anew with its files changed, and the manifest's hashes as they were."""
    with ZipFile(file) as zipped:
        files = {name: zipped.read(name).decode() for name in zipped.namelist()}
    change(files)
    with ZipFile(into, "w", ZIP_DEFLATED) as zipped:
        for name, text in files.items():
            zipped.writestr(name, text.encode())
    return str(into)


def test_an_intact_record_exits_0(incident: Incident, aws: Vaulted) -> None:
    """Without Temporal, from the store alone: how many entries, how far they are signed, and by which key."""
    aws.note(5)
    said = incident("audit", "verify", INCIDENT)
    assert (said.status, said.err) == (0, "")
    assert f"{INCIDENT} is proven intact: 5 entries, signed up to 5" in said.out
    found = incident("audit", "verify", INCIDENT, "--json").json
    assert (found["answer"], found["intact"], found["first"], found["entries"]) == ("proven", True, None, 5)
    assert found["head"] == aws.timeline.head
    assert all(arn.startswith("arn:aws:kms:") and len(print_) == 64 for arn, print_ in found["keys"].items())


def test_a_broken_record_exits_1_with_one_line(incident: Incident, aws: Vaulted) -> None:
    """The first entry that is not whole is named on stderr; with --json the document tells all of it."""
    aws.note(9)
    db = aws.clients.client("dynamodb")
    db.delete_item(TableName=aws.environment.ledger_table, Key=item_key(4))
    said = incident("audit", "verify", INCIDENT)
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert "entry 4: it is missing" in said.err
    found = incident("audit", "verify", INCIDENT, "--json")
    assert found.status == 1
    assert found.json["first"] == {"kind": "missing", "epoch": 1, "seq": 4, "text": "it is missing"}


def test_nothing_to_check_is_refused(incident: Incident, aws: Vaulted) -> None:
    """An unknown id exits 1 in one line; so does an AWS that denies, or is not there; wrong usage exits 2."""
    for arguments in (("audit", "verify", INCIDENT), ("audit", "export", INCIDENT), ("timeline", INCIDENT, "--ledger")):
        said = incident(*arguments)
        assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
        assert INCIDENT in said.err
    aws.clients.client("dynamodb").delete_table(TableName=aws.environment.ledger_table)
    said = incident("audit", "verify", INCIDENT)
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert "ResourceNotFound" in said.err
    assert incident("audit", "verify").status == 2
    assert incident("audit", "verify", INCIDENT, "--file", __file__).status == 2
    assert incident("audit", "verify", "--file", __file__).status == 2


def test_an_export_needs_no_temporal_and_verifies_offline(
    incident: Incident, aws: Vaulted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Temporal gone the record is exported all the same, and checked with AWS gone too."""
    aws.note(12)
    file = tmp_path / "record.zip"
    said = incident("audit", "export", INCIDENT, "-o", str(file), "--json")
    assert said.status == 0, said.err
    assert said.json == {
        "incident_id": INCIDENT,
        "written": str(file),
        "entries": 12,
        "intact": True,
        "document": False,
    }
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("INCIDENT_ENVIRONMENT")
    alone = incident("audit", "verify", "--file", str(file))
    assert (alone.status, alone.err.count("\n")) == (1, 1)
    assert "consistent only with itself: 12 entries, signed up to 12" in alone.err
    assert "--fingerprint" in alone.err
    with ZipFile(file) as zipped:
        names = set(zipped.namelist())
        assert {"README.md", "verify.py", "chain.jsonl", "epochs.json", "public-key.pem", "manifest.json"} <= names
        zipped.extract("public-key.pem", tmp_path)
    own = incident("audit", "verify", "--file", str(file), "--public-key", str(tmp_path / "public-key.pem"))
    assert own.status == 0
    assert "proven intact: 12 entries, signed up to 12" in own.out


CALM = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.integers(1, LENGTH), st.integers(0, 10**6))
@CALM
def test_a_byte_changed_in_an_archive_is_named(
    incident: Incident, packed: Path, tmp_path: Path, number: int, position: int
) -> None:
    """Whatever byte of whatever line of the chain is changed, that entry is named."""

    def change(files: dict[str, str]) -> None:
        lines = files["chain.jsonl"].split("\n")
        line, at = lines[number - 1], position % len(lines[number - 1])
        lines[number - 1] = line[:at] + ("x" if line[at] != "x" else "y") + line[at + 1 :]
        files["chain.jsonl"] = "\n".join(lines)

    said = incident("audit", "verify", "--file", repacked(packed, tmp_path / "a.zip", change), "--json")
    assert (said.status, said.json["first"]["seq"]) == (1, number)


@given(st.integers(1, LENGTH))
@CALM
def test_a_line_dropped_from_an_archive_is_named(incident: Incident, packed: Path, tmp_path: Path, number: int) -> None:
    """A line that is gone is missing by its number; the last is cut off."""

    def change(files: dict[str, str]) -> None:
        lines = files["chain.jsonl"].split("\n")
        del lines[number - 1]
        files["chain.jsonl"] = "\n".join(lines)

    said = incident("audit", "verify", "--file", repacked(packed, tmp_path / "a.zip", change), "--json")
    kind = "cut" if number == LENGTH else "missing"
    assert (said.json["first"]["seq"], said.json["first"]["kind"]) == (number, kind)


def test_swapped_and_cut_archives_are_named(incident: Incident, packed: Path, tmp_path: Path) -> None:
    """Swapped lines are reordered, a shorter chain is cut, however few lines are left."""

    def swap(files: dict[str, str]) -> None:
        lines = files["chain.jsonl"].split("\n")
        lines[0], lines[99] = lines[99], lines[0]
        files["chain.jsonl"] = "\n".join(lines)

    def cut(files: dict[str, str]) -> None:
        files["chain.jsonl"] = "".join(line + "\n" for line in files["chain.jsonl"].split("\n")[:250])

    def empty(files: dict[str, str]) -> None:
        files["chain.jsonl"] = ""

    for change, expected in ((swap, (1, "reordered")), (cut, (251, "cut")), (empty, (1, "cut"))):
        said = incident("audit", "verify", "--file", repacked(packed, tmp_path / "a.zip", change), "--json")
        assert (said.json["first"]["seq"], said.json["first"]["kind"]) == expected


@pytest.mark.parametrize("name", ["README.md", "verify.py", "incident.json", "epochs.json"])
def test_any_other_file_changed_is_named(incident: Incident, packed: Path, tmp_path: Path, name: str) -> None:
    """A changed file beside the chain is named, too, and so is one that was left out or put in."""

    def change(files: dict[str, str]) -> None:
        files[name] += " "

    def drop(files: dict[str, str]) -> None:
        del files["README.md"]

    def add(files: dict[str, str]) -> None:
        files["more.txt"] = ""

    for how, named in ((change, name), (drop, "README.md"), (add, "more.txt")):
        said = incident("audit", "verify", "--file", repacked(packed, tmp_path / "a.zip", how))
        assert (said.status, said.err.count("\n")) == (1, 1)
        assert named in said.err


@given(st.integers(2, 10**7))
@example(-4)  # where its directory begins: before the file's own beginning
@CALM
def test_a_damaged_zip_file_is_told(incident: Incident, packed: Path, tmp_path: Path, position: int) -> None:
    """A byte of the zip file itself that differs never ends in a trace, and passes only where zip has no use for it."""
    content = bytearray(packed.read_bytes())
    content[position % len(content)] ^= 0x55
    file = tmp_path / "damaged.zip"
    file.write_bytes(content)
    said = incident("audit", "verify", "--file", str(file), "--fingerprint", fingerprint(signer().pem))
    assert said.status in {0, 1, 2}
    if said.status:
        assert said.err.count("\n") == 1
    else:
        assert archive_file.unpack(file) == archive_file.unpack(packed)


def unpacked(copy: StoredCopy, folder: Path) -> Path:
    file = folder / "a.zip"
    file.write_bytes(archive_file.pack(copy, {ARN: signer().pem}, None, "2026-12-01T00:00:00Z"))
    with ZipFile(file) as zipped:
        zipped.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_script_in_the_archive_finds_a_fork(tmp_path: Path) -> None:
    """Two histories are not one record, however well each is signed."""
    said = proved(unpacked(forked(), tmp_path))
    assert said.returncode == 1
    assert "epoch 2 forks" in said.stderr


def test_the_script_in_the_archive_proves_it_alone(tmp_path: Path) -> None:
    """With a bare Python, openssl and a trusted fingerprint it is proven; any altered entry or head fails."""
    folder = unpacked(record(20), tmp_path)

    def checked() -> subprocess.CompletedProcess[str]:
        return proved(folder, [fingerprint(signer().pem)])

    said = checked()
    assert said.returncode == 0, said.stderr
    assert "20 entries" in said.stdout
    alone = proved(folder, [])
    assert alone.returncode == 1
    assert "consistent only with itself" in alone.stderr
    assert fingerprint(signer().pem) in alone.stderr
    assert proved(folder, ["0" * 64]).returncode == 1
    chain = folder / "chain.jsonl"
    whole = chain.read_text()
    lines = whole.splitlines(keepends=True)
    for changed in (whole.replace("seen 7", "seen 8"), "".join(lines[:5] + lines[6:]), "".join(lines[:-1])):
        chain.write_text(changed)
        assert checked().returncode == 1
    chain.write_text(whole)
    for seal in folder.glob("ledger/**/*.json"):
        kept = seal.read_text()
        body = json.loads(kept)
        body["body"]["seq"] -= 1
        seal.write_text(json.dumps(body))
        assert checked().returncode == 1
        seal.write_text(kept)
    assert checked().returncode == 0
