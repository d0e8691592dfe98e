"""`incident runbook approve`: what an owner has signed off goes into the file, and nothing else moves in it."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from starters.files.approval import approved
from starters.files.shipped import shipped_folder
from starters.files.yaml_lines import read as read_yaml
from tests.builders import T0
from tests.reviews import read, reviewed
from tests.starters.conftest import Incident
from tests.starters.ledgered import keep
from tests.starters.vaulted import Vaulted

TYPE = "system-outage"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped folder."""
    made = Path(shutil.copytree(shipped_folder(), tmp_path / "clinic"))
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(made))
    return made


def signed(world: Vaulted, folder: Path, by: str | None = "devops-lead", at: datetime = T0) -> str:
    """A review of the outage, in the ledger; signed off at noon in Sydney a day later."""
    (incident,) = keep(world, reviewed(read(folder, TYPE), at, by, folder))
    return incident


def test_version_and_day_are_brought_up_to_date_once(incident: Incident, aws: Vaulted, folder: Path) -> None:
    """Every other line and comment stays as it was; the same again changes nothing."""
    file = folder / f"{TYPE}.yaml"
    before = file.read_text().replace('version: "1.0"', "version: '1.0'  # as Axis has it")
    file.write_text(before)
    review = signed(aws, folder)
    said = incident("runbook", "approve", TYPE, "--json")
    assert (said.status, said.err) == (0, "")
    assert said.json == {
        "type": TYPE,
        "file": str(file),
        "version": "1.1",
        "was": "1.0",
        "reviewed": "2026-11-24",
        "incident": review,
        "by": "devops-lead",
        "note": "fit for use",
        "changed": True,
    }
    after = file.read_text()
    approved = re.search(r'\napproved: {by: "devops-lead", sha256: [0-9a-f]{64}}', after)
    assert approved is not None
    assert after == before.replace("version: '1.0'  #", 'version: "1.1"  #').replace(
        "# as Axis has it\n", f"# as Axis has it\nreviewed: 2026-11-24{approved[0]}\n"
    )
    again = incident("runbook", "approve", TYPE)
    assert again.out == f"{file} has it already: version 1.1, reviewed 2026-11-24\n"
    assert file.read_text() == after


def test_the_next_review_replaces_the_day(incident: Incident, aws: Vaulted, folder: Path) -> None:
    """Lines end as they ended; the day is that of the organisation's clock."""
    file = folder / f"{TYPE}.yaml"
    text = file.read_bytes().replace(b"\n", b"\r\n")
    file.write_bytes(text.replace(b'version: "1.0"\r\n', b'version: "2026.9"\r\nreviewed: 2026-08-01 # late\r\n'))
    signed(aws, folder, at=datetime(2026, 11, 26, 13, 30, tzinfo=UTC))  # 28 November, half past midnight in Sydney
    assert incident("runbook", "approve", TYPE).status == 0
    written = file.read_bytes()
    approved = re.search(rb'approved: {by: "devops-lead", sha256: \w+}\r\n', written)
    assert approved is not None
    assert written == text.replace(
        b'version: "1.0"\r\n', b'version: "2026.10"\r\n' + approved[0] + b"reviewed: 2026-11-28 # late\r\n"
    )


def test_what_is_changed_after_its_approval_is_refused(incident: Incident, aws: Vaulted, folder: Path) -> None:
    """By lint and by a start, with the line and the remedy; comments may change. The next approval takes it in."""
    file = folder / f"{TYPE}.yaml"
    signed(aws, folder)
    assert incident("runbook", "approve", TYPE).status == 0
    approved = file.read_text()
    file.write_text(f"{approved}# a comment\n")
    assert incident("runbook", "lint", str(file)).status == 0
    file.write_text(approved.replace("15m", "20m"))
    said = incident("runbook", "lint", str(file))
    assert said.status == 2
    assert f"{file}:7: approved: it was changed since devops-lead approved it: take that back" in said.err
    started = incident("start", TYPE, "--severity", "P0", "--title", "Down", "--as", "cto")
    assert (started.status, "approved: it was changed since" in started.err) == (2, True), started.err
    file.write_text(re.sub(r"approved: .*\n", "", file.read_text()))
    signed(aws, folder, at=T0 + timedelta(days=3))
    assert incident("runbook", "approve", TYPE).status == 0
    again = file.read_text()
    assert 'version: "1.2"\n' in again
    assert incident("runbook", "lint", str(file)).status == 0


