"""A drill in the sandbox, from `incident drill start` to its score: the fault, the people, and nobody outside."""

import subprocess
from collections.abc import Iterator

import boto3
import pytest

from sandbox.runtime.state import AWS_KEYS
from tests.e2e.conftest import folder_for, opened
from tests.e2e.house import Document, House
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("e2e-drill")]

RESPONSE = "deployment-that-broke"
SUSPECT = ("recent-deployments", "suspect")


def _of(finding: Document) -> tuple[str, str]:
    return finding["step"], finding["status"]


@pytest.fixture(scope="module")
def range_() -> Iterator[House]:
    """A sandbox for drills alone: elsewhere something live is always open."""
    with folder_for("drills") as data_dir, opened(House(data_dir)) as one:
        yield one


@pytest.fixture(autouse=True)
def nothing_left(range_: House) -> Iterator[None]:
    """Whatever becomes of a test, its drill does not last."""
    yield
    range_.call("drill", "stop", "--reason", "the test is over", "--as", "cto")


@pytest.fixture(scope="module")
def crew(range_: House) -> Iterator[Worker]:
    with running(Worker(range_)) as one:
        yield one
        one.stop()


def test_from_the_fault_to_the_score(range_: House, crew: Worker) -> None:
    """Every message begins with DRILL, the worker is killed on the way, the score names an entry for each point."""
    started = range_.json("drill", "start", RESPONSE, "--as", "cto")
    incident = started["incident_id"]
    assert not range_.healthy()
    range_.until(incident, "the deployment is found", lambda state: SUSPECT in map(_of, state["findings"]))
    crew.kill()
    crew.end()
    crew.start()
    range_.run("ack", incident, "--as", "devops-lead")
    range_.run("change", incident, "rollback", "--as", "development-lead")
    change = range_.change(incident, "awaiting-approval")
    range_.run("approve", incident, "rollback", "--digest", change["plan"]["digest"], "--as", "technical-manager")
    range_.change(incident, "applied")
    assert range_.healthy()
    range_.run("mitigated", incident, "--summary", "rolled back", "--as", "devops-lead")
    range_.run("resolve", incident, "--summary", "steady", "--as", "devops-lead")
    state = range_.show(incident)
    assert all(step["why"].startswith("drill: ") for step in state["next"])
    for task in state["tasks"]:
        if task["status"] == "open":
            range_.run("done", incident, task["step"], "--as", task["owner"])
    range_.run("close", incident, "--as", "devops-lead")
    score = until(lambda: _over(range_, incident), "the drill is scored")
    told = {point["name"]: point["met"] for point in score["points"]}
    assert (score["verdict"], score["knew"], set(told.values())) == ("passed", "cto", {True}), score
    entries = {entry["seq"]: entry for entry in range_.json("timeline", incident)}
    assert [entries[point["entry"]]["kind"] for point in score["points"]][:4] == [
        "acknowledged",
        "acknowledged",
        "change-requested",
        "change",
    ]
    _nobody_outside(range_, incident)


def _over(house: House, incident: str) -> Document | None:
    score: Document = house.json("drill", "report", incident)
    return score if score["verdict"] != "running" else None


def _nobody_outside(house: House, incident: str) -> None:
    """What would have been said in public is on record; the page and AWS Support have heard nothing."""
    sent = house.outbox(incident)
    assert sent
    for one in sent:
        assert {part.split()[0] for part in (one["subject"], one["body"]) if part} == {"DRILL"}, one
    assert house.public(incident) == []
    asked = {"includeResolvedCases": True, "includeCommunications": False, "afterTime": "2026-01-01T00:00:00Z"}
    home = boto3.Session(*AWS_KEYS, region_name="us-east-1")
    support = home.client("support", endpoint_url=house.variables["AWS_ENDPOINT_URL"])
    cases = support.describe_cases(**asked)["cases"]
    assert [case for case in cases if incident in case["subject"]] == []
    told = [entry["text"] for entry in house.timeline(incident) if entry["kind"] == "notice"]
    assert any(text.startswith("Sent: nothing (drill); to the status page: ") for text in told)


