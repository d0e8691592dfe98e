"""`incident audit verify` has three answers: proven by a key of one's own, consistent only with itself, broken."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from starters.archives import archive_file
from starters.cli import verdicts
from tests.records import ARN, Signer, record, signer
from tests.starters.conftest import Incident
from tests.starters.vaulted import INCIDENT, Vaulted


def test_keys_that_are_brought_count_alone(incident: Incident, aws: Vaulted, tmp_path: Path) -> None:
    """By fingerprint or in PEM, for a stored record and an archive: with one that did not sign, nothing is proven."""
    aws.note(3)
    file = tmp_path / "record.zip"
    assert incident("audit", "export", INCIDENT, "-o", str(file)).status == 0
    (own,) = incident("audit", "verify", INCIDENT, "--json").json["keys"].values()
    spelled = ":".join(own.upper()[n : n + 2] for n in range(0, 64, 2))
    for what in ((INCIDENT,), ("--file", str(file))):
        for named, status, answer in ((own, 0, "proven"), (spelled, 0, "proven"), ("0" * 64, 1, "broken")):
            said = incident("audit", "verify", *what, "--fingerprint", named, "--json")
            assert (said.status, said.json["answer"], said.json["intact"]) == (status, answer, status == 0), said.err
        said = incident("audit", "verify", *what, "--fingerprint", own, "--fingerprint", "0" * 64, "--json")
        assert (said.status, set(said.json["keys"].values())) == (0, {own})
    assert "no key that is there" in incident("audit", "verify", INCIDENT, "--fingerprint", "0" * 64).out
    wrong = incident("audit", "verify", INCIDENT, "--fingerprint", "0123")
    assert (wrong.status, wrong.out) == (2, "")
    other, real = tmp_path / "other.pem", tmp_path / "real.pem"
    other.write_text(Signer().pem)
    with ZipFile(file) as zipped:
        real.write_bytes(zipped.read("public-key.pem"))
    both = incident("audit", "verify", "--file", str(file), "--public-key", str(other), "--public-key", str(real))
    assert both.status == 0, both.err
    assert incident("audit", "verify", "--file", str(file), "--public-key", str(other)).status == 1


def test_a_fork_and_what_temporal_has_more_are_not_intact(
    incident: Incident, aws: Vaulted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record must tell one history, and not end before Temporal's."""
    aws.note(5)
    monkeypatch.setattr(verdicts, "_LATE_SECONDS", 0)
    head = aws.timeline.entries[2].hash
    for length, theirs, broken in (
        (3, head, None),
        (3, "0" * 64, "entry 3: Temporal"),
        (9, head, "entry 6: the record"),
    ):
        known = {"timeline": {"length": length, "head": theirs}}
        monkeypatch.setattr(verdicts, "document", lambda _, known=known: known)
        said = incident("audit", "verify", INCIDENT, "--json")
        assert (said.status, said.json["remarks"]) == (int(broken is not None), [])
        assert broken is None or broken in said.err


def test_what_is_not_intact_is_exported_and_said(
    incident: Incident, aws: Vaulted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is written, as a broken record is evidence too; the exit status and the reason say that it is broken."""
    aws.note(5)
    monkeypatch.setattr(verdicts, "_LATE_SECONDS", 0)
    monkeypatch.setattr(verdicts, "document", lambda _: {"timeline": {"length": 9, "head": "0" * 64}})
    for number, more in enumerate(((), ("--json",))):
        file = tmp_path / f"{number}.zip"
        said = incident("audit", "export", INCIDENT, "-o", str(file), *more)
        assert (said.status, f"the record of {INCIDENT} is not intact: entry 6: the record" in said.err) == (1, True)
        assert incident("audit", "verify", "--file", str(file), "--json").json["entries"] == 5
    assert said.json["intact"] is False


@pytest.mark.parametrize("content", ["", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_key_that_is_none_is_wrong_usage(incident: Incident, tmp_path: Path, content: str) -> None:
    """A file that holds no public key exits 2."""
    file = tmp_path / "a.zip"
    file.write_bytes(archive_file.pack(record(5), {ARN: signer().pem}, None, "2026-12-01T00:00:00Z"))
    key = tmp_path / "key.pem"
    key.write_text(content)
    assert incident("audit", "verify", "--file", str(file), "--public-key", str(key)).status == 2
