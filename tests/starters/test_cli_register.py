"""`incident register`: every suspicion with its decision, from the ledger alone, safe to open in a spreadsheet."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starters.cli import register_csv
from starters.files.shipped import shipped_folder
from tests.builders import T0
from tests.domain.histories import Said, answered, days
from tests.domain.histories import incident as history
from tests.starters.conftest import Incident
from tests.starters.ledgered import alter, keep
from tests.starters.vaulted import Vaulted

DAY = timedelta(days=1)
FORMULA = '=HYPERLINK("http://example.com","look")'
BELIEF = Said(days(1), "record_fact", {"fact": "belief_at"}, "legal-counsel")


def signed(command: str, *by: str, **payload: Any) -> list[Said]:
    return [*answered(1, 2), *(Said(days(2), command, payload, who) for who in by)]


@pytest.fixture
def many(aws: Vaulted) -> list[str]:
    """Eligible, not required, being assessed; and three that are no entries: an outage, a drill, a dry run."""
    not_required = {"step": "ndb-assessment", "reason": FORMULA}
    return keep(
        aws,
        history("data-breach", "P0", [*answered(1, 2), BELIEF], T0 - 40 * DAY, title="The file of a patient"),
        history(
            "security",
            "P1",
            signed("obligation_not_required", "legal-counsel", "compliance-officer", **not_required),
            T0 - 30 * DAY,
            phi=True,
        ),
        history("data-breach", "P0", answered(1, 2), T0),
        history("system-outage", "P0", answered(1, 2), T0 + DAY),
        history("data-breach", "P0", answered(1, 2), T0 + 2 * DAY, mode="drill"),
        history("data-breach", "P0", [], T0 + 3 * DAY, mode="dry-run", phi=True),
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_suspicion_with_its_decision(incident: Incident, many: list[str]) -> None:
    """Oldest first, without Temporal; an outage, a drill and a dry run are not in it."""
    said = incident("register", "--json")
    assert (said.status, said.err) == (0, "")
    assert said.json["unreadable"] == []
    eligible, unneeded, open_ = said.json["entries"]
    assert [one["incident"] for one in said.json["entries"]] == many[:3]
    assert (eligible["decision"], eligible["statement"]["state"]) == ("eligible", "open")
    assert eligible["belief_at"] == "2026-10-15T03:00:00Z"
    assert (unneeded["decision"], unneeded["suspected_by"]) == ("not-required", ["phi", "fact"])
    assert [one["role"] for one in unneeded["signed_by"]] == ["legal-counsel", "compliance-officer"]
    assert (open_["decision"], open_["assessment_due_at"]) == ("being-assessed", "2026-12-23T03:00:00Z")


def test_a_table_for_people(incident: Incident, many: list[str]) -> None:
    said = incident("register")
    assert (said.status, said.err) == (0, "")
    for text in ("eligible", "being-assessed", "declared with --phi", "signed by", "2026-12-23", "1 not-required"):
        assert text in said.out
    assert "patient" not in said.out


def test_a_spreadsheet_takes_no_cell_for_a_formula(incident: Incident, many: list[str], tmp_path: Path) -> None:
    """What people wrote stands behind an apostrophe; on stdout the same as in the file."""
    file = tmp_path / "register.csv"
    said = incident("register", "--format", "csv", "-o", str(file))
    assert (said.status, said.out, said.err) == (0, "", f"{file} written\n")
    found = rows(file.read_bytes().decode())
    assert [row["incident"] for row in found] == many[:3]
    assert found[1]["reason"] == f"'{FORMULA}"
    assert found[1]["signed_by"].startswith("legal-counsel 2026-10-26T03:00:00Z; compliance-officer ")
    assert found[0]["statement_state"] == "open"
    assert rows(incident("register", "--format", "csv").out) == found


@given(st.text())
def test_no_text_is_a_formula(text: str) -> None:
    """Whatever people wrote: the cell is the text, or an apostrophe and the text, and never begins a formula."""
    cell = register_csv.harmless(text)
    assert cell in {text, f"'{text}"}
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\uff1d1"])
def test_what_begins_a_formula_is_made_harmless(text: str) -> None:
    assert register_csv.harmless(text) == f"'{text}"


def test_what_cannot_be_told_may_be_a_breach(incident: Incident, aws: Vaulted, many: list[str], tmp_path: Path) -> None:
    """An incident whose chain is broken is in every form of the register as unreadable, and the exit status is 1."""
    alter(aws, many[1], "cut out")
    said = incident("register", "--json")
    assert said.status == 1
    assert f"{many[1]} cannot be read" in said.err
    assert said.json["unreadable"] == [{"id": many[1], "reason": "the chain is broken at entry 2"}]
    assert [one["incident"] for one in said.json["entries"]] == [many[0], many[2]]
    shown = incident("register")
    assert shown.status == 1
    assert "Unreadable" in shown.out
    file = tmp_path / "register.csv"
    assert incident("register", "--format", "csv", "-o", str(file)).status == 1
    last = rows(file.read_text())[-1]
    assert (last["incident"], last["decision"], last["reason"]) == (
        many[1],
        "unreadable",
        "the chain is broken at entry 2",
    )


def test_an_organisation_says_how_it_decides(incident: Incident, aws: Vaulted, tmp_path: Path) -> None:
    """Without `breach_register` there is no register: exit 2, and the file is named; a wrong name has its line."""
    folder = tmp_path / "organisation"
    for file in shipped_folder().rglob("*.yaml"):
        copy = folder / file.relative_to(shipped_folder())
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text())
    owed = folder / "obligations.yaml"
    whole, _, _ = owed.read_text().partition("breach_register:")
    lines = owed.read_text().replace("belief: belief_at", "belief: beleif_at").splitlines()
    owed.write_text("\n".join(lines))
    said = incident("register", "--runbooks", str(folder))
    assert (said.status, said.out) == (2, "")
    at = next(number for number, line in enumerate(lines, start=1) if "beleif_at" in line)
    assert f"{owed}:{at}: breach_register.belief" in said.err
    owed.write_text(whole)
    said = incident("register", "--runbooks", str(folder))
    assert (said.status, said.out, said.err.count("\n")) == (2, "", 1)
    assert f"{owed} has no breach_register" in said.err
