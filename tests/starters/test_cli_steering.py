"""One incident steered by the command alone, against a real server and the real workflows."""

from pathlib import Path
from typing import Any

import pytest

from tests import waiting
from tests.starters.backstage import Backstage
from tests.starters.conftest import Incident, Said

START = ("start", "system-outage", "--severity", "P0", "--title", "Portal [b]down[/b] <b>now</b>")


@pytest.fixture
def there(incident: Incident, backstage: Backstage, monkeypatch: pytest.MonkeyPatch) -> Incident:
    """The command, connected, with workers running."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", backstage.address)
    if not backstage._workers:
        backstage.start_workers()
    return incident


def until(call: Incident, *arguments: str, status: str) -> dict[str, Any]:
    """Poll `show` until the latest change of a step has a status."""
    incident, step = arguments

    def look() -> dict[str, Any] | None:
        state: dict[str, Any] = call("show", incident, "--json").json
        found = [change for change in state["changes"] if change["step"] == step]
        return state if found and found[-1]["status"] == status else None

    return waiting.until(look, f"{step} of {incident} is {status}")


def ok(said: Said) -> Said:
    assert said.status == 0, said.err
    return said


def test_from_declaration_to_report(there: Incident, backstage: Backstage, tmp_path: Path) -> None:
    """Every step of an incident works through the command, and a closed one is read without a worker."""
    started = ok(there(*START, "--description", "[i]since[/i] 10:00\n- all sites", "--json")).json
    id_ = started["incident_id"]
    assert started["created"] is True
    assert started["ui"].endswith(f"/namespaces/default/workflows/{id_}")

    assert "\n[i]since[/i] 10:00\n- all sites\n" in ok(there("show", id_)).out
    frame = ok(there("watch", id_, "--once")).out
    assert f"incident ack {id_}" in frame
    assert "[b]down[/b]" in frame
    assert ok(there("ack", id_, "--json")).json["commander"] == "devops-lead"
    again = there("resolve", id_, "--summary", "too early")
    assert (again.status, again.err.count("\n")) == (1, 1)

    planned = ok(there("change", id_, "rollback", "--json")).json
    assert (planned["status"], planned["class"]) == ("awaiting-approval", "A2")
    digest = planned["plan"]["digest"]
    own = there("approve", id_, "rollback", "--digest", digest)
    assert own.status == 1
    wrong = there("approve", id_, "rollback", "--digest", "0" * 64, "--as", "technical-manager")
    assert wrong.status == 1
    assert backstage.applied == []
    ok(there("approve", id_, "rollback", "--digest", digest, "--as", "technical-manager"))
    until(there, id_, "rollback", status="applied")
    assert backstage.applied == ["rollback"]

    ok(there("note", id_, "Error rate falls"))
    ok(there("mitigated", id_, "--summary", "Rolled back"))
    ok(there("resolve", id_, "--summary", "Bad release withdrawn"))
    refused = there("close", id_)
    assert refused.status == 1
    assert "tasks are open" in refused.err
    state = ok(there("show", id_, "--json")).json
    first, *others = state["tasks"]
    ok(there("done", id_, first["step"], "--note", "see the wiki"))
    for task in others:
        ok(there("waive", id_, task["step"], "--reason", "an exercise"))
    ok(there("close", id_))
    assert ok(there("watch", id_, "--json")).json["state"]["status"] == "closed"

    backstage.run(backstage.client.get_workflow_handle(id_).result())
    backstage.stop_workers()
    assert ok(there("show", id_, "--json")).json["status"] == "closed"
    assert ok(there("timeline", id_, "--json")).json[0]["kind"] == "declared"
    for format_, word in (("markdown", "## What was changed"), ("html", ">What was changed</h2>"), ("json", digest)):
        file = tmp_path / format_
        ok(there("report", id_, "--format", format_, "-o", str(file)))
        text = file.read_text()
        assert word in text
        assert format_ == "json" or "<b>now</b>" not in text
    assert "does NOT follow" not in (tmp_path / "markdown").read_text()
    late = there("note", id_, "too late")
    assert (late.status, late.err.count("\n")) == (1, 1)


def test_undo_is_a_change_like_any_other(there: Incident) -> None:
    """An undo is refused before anything was applied, and later comes with a plan that swaps before and after."""
    id_ = ok(there(*START, "--json")).json["incident_id"]
    ok(there("ack", id_))
    assert there("undo", id_, "scale-up").status == 1
    asked = there("change", id_, "scale-up", "--set", "count=6")
    assert asked.status == 2
    assert f"give --yes without a terminal, or approve it (incident approve {id_} scale-up" in asked.err
    digest = until(there, id_, "scale-up", status="awaiting-approval")["changes"][-1]["plan"]["digest"]
    assert digest[:16] in asked.out
    other = there("approve", id_, "scale-up", "--digest", digest, "--as", "technical-manager")
    assert (other.status, "requester may" in other.err) == (1, True)
    ok(there("approve", id_, "scale-up", "--digest", digest))
    until(there, id_, "scale-up", status="applied")
    plan = ok(there("undo", id_, "scale-up", "--yes", "--json")).json["plan"]
    assert plan["after"] == {"state": "bad"}


def test_a_rejected_change_and_one_that_nobody_asked_for(there: Incident) -> None:
    """A vote on nothing is refused; a rejection ends the change and its reason is kept."""
    id_ = ok(there(*START, "--json")).json["incident_id"]
    nothing = there("reject", id_, "rollback", "--reason", "no")
    assert (nothing.status, "rollback" in nothing.err) == (1, True)
    assert there("change", id_, "no-such-step").status == 1
    ok(there("ack", id_))
    ok(there("change", id_, "maintenance-page"))
    ok(there("reject", id_, "maintenance-page", "--reason", "not yet", "--as", "technical-manager"))
    until(there, id_, "maintenance-page", status="rejected")

    def offered() -> list[str]:
        frame = ok(there("watch", id_, "--once", "--json")).json
        return [item["command"] for item in frame["next"]]

    waiting.until(lambda: f"incident change {id_} rollback" in offered(), "the rollback is offered")


def test_the_same_key_finds_the_open_incident(there: Incident) -> None:
    """A second start under a key returns the incident with `created: false` and counts the alert on it."""
    first = ok(there(*START, "--key", "k1", "--json")).json
    second = ok(there(*START, "--key", "k1", "--json")).json
    assert second == {**first, "created": False}
    assert ok(there("show", first["incident_id"], "--json")).json["alerts"] == 2
    ok(there("false-alarm", first["incident_id"], "--reason", "a test"))
    third = ok(there(*START, "--key", "k1", "--json")).json
    assert third["created"]
    assert third["incident_id"] != first["incident_id"]


def test_the_list_filters(there: Incident) -> None:
    """The list finds an incident by severity, status and who is waited for, by role or by contact."""
    id_ = ok(there(*START, "--json")).json["incident_id"]

    def listed(*filters: str) -> list[str]:
        return [row["id"] for row in ok(there("list", "--json", *filters)).json]

    wanted = ("--waiting-for", "security-lead", "--status", "declared", "--severity", "P0")
    waiting.until(lambda: id_ in listed(*wanted), "the list has it")
    assert id_ in listed("--waiting-for", "devops-lead")
    assert id_ not in listed("--severity", "P1")
    assert id_ not in listed("--waiting-for", "legal-counsel")
    assert id_ in ok(there("list")).out


def test_a_dry_run_plans_and_ends(there: Incident, backstage: Backstage) -> None:
    """A dry run prints findings and plans, pages nobody and applies nothing."""
    before = list(backstage.applied)
    said = ok(there(*START, "--dry-run", "--json")).json
    assert said["state"]["mode"] == "dry-run"
    assert said["state"]["pages"] == []
    assert {change["status"] for change in said["state"]["changes"]} == {"planned"}
    assert "rollback" in ok(there(*START, "--dry-run")).out
    assert backstage.applied == before


@pytest.mark.parametrize("id_", ["inc-20200101-0000", "nonsense", "key/123", "inc-1/rollback/1"])
@pytest.mark.parametrize("command", [("show",), ("timeline",), ("ack",), ("report",), ("watch", "--once")])
def test_an_unknown_id_is_refused_in_one_line(there: Incident, command: tuple[str, ...], id_: str) -> None:
    """An id that names no incident exits 1 with one line that repeats it."""
    said = there(*command, id_)
    assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
    assert id_.split("/", maxsplit=1)[0] in said.err


def test_a_change_is_no_incident(there: Incident) -> None:
    """The id of a change's workflow is no incident's: exit 1."""
    id_ = ok(there(*START, "--json")).json["incident_id"]
    workflow = ok(there("change", id_, "rollback", "--json")).json["workflow_id"]
    assert workflow == f"{id_}/rollback/1"
    said = there("show", workflow)
    assert (said.status, said.out) == (1, "")
    assert "there is no incident" in said.err


def test_somebody_unknown_is_refused(there: Incident) -> None:
    """A command in the name of nobody known exits 1 with the reason."""
    id_ = ok(there(*START, "--json")).json["incident_id"]
    said = there("ack", id_, "--as", "stranger")
    assert said.status == 1
    assert "stranger" in said.err


def test_without_a_worker(incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker: `start` creates the incident and warns with exit 0; whatever needs an answer exits 3."""
    alone = Backstage()
    try:
        monkeypatch.setenv("TEMPORAL_ADDRESS", alone.address)
        said = ok(incident(*START, "--json"))
        id_ = said.json["incident_id"]
        assert said.json["created"] is True
        assert "no worker is polling" in said.err
        for command in (("show", id_), ("ack", id_), (*START, "--dry-run")):
            said = incident(*command)
            assert (said.status, said.out, said.err.count("\n")) == (3, "", 1)
            assert "no worker is polling" in said.err
        alone.start_workers()
        ok(incident("show", id_))
    finally:
        alone.stop()