def test_a_drill_that_nobody_answers_has_failed(range_: House, crew: Worker) -> None:
    """Its time is up: the incident has ended, the fault is withdrawn, and another one is drawn next."""
    incident = range_.json("drill", "start", RESPONSE, "--as", "cto", "--speed", "720")["incident_id"]
    state = range_.ended(incident)
    assert (state["status"], state["commander"]) == ("closed", None)
    until(range_.healthy, "the fault is withdrawn")
    score = until(lambda: _over(range_, incident), "the drill is scored")
    assert score["verdict"] == "failed"
    assert score["points"][0]["text"] == "nobody acknowledged"
    _nobody_outside(range_, incident)


def test_something_real_stops_it(range_: House, crew: Worker) -> None:
    """While a live P1 is open no drill begins, and one that is under way ends; `stats` counts neither."""
    before = range_.json("stats")["total"]
    incident = range_.json("drill", "start", "--kind", "simulation", "--as", "cto")["incident_id"]
    refused = range_.call("drill", "start", "--as", "cto")
    assert (refused.returncode, "is under way" in refused.stderr) == (1, True)
    real = range_.json("start", "performance", "--severity", "P1", "--title", "The portal is slow")["incident_id"]
    range_.ended(incident)
    score = until(lambda: _over(range_, incident), "the drill is scored")
    assert (score["verdict"], score["reason"]) == ("stopped", f"{real} is open and live")
    refused = until(lambda: _next(range_), "its fault is withdrawn")
    assert (refused.returncode, f"{real} is open and live" in refused.stderr) == (1, True), refused.stderr
    range_.run("false-alarm", real, "--reason", "it was not", "--as", "devops-lead")
    range_.ended(real)
    after = until(lambda: _counted(range_, before["drills"] + 1), "the ledger tells of all")
    assert {name: value for name, value in after.items() if name not in {"drills", "false_alarms"}} == {
        name: value for name, value in before.items() if name not in {"drills", "false_alarms"}
    }
    assert range_.json("register")["entries"] == []
    listed = range_.json("drill", "list")["drills"]
    assert listed[0]["scenario"] == "studies-downloaded"


def _next(house: House) -> "subprocess.CompletedProcess[str] | None":
    """What comes of the next drill, once none is under way."""
    asked = house.call("drill", "start", "--as", "cto")
    return None if "is under way" in asked.stderr else asked


def _counted(house: House, drills: int) -> Document | None:
    total: Document = house.json("stats")["total"]
    return total if total["drills"] == drills and total["false_alarms"] else None


def test_somebody_stops_it(range_: House, crew: Worker) -> None:
    """By its incident's id; another id is refused. What was injected is withdrawn, and the scores are a picture."""
    incident = range_.json("drill", "start", RESPONSE, "--as", "cto")["incident_id"]
    wrong = range_.call("drill", "stop", "inc-20261123-none", "--reason", "no", "--as", "cto")
    assert (wrong.returncode, incident in wrong.stderr) == (1, True)
    told = range_.json("drill", "stop", incident, "--reason", "the office is on fire", "--as", "cto")
    assert told["outcome"] == "stopped"
    assert range_.healthy()
    assert range_.show(incident)["status"] == "closed"
    assert "<svg" in range_.run("drill", "report", "--format", "svg")
    assert incident in range_.run("drill", "report")


def test_production_is_refused(range_: House, tmp_path: object) -> None:
    """Before anything is asked of Temporal."""
    folder = range_.variables["INCIDENT_RUNBOOKS"]
    refused = range_.call("drill", "start", "--as", "cto", "--environment", "production", "--runbooks", folder)
    assert refused.returncode in {1, 2}
    assert refused.stdout == ""
