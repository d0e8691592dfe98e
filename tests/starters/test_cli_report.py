"""`incident report`: from the ledger alone where that can be read, else from the workflow, which it says."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.model.timeline import Timeline
from tests.activities.report_worlds import outage
from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident
from tests.starters.vaulted import INCIDENT, Vaulted

START = ("start", "system-outage", "--severity", "P0", "--title", "Portal <b>down</b>", "--json")


@pytest.fixture
def told(aws: Vaulted) -> Vaulted:
    """A ledger that has a whole incident."""
    aws.timeline = Timeline(entries=[*outage()])
    aws.write()
    return aws


def test_from_the_ledger_without_temporal(incident: Incident, told: Vaulted) -> None:
    """Markdown unless told otherwise, in the organisation's zone; nothing listens where Temporal should be."""
    said = incident("report", INCIDENT)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("# inc-20261123-7f3k: Portal answers 503\n\n## Summary")
    assert "| Mitigated | 2026-11-23 14:22:40 +11:00 | 22m 40s |" in said.out


@pytest.mark.parametrize(
    ("format_", "start"),
    [("markdown", b"# inc-"), ("html", b"<!doctype html>"), ("json", b'{"incident"'), ("pdf", b"%PDF-")],
)
def test_each_format_into_a_file(incident: Incident, told: Vaulted, tmp_path: Path, format_: str, start: bytes) -> None:
    """The file holds what would have been printed; where it went is said on stderr, stdout stays empty."""
    file = tmp_path / "report"
    said = incident("report", INCIDENT, "--format", format_, "-o", str(file))
    assert (said.status, said.out, said.err) == (0, "", f"{file} written\n")
    assert file.read_bytes().startswith(start)
    if format_ != "pdf":
        assert file.read_text() == incident("report", INCIDENT, "--format", format_).out


def test_the_document(incident: Incident, told: Vaulted, tmp_path: Path) -> None:
    """With --json the report itself is the document; into a file, the document says where it is."""
    document = incident("report", INCIDENT, "--json").json
    assert document["record"] == {"entries": len(outage()), "head": outage()[-1].hash, "first_broken": None}
    file = tmp_path / "report.json"
    said = incident("report", INCIDENT, "--json", "-o", str(file))
    assert said.json == {"incident_id": INCIDENT, "written": str(file)}
    assert json.loads(file.read_bytes()) == document


def test_a_pdf_is_not_printed_on_a_terminal(incident: Incident, told: Vaulted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    said = incident("report", INCIDENT, "--format", "pdf")
    assert (said.status, said.out) == (2, "")
    assert "give -o FILE" in said.err


def test_wrong_usage(incident: Incident, told: Vaulted, tmp_path: Path) -> None:
    """A contradiction, and a file that cannot be written, exit 2 in one line that names it."""
    said = incident("report", INCIDENT, "--json", "--format", "html")
    assert (said.status, "contradict each other" in said.err) == (2, True)
    said = incident("report", INCIDENT, "-o", str(tmp_path / "no" / "where"))
    assert (said.status, said.out) == (2, "")
    assert str(tmp_path / "no" / "where") in said.err


def test_a_record_without_its_beginning_is_refused(incident: Incident, aws: Vaulted) -> None:
    """A ledger that does not begin with a declaration is no report; the reason names the entry and the next step."""
    aws.timeline.append(datetime.now(UTC), "devops-lead", "note", "note 1", {"text": "note 1"})
    aws.write()
    said = incident("report", INCIDENT)
    assert (said.status, said.out) == (1, "")
    assert "entry 1 is note, no declaration" in said.err
    assert f"incident audit verify {INCIDENT}" in said.err


def test_neither_ledger_nor_temporal(incident: Incident, aws: Vaulted) -> None:
    """When the ledger has nothing and Temporal is not there, the exit status says that Temporal is unreachable."""
    said = incident("report", INCIDENT)
    assert (said.status, said.out) == (3, "")


def test_from_the_workflow_where_the_ledger_has_nothing(
    incident: Incident, aws: Vaulted, backstage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same report, and one line on stderr that says it is not from the ledger, and why."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    backstage.start_workers()
    try:
        name = incident(*START).json["incident_id"]
        said = incident("report", name, "--format", "html")
        missing = incident("report", "inc-20200101-none")
    finally:
        backstage.stop_workers()
    assert said.status == 0
    assert said.err.startswith("Not from the ledger: the ledger ")
    assert said.err.count("\n") == 1
    assert f"<h1>{name}: Portal &lt;b&gt;down&lt;/b&gt;</h1>" in said.out
    assert (missing.status, missing.out) == (1, "")


def test_from_the_workflow_where_the_table_is_not_there(
    incident: Incident, aws: Vaulted, backstage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An AWS that refuses does not keep the account of an open incident from people."""
    aws.clients.client("dynamodb").delete_table(TableName=aws.environment.ledger_table)
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    backstage.start_workers()
    try:
        name = incident(*START).json["incident_id"]
        said = incident("report", name)
    finally:
        backstage.stop_workers()
    assert (said.status, said.err.count("Not from the ledger: ")) == (0, 1)
    assert "## What was found" in said.out