def test_workers_that_do_not_answer(there: Incident, backstage: Backstage) -> None:
    """Workers that went away a moment ago: a command exits 3 and says that it may still be done."""
    id_ = ok(there(*START, "--json")).json["incident_id"]
    backstage.stop_workers()
    said = there("ack", id_)
    assert (said.status, said.out, said.err.count("\n")) == (3, "", 1)
    assert "may still be done" in said.err or "no worker is polling" in said.err


def test_approval_on_a_terminal_shows_the_plan_first(there: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the plan is shown and asked for; no is a refusal, yes approves exactly that digest."""
    id_ = ok(there(*START, "--json")).json["incident_id"]
    ok(there("ack", id_))
    digest = ok(there("change", id_, "rollback", "--json")).json["plan"]["digest"]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    asked: list[str] = []

    def confirm(answer: bool) -> None:
        def answered(text: str, **_: Any) -> bool:
            asked.append(text)
            return answer

        monkeypatch.setattr("click.confirm", answered)

    confirm(answer=False)
    said = there("approve", id_, "rollback", "--as", "technical-manager")
    assert (said.status, asked) == (1, ["Approve exactly this?"])
    assert digest in said.err
    confirm(answer=True)
    said = ok(there("approve", id_, "rollback", "--as", "technical-manager", "--json"))
    assert [vote["by"] for vote in said.json["approvals"]] == ["technical-manager"]
    until(there, id_, "rollback", status="applied")
