"""`incident delegate`: an entry in the folder, signed by the system's `ssh-keygen`, and a command to what is open."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from activities.stand_ins import people_at
from authority.delegations import claim
from starters.files.delegations import has_room, load_delegations
from starters.files.identities import load_identities
from starters.files.loading import lint
from starters.files.shipped import shipped_folder
from tests import waiting
from tests.delegating import delegation
from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident, Said
from tests.starters.enrolled import Enrolled
from tests.starters.lending import DAY, NOW, by, count, entries, lend, lenders, until
from worker.folder import Folder


@pytest.fixture
def home(incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Enrolled:
    return lenders(incident, tmp_path, monkeypatch)


def test_it_is_signed_into_the_folder_whether_or_not_anything_runs(incident: Incident, home: Enrolled) -> None:
    """By its holder, or by who is above them; who cannot be reached is said, with what to do."""
    said = incident(*lend(), *by(home, "devops-lead"))
    assert (said.status, "the file is written, but open incidents could not be told" in said.err) == (3, True)
    assert count(home) == ["privacy-officer as devops-lead"]
    assert incident(*lend("security-lead"), *by(home, "technical-manager")).status == 3
    assert count(home) == ["privacy-officer as devops-lead", "privacy-officer as security-lead"]
    assert lint(home.folder) == []


def test_what_is_signed_can_be_checked_from_outside(incident: Incident, home: Enrolled, tmp_path: Path) -> None:
    """By `ssh-keygen -Y verify`, over the claim that the entry comes to."""
    incident(*lend(), *by(home, "devops-lead"))
    (entry,) = entries(home.folder)
    (one,) = load_delegations(home.folder, "axis-imaging", load_identities(home.folder, "axis-imaging"))
    said = claim(one, "axis-imaging")
    assert (said.act, said.by, said.decision) == ("delegate", "devops-lead", "privacy-officer stands in as devops-lead")
    allowed, signature = tmp_path / "allowed", tmp_path / "signature"
    allowed.write_text(f"devops-lead {home.keys['devops-lead'].with_name('ed25519.pub').read_text()}")
    signature.write_text(entry["proof"]["signature"])
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", "devops-lead", "-n", "incident-claim"]
    content = json.dumps(said.model_dump(mode="json"), separators=(",", ":"), sort_keys=True).encode()
    for signed, holds in ((content, True), (content.replace(b"privacy", b"Privacy"), False)):
        done = subprocess.run([*verify, "-s", str(signature)], check=False, input=signed, capture_output=True)
        assert (done.returncode == 0) == holds


@pytest.mark.parametrize(
    ("arguments", "who", "status", "why"),
    [
        (lend("devops-leed"), "devops-lead", 2, "did you mean 'devops-lead'?"),
        (lend(to="nobody"), "devops-lead", 2, "unknown contact 'nobody'"),
        (lend(ends="2026-11-01T09:00:00+11:00"), "devops-lead", 2, "look at at, since and until"),
        (lend("devops-lead", "cto", "--from", until(-DAY)), "devops-lead", 2, "in the past: leave it out to begin now"),
        (lend(ends="0001-01-01T09:00:00+11:00"), "devops-lead", 2, "'0001-01-01T09:00:00+11:00' is out of range"),
        (lend(ends=until(91 * DAY)), "devops-lead", 2, "ends within 90 days"),
        (lend(ends="2026-12-01T09:00"), "devops-lead", 2, "--until '2026-12-01T09:00' has no UTC offset"),
        (lend(ends="soon"), "devops-lead", 2, "--until 'soon' is not a time"),
        (lend("cto"), "devops-lead", 1, "devops-lead may not: cto is delegated by cto"),
        (lend("compliance-officer"), "cto", 1, "cto may not: compliance-officer is delegated by compliance-officer"),
        (lend(), "privacy-officer", 2, "never themselves"),
        (lend("privacy-officer"), "cto", 1, "privacy-officer is privacy-officer already"),
        (lend(to="devops-lead"), "technical-manager", 1, "devops-lead is devops-lead already"),
        (("delegate", "devops-lead", "--to", "cto"), "devops-lead", 2, "Missing option '--until'"),
        (
            ("delegate", "end", "0f0f", "--reason", "b" * 501),
            "devops-lead",
            2,
            "--reason must have 1 to 500 characters",
        ),
        (("delegate", "end", "0f0f", "--reason", "back"), "devops-lead", 1, "no delegation 0f0f"),
    ],
)
def test_what_would_count_for_nothing_is_not_written(
    incident: Incident, home: Enrolled, arguments: tuple[str, ...], who: str, status: int, why: str
) -> None:
    said = incident(*arguments, *by(home, who))
    assert (said.status, why in said.err) == (status, True), said.err
    assert entries(home.folder) == []


def test_anothers_key_signs_nothing(incident: Incident, home: Enrolled) -> None:
    said = incident(*lend(), "--as", "devops-lead", "--sign-with", str(home.keys["cto"]))
    assert (said.status, "the key is not devops-lead's" in said.err) == (1, True)
    assert entries(home.folder) == []


def test_the_same_again_is_told_again_and_not_written(incident: Incident, home: Enrolled) -> None:
    """Anything else for the same time is refused, until the first is ended."""
    incident(*lend(), *by(home, "devops-lead"))
    incident(*lend(), *by(home, "devops-lead"))
    assert len(entries(home.folder)) == 1
    other = incident(*lend(ends=until(2 * DAY)), *by(home, "devops-lead"))
    assert (other.status, "already stands in as devops-lead during that time" in other.err) == (1, True)
    (one,) = incident("delegate", "list", "--json").json["delegations"]
    ended = incident("delegate", "end", one["id"], "--reason", "back", *by(home, "technical-manager"))
    assert ended.status == 3
    assert incident(*lend(ends=until(2 * DAY)), *by(home, "devops-lead")).status == 3
    assert len(entries(home.folder)) == 3


def test_who_may_not_ends_nothing(incident: Incident, home: Enrolled) -> None:
    incident(*lend("cto", "devops-lead"), *by(home, "cto"))
    (one,) = incident("delegate", "list", "--json").json["delegations"]
    said = incident("delegate", "end", one["id"][:4], "--reason", "back", *by(home, "technical-manager"))
    assert (said.status, "technical-manager does not end" in said.err) == (1, True)
    assert incident("delegate", "end", one["id"][:4], "--reason", "back", *by(home, "devops-lead")).status == 3
    assert count(home) == []


def test_a_worker_takes_it_up_without_a_restart(incident: Incident, home: Enrolled) -> None:
    """And keeps to the last good file where somebody alters it."""
    worker = Folder(home.folder, "production")
    assert worker.delegations() == ()
    incident(*lend(), *by(home, "devops-lead"))
    (one,) = worker.delegations()
    assert [who.id for who in people_at(worker, NOW + DAY / 2).holders("devops-lead")] == [
        "devops-lead",
        "privacy-officer",
    ]
    file = home.folder / "delegations.yaml"
    file.write_text(file.read_text().replace("to: privacy-officer", "to: compliance-officer"))
    assert worker.delegations() == (one,)


def test_as_many_stand_in_as_a_declaration_has_room_for() -> None:
    """What is over takes none."""
    some = [delegation(at=NOW, since=NOW, until=NOW + DAY, reason="x" * number) for number in range(400, 500)]
    assert has_room(some[:15], NOW)
    assert not has_room(some[:30], NOW)
    assert has_room(some, NOW + DAY)


# with an incident open


@pytest.fixture
def there(incident: Incident, backstage: Backstage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Incident:
    """The command in a sandbox of its own folder, connected, with workers running."""
    folder = shutil.copytree(shipped_folder(), tmp_path / "axis")
    monkeypatch.setenv("INCIDENT_RUNBOOKS", str(folder))
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    if not backstage._workers:
        backstage.start_workers()
    return incident


def votes(call: Incident, incident: str) -> list[dict[str, Any]]:
    """What was said to its rollback."""
    changes = ok(call("show", incident, "--json")).json["changes"]
    found: list[dict[str, Any]] = next(one["approvals"] for one in changes if one["step"] == "rollback")
    return found


def ok(said: Said) -> Said:
    assert said.status == 0, said.err
    return said


def test_what_is_open_is_told_and_what_begins_knows(there: Incident) -> None:
    """In a sandbox nobody signs; a stand-in approves as who they stand in for, and is shown; ended, they do not."""
    start = ("start", "system-outage", "--severity", "P0", "--title", "Down", "--json")
    first = ok(there(*start)).json["incident_id"]
    said = ok(there(*lend("technical-manager", "development-lead"), "--as", "technical-manager", "--json")).json
    assert said["incidents"] == [{"incident": first, "told": True, "reason": None}]
    again = ok(there(*lend("technical-manager", "development-lead"), "--as", "technical-manager", "--json")).json
    assert (again["changed"], again["incidents"]) == (
        False,
        [{"incident": first, "told": True, "reason": "it is up to date"}],
    )
    second = ok(there(*start)).json["incident_id"]
    for one in (first, second):
        (stands,) = ok(there("show", one, "--json")).json["stand_ins"]
        assert (stands["id"], stands["role"], stands["in_force"]) == (said["id"], "technical-manager", True)
    assert "Stand-ins" in ok(there("show", first)).out
    listed = ok(there("list", "--waiting-for", "development-lead", "--json")).json
    assert {first, second} <= {one["id"] for one in listed}
    ok(there("ack", first))
    planned = ok(there("change", first, "rollback", "--json")).json
    digest = planned["plan"]["digest"]
    ok(there("approve", first, "rollback", "--digest", digest, "--as", "development-lead"))
    vote = waiting.until(lambda: votes(there, first), "the vote is told to the incident")[0]
    assert (vote["by"], vote["role"]) == ("development-lead", "technical-manager")
    end = ("delegate", "end", said["id"], "--reason", "back", "--as", "development-lead", "--json")
    ended = ok(there(*end)).json
    assert {one["incident"]: one["told"] for one in ended["incidents"]} == {first: True, second: True}
    (stands,) = ok(there("show", second, "--json")).json["stand_ins"]
    assert (stands["in_force"], stands["over"]) == (False, True)
    assert "Nobody stands in" in ok(there("delegate", "list")).out
    texts = [one["text"] for one in ok(there("timeline", first, "--json")).json]
    assert any("has development-lead stand in as technical-manager" in text for text in texts)
    for one in (first, second):
        ok(there("false-alarm", one, "--reason", "a test"))


def test_an_incident_that_refuses_it_is_a_failure(there: Incident, tmp_path: Path) -> None:
    """As one is told of another in the meantime, from another copy of the folder; the remedy is said."""
    start = ("start", "system-outage", "--severity", "P0", "--title", "Down", "--json")
    first = ok(there(*start)).json["incident_id"]
    ok(there(*lend(), "--as", "devops-lead"))
    (tmp_path / "axis" / "delegations.yaml").unlink()
    other = (*lend(ends=until(2 * DAY)), "--as", "devops-lead")
    said = there(*other, "--json")
    (heard,) = said.json["incidents"]
    assert (said.status, heard["incident"], heard["told"]) == (1, first, False)
    assert "already stands in as devops-lead during that time" in heard["reason"]
    assert "1 of 1 open incidents were not told: run it again" in said.err
    ok(there("false-alarm", first, "--reason", "a test"))
