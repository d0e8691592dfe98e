"""`incident runbook approve` by who approves runbooks: a signature under what the file says, made by `ssh-keygen`."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.values.words import in_words
from starters.files.approval import approved
from starters.files.loading import lint
from tests.builders import T0
from tests.reviews import read, reviewed
from tests.starters.conftest import Incident
from tests.starters.enrolled import Enrolled, enrolled
from tests.starters.ledgered import keep
from tests.starters.vaulted import Vaulted

TYPE = "data-breach"


@pytest.fixture
def home(incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Enrolled:
    made = enrolled(incident, tmp_path, "technical-manager", "cto", "compliance-officer")
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(made.folder))
    return made


def shown(incident: Incident) -> Any:
    return incident("runbook", "show", TYPE, "--json").json


def test_both_sign_and_it_is_approved(incident: Incident, home: Enrolled) -> None:
    """Each is told what is lacking still; `show` says who did, and `lint` who has not."""
    (book,) = read(home.folder, TYPE)
    before = (home.folder / f"{TYPE}.yaml").read_bytes()
    first = incident(*home.approve(TYPE, "cto"))
    assert first.status == 0, first
    words = in_words(book.digest())
    assert first.out.startswith(
        f"cto has signed version 1.0 of {TYPE} ({words}). It lacks the signature of compliance-"
    )
    assert f"Digest       {book.digest()}\n" in first.err
    assert f"Words        {words}\n" in first.err
    assert "Before       no other version of it has been approved\n" in first.err
    lacks = f"{TYPE}.yaml: production refuses it, it lacks the signature of compliance-officer\n"
    assert lacks in incident("runbook", "lint", str(home.folder)).err
    second = incident(*home.approve(TYPE, "compliance-officer", "--json"))
    assert (second.status, second.json["signature"]["lacking"]) == (0, [])
    assert f"{TYPE}.yaml" not in incident("runbook", "lint", "--json").json["signatures_lacking"]
    assert lint(home.folder) == []
    told = shown(incident)
    assert ([one["by"] for one in told["approvals"]], told["lacking"]) == (["cto", "compliance-officer"], [])
    text = incident("runbook", "show", TYPE).out
    assert re.search(r"\nApproved by: cto on \d{4}-\d\d-\d\d, compliance-officer on \d{4}-\d\d-\d\d\n", text)
    assert f"\nWords: {words}\n" in text
    assert (home.folder / f"{TYPE}.yaml").read_bytes() == before


def test_what_is_signed_can_be_checked_from_outside(incident: Incident, home: Enrolled, tmp_path: Path) -> None:
    """By `ssh-keygen -Y verify`, over the claim as canonical JSON, which says who, what and which version."""
    assert incident(*home.approve(TYPE, "cto")).status == 0
    (entry,) = yaml.safe_load((home.folder / "approvals.yaml").read_text())["approvals"]
    (book,) = read(home.folder, TYPE)
    claim = entry["claim"]
    assert (claim["act"], claim["by"], claim["subject"]) == ("approve-runbook", "cto", book.digest())
    assert claim["decision"] == f"{TYPE} 1.0"
    allowed, signature = tmp_path / "allowed", tmp_path / "signature"
    allowed.write_text(f"cto {home.keys['cto'].with_name('ed25519.pub').read_text()}")
    signature.write_text(entry["signature"])
    verify = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        str(allowed),
        "-I",
        "cto",
        "-n",
        "incident-claim",
        "-s",
        str(signature),
    ]
    content = json.dumps(claim, separators=(",", ":"), sort_keys=True).encode()
    for said, holds in ((content, True), (content.replace(b"1.0", b"1.1"), False)):
        assert (subprocess.run(verify, check=False, input=said, capture_output=True).returncode == 0) == holds


def test_the_same_again_signs_nothing(incident: Incident, home: Enrolled) -> None:
    assert incident(*home.approve(TYPE, "cto")).status == 0
    before = (home.folder / "approvals.yaml").read_bytes()
    again = incident(*home.approve(TYPE, "cto"))
    assert (again.status, "cto has already signed version 1.0" in again.out) == (0, True)
    assert (home.folder / "approvals.yaml").read_bytes() == before


@pytest.mark.parametrize("change", [("15m", "20m"), ('version: "1.0"', 'version: "1.1"')])
def test_any_change_lets_it_go_and_a_comment_does_not(
    incident: Incident, home: Enrolled, change: tuple[str, str]
) -> None:
    """What it was before stays signed: taken back, it is approved again."""
    for by in ("cto", "compliance-officer"):
        assert incident(*home.approve("system-outage", by)).status == 0
    file = home.folder / "system-outage.yaml"
    text = file.read_text()

    def lacking() -> object:
        return incident("runbook", "show", "system-outage", "--json").json["lacking"]

    file.write_text(f"{text}# a comment\n")
    assert lacking() == []
    file.write_text(text.replace(*change, 1))
    assert lacking() == ["cto", "compliance-officer"]
    file.write_text(text)
    assert lacking() == []


def test_who_signs_is_shown_what_has_changed_since(incident: Incident, home: Enrolled, tmp_path: Path) -> None:
    """In words, against the folder as it was; one that was not approved is told."""
    for by in ("cto", "compliance-officer"):
        assert incident(*home.approve("system-outage", by)).status == 0
    was = Path(shutil.copytree(home.folder, tmp_path / "was"))
    (old,) = read(was, "system-outage")
    file = home.folder / "system-outage.yaml"
    step = "id: rollback\n"
    assert step in file.read_text()
    file.write_text(file.read_text().replace("id: rollback\n", "id: roll-it-back\n").replace('"1.0"', '"1.1"'))
    said = incident(*home.approve("system-outage", "cto", "--was", str(was)))
    assert said.status == 0, said
    assert f"Before       version 1.0 ({in_words(old.digest())}), approved on " in said.err
    assert "Changed      rollback: there is no such step any more\n" in said.err
    assert "Changed      roll-it-back: there is such a step now\n" in said.err
    assert "which is not what was approved last" not in said.err
    (was / "system-outage.yaml").write_text((was / "system-outage.yaml").read_text().replace("15m", "20m"))
    said = incident(*home.approve("system-outage", "compliance-officer", "--was", str(was)))
    assert f"Changed      since {was}, which is not what was approved last:\n" in said.err


def test_a_terminal_is_asked_once_it_has_shown_it(
    incident: Incident, home: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no for an answer nothing is signed."""
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    asked: list[str] = []

    def confirm(answer: bool) -> None:
        def answered(text: str, **_: Any) -> bool:
            asked.append(text)
            return answer

        monkeypatch.setattr("click.confirm", answered)

    mine = ("runbook", "approve", TYPE, "--as", "cto", "--sign-with", str(home.keys["cto"]))
    confirm(answer=False)
    said = incident(*mine)
    assert (said.status, "not approved" in said.err, "Words        " in said.err) == (1, True, True)
    assert not (home.folder / "approvals.yaml").exists()
    confirm(answer=True)
    assert incident(*mine).status == 0
    assert asked == ["Approve exactly this?"] * 2