@pytest.mark.parametrize("by", ["devops-lead", "Smith, Jo", "on", "7", "Zoë's {team}"])
def test_whatever_its_owner_is_called_it_is_approved(folder: Path, by: str) -> None:
    """Twice, too: a name is a text, whatever it means to YAML, and the next approval replaces all of it."""
    file = folder / f"{TYPE}.yaml"
    for version in ("1.1", "1.2"):
        file.write_text(approved(file, version, T0.date(), by), encoding="utf-8")
        assert read_yaml(file).data["approved"]["by"] == by


@pytest.mark.parametrize("change", [("15m", "20m"), ("title: System outage", "title: Outage")])
def test_what_was_not_reviewed_is_not_approved(
    incident: Incident, aws: Vaulted, folder: Path, change: tuple[str, str]
) -> None:
    """A file that was changed since stays as it is, and says so; comments were never reviewed."""
    file = folder / f"{TYPE}.yaml"
    review = signed(aws, folder)
    file.write_text(file.read_text().replace(*change) + "# a comment\n")
    before = file.read_text()
    said = incident("runbook", "approve", TYPE)
    assert said.status == 1
    assert f"the runbook {TYPE} is not what was reviewed in {review}" in said.err
    assert file.read_text() == before
    file.write_text(before.replace(change[1], change[0]))
    assert incident("runbook", "approve", TYPE).status == 0


@pytest.mark.parametrize(
    ("by", "told"), [(None, f"nobody has signed off a review of {TYPE}"), ("cto", "who is not the owner (devops-lead)")]
)
def test_nobody_but_its_owner_signs_off(
    incident: Incident, aws: Vaulted, folder: Path, by: str | None, told: str
) -> None:
    signed(aws, folder, by)
    said = incident("runbook", "approve", TYPE)
    assert said.status == 1
    assert told in said.err
    assert "reviewed" not in (folder / f"{TYPE}.yaml").read_text()


def test_a_version_without_a_number_is_given(incident: Incident, aws: Vaulted, folder: Path) -> None:
    file = folder / f"{TYPE}.yaml"
    file.write_text(file.read_text().replace('version: "1.0"', 'version: "spring"'))
    signed(aws, folder)
    said = incident("runbook", "approve", TYPE)
    assert (said.status, "give --version V" in said.err) == (2, True)
    assert incident("runbook", "approve", TYPE, "--version", "autumn").status == 0
    assert 'version: "autumn"\nreviewed: 2026-11-24\napproved: {by: "devops-lead", ' in file.read_text()


def test_lint_tells_of_reviews_that_are_overdue(incident: Incident, folder: Path) -> None:
    """A note, with which the folder is valid: the day of the last one, or that there was none."""
    today = datetime.now(UTC).date()
    days = {"database": today - timedelta(days=107), "security": today - timedelta(days=30)}
    for name, day in days.items():
        file = folder / f"{name}.yaml"
        file.write_text(file.read_text().replace('version: "1.0"', f'version: "1.0"\nreviewed: {day}'))
    said = incident("runbook", "lint", str(folder))
    assert said.status == 0
    assert f"{folder}/database.yaml: its review is overdue, the last was on {days['database']}\n" in said.err
    assert f"{folder}/performance.yaml: its review is overdue, there was none\n" in said.err
    assert f"{folder}/security.yaml: its review" not in said.err
    found = incident("runbook", "lint", str(folder), "--json").json["reviews_overdue"]
    assert found[f"{folder}/database.yaml"] == str(days["database"])
    assert found[f"{folder}/performance.yaml"] is None
    assert f"{folder}/security.yaml" not in found
