"""An export carries the register of keys of whoever makes it, as it is then; a stored record is held against it too."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from authority.enrolment import Enrolled, Revoked
from authority.proofs import Proof
from domain.model.acts import of_request
from domain.model.change_events import ChangeRequested, PlanMade, VoteCast
from domain.model.events import Declared
from domain.model.proofs import Proven, Requested
from runbooks import __path__ as shipped
from starters.files.identities import grown
from starters.files.organisation_folder import load_organisation
from tests.builders import declaration
from tests.domain.changing import plan
from tests.proving import fingerprints, proved
from tests.signed_records import claim, keys, verified
from tests.starters.conftest import Incident
from tests.starters.vaulted import INCIDENT, Vaulted

HOME = "axis-imaging"
NOW = datetime.now(UTC).replace(microsecond=0)
FIRST = "technical-manager"


@pytest.fixture
def folder(incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped organisation, in which the technical manager and the CTO have keys."""
    copy = tmp_path / "axis"
    shutil.copytree(Path(shipped[0]) / "axis-imaging", copy)
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(copy))
    for who in (FIRST, "cto"):
        given: dict[str, Any] = {"contact": who, "method": "ssh", "public": keys().lines[who], "enrols": who == FIRST}
        enter(copy, Enrolled(by=FIRST, at=NOW - timedelta(days=9), **given))
    return copy


def enter(folder: Path, entry: Enrolled | Revoked) -> None:
    file = folder / "identities.yaml"
    if file.exists():
        made = keys().proof(entry.claim(HOME).model_dump(mode="json"), FIRST)
        entry = entry.model_copy(update={"proof": Proof.model_validate({**made, "claim": None})})
    file.write_text(grown(folder, HOME, entry), encoding="utf-8")


@pytest.fixture
def voted(aws: Vaulted, folder: Path) -> Vaulted:
    """A rollback in staging is on record, which the technical manager has asked for, and the CTO approved."""
    where = aws.environment.model_copy(update={"kind": "staging"})
    begun = declaration(incident_id=INCIDENT, environment=where, organisation=load_organisation(folder))
    of_it, made = {"step": "rollback", "workflow_id": f"{INCIDENT}/rollback/1"}, plan()
    about = {"organisation": HOME, "environment": where.name, "step": "rollback"}
    asked = claim(FIRST, "request", of_request("rollback", {}), NOW, **about)
    vote = keys().proof(claim("cto", "approve", made.digest, NOW, **about, generation=1))
    requested = ChangeRequested(
        **of_it, generation=1, action="a", title="Roll back", requested=Requested(proof=keys().proof(asked))
    )
    by = Proven.model_validate(verified(vote, holder=True))
    cast = VoteCast(**of_it, role="cto", decision="approve", digest=made.digest, verified=by, proof=vote)
    for who, event, name in (
        ("devops-lead", Declared(declaration=begun), "start"),
        (FIRST, requested, "request_change"),
        ("orchestrator", PlanMade(**of_it, plan=made), "plan"),
        ("cto", cast, "approve"),
    ):
        aws.timeline.record(NOW, who, event, {"command": name})
    aws.write()
    return aws


@pytest.mark.usefixtures("voted")
def test_an_export_proves_votes(incident: Incident, tmp_path: Path) -> None:
    """By the register that comes with it; the stored record by that of the folder."""
    file = tmp_path / "record.zip"
    assert incident("audit", "export", INCIDENT, "-o", str(file)).status == 0
    with ZipFile(file) as zipped:
        zipped.extractall(tmp_path / "unpacked")
    kept = json.loads((tmp_path / "unpacked/identities.json").read_text())
    assert (kept["organisation"], [one["contact"] for one in kept["entries"]]) == (HOME, [FIRST, "cto"])
    assert "as whoever made this archive had it" in kept["whose"]
    said = proved(tmp_path / "unpacked", [*fingerprints(tmp_path / "unpacked"), keys().name(FIRST)])
    assert said.returncode == 0, said.stderr
    assert "2 proven: a key of the register has signed it" in said.stdout
    assert "compare" not in said.stdout
    for what in ((INCIDENT,), ("--file", str(file), "--fingerprint", *fingerprints(tmp_path / "unpacked"))):
        found = incident("audit", "verify", *what, "--json")
        assert (found.status, found.json["answer"]) == (0, "proven"), found.err
        assert [(one["entry"], one["answer"]) for one in found.json["acts"]] == [(2, "proven"), (4, "proven")]
        told = incident("audit", "verify", *what).out
        assert f"begins with {keys().name(FIRST)} of {FIRST}" in told


@pytest.mark.usefixtures("voted")
def test_a_key_that_is_revoked_has_proven_what_it_had(incident: Incident, folder: Path) -> None:
    """What it has signed before stays proven, what it has signed after is not; the flaw names the entry."""
    key = keys().name("cto")
    for until, broken in ((NOW + timedelta(hours=1), None), (NOW - timedelta(hours=1), 4)):
        enter(folder, Revoked(by=FIRST, at=NOW, key=key, until=until))
        found = incident("audit", "verify", INCIDENT, "--json")
        first = found.json["first"]
        assert (found.status, first and first["seq"]) == (int(broken is not None), broken)
    assert first["kind"] == "unproven"
    assert "cto approves" in found.err


@pytest.mark.usefixtures("voted")
def test_a_register_with_a_problem_is_left_out_and_said(incident: Incident, folder: Path, tmp_path: Path) -> None:
    """The record is written all the same; what people did is unknown then, which is not good."""
    identities = folder / "identities.yaml"
    identities.write_text(identities.read_text().replace("contact: cto", "contact: ceo"))
    file = tmp_path / "record.zip"
    said = incident("audit", "export", INCIDENT, "-o", str(file))
    assert said.status == 0
    assert "there is no register of people's keys" in said.err
    with ZipFile(file) as zipped:
        assert "identities.json" not in zipped.namelist()
    found = incident("audit", "verify", INCIDENT, "--json")
    assert (found.status, found.json["answer"], found.json["register"]["first"]) == (1, "consistent", None)
    assert "2 of what people did could not be looked at" in found.err