def test_nobody_signs_in_anothers_name(incident: Incident, home: Enrolled) -> None:
    """With another's key, with one that is revoked, unasked without a terminal: nothing is written."""
    mine = ("--sign-with", str(home.keys["cto"]))
    said = incident("runbook", "approve", TYPE, "--as", "compliance-officer", "--yes", *mine)
    assert (said.status, "compliance-officer is not proven: the key is not compliance-officer's" in said.err) == (
        1,
        True,
    )
    said = incident("runbook", "approve", TYPE, "--as", "cto", *mine)
    assert (said.status, "without a terminal, give --yes" in said.err) == (2, True)
    name = next(one["key"] for one in incident("identity", "list", "--json").json["keys"] if one["contact"] == "cto")
    by = ("--as", "technical-manager", "--sign-with", str(home.keys["technical-manager"]))
    assert incident("identity", "revoke", name, *by).status == 0
    said = incident(*home.approve(TYPE, "cto"))
    assert (said.status, "cto is not proven: the key does not prove anything" in said.err) == (1, True)
    assert not (home.folder / "approvals.yaml").exists()


def test_a_key_that_was_lost_before_it_signed_has_signed_nothing(incident: Incident, home: Enrolled) -> None:
    """The file is read all the same, and what others signed holds."""
    for by in ("cto", "compliance-officer"):
        assert incident(*home.approve(TYPE, by)).status == 0
    signed = shown(incident)["approvals"][0]
    manager = ("--as", "technical-manager", "--sign-with", str(home.keys["technical-manager"]))
    assert incident("identity", "revoke", signed["key"], *manager, "--at", signed["at"]).status == 0
    assert lint(home.folder) == []
    told = shown(incident)
    assert ([one["by"] for one in told["approvals"]], told["lacking"]) == (["compliance-officer"], ["cto"])


