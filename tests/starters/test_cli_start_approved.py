"""`incident start` in production: refused under a runbook that is not signed, with what to do in a hurry."""

from pathlib import Path

import pytest

from activities.preflight import table
from starters.files.declarable import declarable, fitted
from starters.files.organisation_folder import list_runbooks
from tests.builders import T0
from tests.starters.conftest import Incident
from tests.starters.enrolled import Enrolled, enrolled, in_production
from tests.starters.vaulted import Vaulted
from worker.folder import Folder

TYPE = "system-outage"
START = ("start", TYPE, "--severity", "P0", "--title", "Portal down")
UNREACHED = 3
"""Everything was taken, and Temporal asked, of which there is none here."""


@pytest.fixture
def home(incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Enrolled:
    made = enrolled(incident, tmp_path, "technical-manager", "cto", "compliance-officer")
    in_production(made.folder)
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(made.folder))
    monkeypatch.setenv("INCIDENT_ENVIRONMENT", "production")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return made


@pytest.mark.parametrize("key", [(), ("--key", "alarm-1")])
def test_what_is_not_signed_is_refused_before_anything_happened(
    incident: Incident, home: Enrolled, key: tuple[str, ...]
) -> None:
    """In one line, which names who must sign, by what, and what to do at three in the morning."""
    for _ in range(2):  # as it is kept, too
        said = incident(*START, *key)
        assert (said.status, said.out) == (1, "")
        assert "version 1.0 of system-outage is not approved: cto and compliance-officer must sign it first" in said.err
        assert "(incident runbook approve system-outage)" in said.err
        assert "add --unapproved: people are paged, probes look and evidence is kept at once" in said.err


def test_what_is_urgent_is_declared_all_the_same(incident: Incident, home: Enrolled) -> None:
    """And told; a dry run asks for nothing."""
    for more in (("--unapproved",), ("--unapproved", "--key", "alarm-1"), ("--dry-run",)):
        said = incident(*START, *more)
        assert said.status == UNREACHED, said
        assert "until then nothing is changed, and nobody outside is told" in said.err


def test_what_is_signed_by_both_is_declared(incident: Incident, home: Enrolled) -> None:
    """At once, though the answer before was kept; the declaration holds the signatures."""
    assert incident(*START).status == 1
    assert incident(*home.approve(TYPE, "cto")).status == 0
    said = incident(*START)
    assert (said.status, "compliance-officer must sign it first" in said.err) == (1, True)
    assert incident(*home.approve(TYPE, "compliance-officer")).status == 0
    said = incident(*START)
    assert (said.status, "not approved" in said.err) == (UNREACHED, False), said
    found = declarable(home.folder, TYPE, "production", T0)
    assert [one["claim"]["by"] for one in found["approvals"]] == ["cto", "compliance-officer"]
    assert {one["claim"]["subject"] for one in found["approvals"]} == {found["runbook_digest"]}
    assert set(found["approvals"][0]) == {"claim", "method", "key", "signature"}


def test_in_a_sandbox_nobody_has_to_sign(incident: Incident, home: Enrolled) -> None:
    said = incident(*START, "--environment", "sandbox")
    assert (said.status, "approved" in said.err) == (UNREACHED, False), said


def test_who_signed_what_it_may_open_goes_along_and_goes_with_it(incident: Incident, home: Enrolled) -> None:
    """A runbook that is left out for its size takes its signatures along."""
    opener = "authentication-failure"
    for type_ in (opener, "security", "data-breach"):
        assert incident(*home.approve(type_, "cto")).status == 0
    found = declarable(home.folder, opener, "production", T0)
    decisions = [one["claim"]["decision"] for one in found["approvals"]]
    assert decisions == [f"{opener} 1.0", *(f"{name} 1.0" for name in found["related"] if f"{name} 1.0" in decisions)]
    assert "data-breach 1.0" in decisions
    left = fitted({**found, "description": "x" * 30_000})
    gone = set(found["related"]) - set(left["related"])
    assert gone
    kept = [one["claim"]["decision"] for one in left["approvals"]]
    assert kept == [one for one in decisions if one.split()[0] not in gone]


def test_preflight_names_what_production_lacks(
    incident: Incident, home: Enrolled, aws: Vaulted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row for each runbook; none elsewhere, where nobody has to sign."""
    for name in ("CHECKS", "WRITES", "ASSUMED"):
        monkeypatch.setattr(table, name, ())
    for by in ("cto", "compliance-officer"):
        assert incident(*home.approve(TYPE, by)).status == 0
    said = incident("preflight", "--json")
    rows = {row["target"]: row for row in said.json}
    assert said.status == 1
    assert set(rows) == set(list_runbooks(home.folder))
    assert rows[TYPE] == {
        "check": "runbooks",
        "target": TYPE,
        "status": "ok",
        "detail": "signed by all that approve it",
    }
    lost = "cto and compliance-officer must sign it; incident runbook approve database"
    assert (rows["database"]["status"], rows["database"]["detail"]) == ("missing", lost)
    assert incident("preflight", "--json", "--environment", "sandbox").json == []
    file = home.folder / "approvals.yaml"
    file.write_text(file.read_text().replace("version: '1.0'", "version: '1.1'"))
    assert incident("preflight", "--json").status == 2


def test_a_worker_takes_up_a_signature_without_a_restart(incident: Incident, home: Enrolled) -> None:
    folder = Folder(home.folder, "production")
    assert folder.approvals() == ()
    assert incident(*home.approve(TYPE, "cto")).status == 0
    (one,) = folder.approvals()
    assert (one.type, one.claim.by) == (TYPE, "cto")
    assert folder.runbook(one.claim.subject) is not None
