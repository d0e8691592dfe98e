"""An archive that a stranger made: it cannot fill the memory, and it cannot prove itself."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from domain.audit.storage_format import StoredCopy
from domain.model.timeline import Entry
from starters.archives import archive_file, unpacking
from tests.records import ARN, Signer, record, signer
from tests.starters.conftest import Incident

MB = 1024 * 1024


def zipped(file: Path, name: str, megabytes: int, line: bytes = b"0" * 1023 + b"\n") -> None:
    """A zip file with one file in it, of lines that are all alike."""
    with ZipFile(file, "w", ZIP_DEFLATED) as made, made.open(name, "w") as out:
        for _ in range(megabytes):
            out.write(line * (MB // len(line)))


def test_an_archive_that_swells_is_refused_as_it_comes_out(incident: Incident, tmp_path: Path) -> None:
    """Half a megabyte becomes two hundred: it is refused at the bound, which is all the memory it takes."""
    file = tmp_path / "swells.zip"
    zipped(file, "chain.jsonl", 192)
    assert file.stat().st_size < MB
    tracemalloc.start()
    try:
        said = incident("audit", "verify", "--file", str(file))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert "unpacked it has more than" in said.err
    assert peak < 2 * unpacking._UNPACKED_MAX


def many_files(file: Path) -> None:
    with ZipFile(file, "w") as made:
        for number in range(unpacking._FILES_MAX + 1):
            made.writestr(str(number), b"")


def one_line(file: Path) -> None:
    zipped(file, "chain.jsonl", 2, b"0")


def many_lines(file: Path) -> None:
    zipped(file, "chain.jsonl", 1, b"\n")


def twice(file: Path) -> None:
    with ZipFile(file, "w") as made:
        made.writestr("manifest.json", b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("manifest.json", b"{}")


def other_way(way: int) -> Callable[[Path], None]:
    def made(file: Path) -> None:
        with ZipFile(file, "w", way) as zipped:
            zipped.writestr("manifest.json", b"{}")

    return made


def deep(file: Path) -> None:
    with ZipFile(file, "w") as made:
        made.writestr("manifest.json", b"[" * 200_000)


def deep_entry(file: Path) -> None:
    file.write_bytes(archive_file.pack(record(3), {ARN: signer().pem}, None, "2026-12-01T00:00:00Z"))
    with ZipFile(file, "a") as made:
        made.writestr("chain-0002.jsonl", b"[" * 200_000)


def long_number(file: Path) -> None:
    with ZipFile(file, "w") as made:
        made.writestr("manifest.json", b'{"incident":"x","sha256":{},"keys":{}}')
        made.writestr("epochs.json", b'{"2": {"after": "' + b"9" * 5000 + b'"}}')


@pytest.mark.parametrize(
    "make",
    [
        *(many_files, one_line, many_lines, twice, other_way(ZIP_BZIP2), other_way(ZIP_LZMA)),
        *(deep, deep_entry, long_number),
    ],
)
def test_whatever_is_too_much_is_one_line(incident: Incident, tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Too many files or lines, one that is too long, names that stand twice, depth: one line says which."""
    file = tmp_path / "made.zip"
    make(file)
    said = incident("audit", "verify", "--file", str(file))
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert "broken" in said.err or "no archive of ours" in said.err


def test_another_key_in_the_archive_is_found_out(incident: Incident, tmp_path: Path) -> None:
    """A record forged whole with a key of its own is consistent with itself alone, and broken by the key one trusts."""
    forger, real = Signer(), tmp_path / "real.pem"
    real.write_text(signer().pem)
    entries = record(5)
    forged = entries._replace(seals=[forger.seal(entry) for entry in archive_entries(entries)])
    file = tmp_path / "forged.zip"
    file.write_bytes(archive_file.pack(forged, {ARN: forger.pem}, None, "2026-12-01T00:00:00Z"))
    alone = incident("audit", "verify", "--file", str(file), "--json")
    assert (alone.status, alone.json["answer"], alone.json["intact"]) == (1, "consistent", False)
    said = incident("audit", "verify", "--file", str(file), "--public-key", str(real))
    assert said.status == 1
    assert "entry 1: the signature" in said.err


def archive_entries(copy: StoredCopy) -> list[Entry]:
    return [Entry.model_validate_json(item.content) for item in copy.items[1]]