def test_an_altered_file_is_found_at_its_line(incident: Incident, home: Enrolled) -> None:
    for by in ("cto", "compliance-officer"):
        assert incident(*home.approve(TYPE, by)).status == 0
    file = home.folder / "approvals.yaml"
    text = file.read_text()
    file.write_text(text.replace("version: '1.0'", "version: '1.1'", 1))
    (problem,) = lint(home.folder)
    assert (problem.field, problem.message) == ("approvals[0]", "its claim is no approval of data-breach 1.1")
    file.write_text(text.replace("by: cto", "by: compliance-officer"))
    (problem,) = lint(file)
    assert problem.field == "approvals[0]"


def test_whoever_approves_no_runbooks_records_the_review_alone(incident: Incident, home: Enrolled) -> None:
    """A version is that of a review: who signs gives none."""
    assert incident("runbook", "approve", TYPE, "--as", "cto", "--version", "2", "--yes").status == 2
    assert not (home.folder / "approvals.yaml").exists()


def test_a_review_that_is_recorded_is_part_of_what_is_signed(incident: Incident, home: Enrolled) -> None:
    file = home.folder / f"{TYPE}.yaml"
    file.write_text(approved(file, "1.1", T0.date(), "security-lead"), encoding="utf-8")
    said = incident(*home.approve(TYPE, "cto"))
    assert f"({TYPE}), version 1.1, reviewed 2026-11-23 by security-lead\n" in said.err
    assert said.out.startswith("cto has signed version 1.1 of ")


def test_a_review_is_taken_over_first_and_signed_with_it(incident: Incident, home: Enrolled, aws: Vaulted) -> None:
    """In one command of who approves runbooks; whoever does not records it, and is told who signs next."""
    outage = "system-outage"
    keep(aws, reviewed(read(home.folder, outage), T0, "devops-lead", home.folder))
    said = incident(*home.approve(outage, "cto", "--reviewed", "--json"))
    assert said.status == 0, said
    (book,) = read(home.folder, outage)
    assert (said.json["version"], said.json["changed"], book.version) == ("1.1", True, "1.1")
    assert said.json["signature"]["digest"] == book.digest()
    again = incident("runbook", "approve", outage, "--as", "devops-lead")
    assert again.out == f"{home.folder / outage}.yaml has it already: version 1.1, reviewed 2026-11-24\n"
    keep(aws, reviewed(read(home.folder, outage), T0 + timedelta(days=5), "devops-lead", home.folder))
    said = incident("runbook", "approve", outage, "--as", "devops-lead")
    assert said.out.endswith(", and have cto and compliance-officer approve it (incident runbook approve)\n")
    assert len(yaml.safe_load((home.folder / "approvals.yaml").read_text())["approvals"]) == 1


@pytest.mark.parametrize(
    ("roles", "why"),
    [
        ("[cto, head-of-it]", "runbook_approvers[1]: unknown role 'head-of-it'"),
        ("[cto, cto]", "runbook_approvers: nobody is left to sign as cto: each role needs a person of its own"),
    ],
)
def test_roles_that_cannot_all_sign_are_refused(incident: Incident, home: Enrolled, roles: str, why: str) -> None:
    file = home.folder / "organisation.yaml"
    file.write_text(file.read_text().replace("[cto, compliance-officer]", roles))
    said = incident("runbook", "lint", str(home.folder))
    assert (said.status, why in said.err) == (2, True), said.err
