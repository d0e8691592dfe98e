"""An incident in staging, from its declaration to its close: what counts is signed, and nothing else counts."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.model.event_kinds import COUNTED
from tests.e2e.account import Portal
from tests.e2e.archived import all_proven
from tests.e2e.house import Document, House
from tests.e2e.staging_alone import house, worker
from tests.e2e.workers import Worker
from tests.waiting import until

__all__ = ["house", "worker"]
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-staging")]

WORKFLOW = "{}/rollback/1"


def test_from_the_page_to_the_report(house: House, worker: Worker, tmp_path: Path) -> None:
    """Each step is refused unsigned; a vote is printed, and counts once it is signalled by the plain command."""
    portal = Portal(house, "axis-imaging-cluster-staging", "axis-imaging-backend-staging")
    portal.break_()
    incident = house.start("Portal answers 503")
    unsigned(house, "ack", incident)
    assert house.state(incident)["status"] == "declared"
    house.run("ack", incident)
    unsigned(house, "change", incident, "rollback")
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    workflow, manager = WORKFLOW.format(incident), ("--as", "technical-manager")
    unsigned(house, "approve", incident, "rollback", "--digest", digest, *manager)
    house.signal(workflow, "approve", by="technical-manager", digest=digest)
    until(lambda: len(refusals(house, incident)) == 1, "the bare vote is refused on record")
    payload = json.loads(house.run("approve", incident, "rollback", "--digest", digest, "--print", *manager))
    assert house.change(incident, "awaiting-approval")["approvals"] == []
    worker.kill()
    house.signal(workflow, "approve", **{**payload, "by": "cto"})  # it waits for a worker
    house.signal(workflow, "approve", **payload)
    worker.start()
    (vote,) = house.change(incident, "applied")["approvals"]
    assert (vote["by"], vote["verified"]["method"]) == ("technical-manager", "ssh")
    until(house.healthy, "the portal answers")
    for name, *given in (("mitigated", "--summary", "rolled back"), ("resolve", "--summary", "fixed")):
        unsigned(house, name, incident, *given)
        house.run(name, incident, *given)
    for task in house.state(incident)["tasks"]:
        if task["required"] and task["status"] == "open":
            unsigned(house, "done", incident, task["step"], "--note", "done")
            house.run("done", incident, task["step"], "--note", "done")
    house.run("note", incident, "all is well")
    house.run("note", incident, "all stays well", SSH_AUTH_SOCK="/nowhere")
    unsigned(house, "close", incident)
    house.run("close", incident)
    house.ended(incident)
    entries = house.timeline(incident)
    counting = [one for one in entries if one["kind"] in COUNTED and one["actor"] != "orchestrator"]
    assert {one["kind"] for one in counting} == {"acknowledged", "mitigated", "resolved", "task", "closed"}
    assert [one["seq"] for one in counting if "proof" not in one["cause"]] == []
    assert [one["text"] for one in entries if one["kind"] == "note"] == ["all is well", "all stays well (unsigned)"]
    assert "technical-manager" in house.run("report", incident)
    acts = all_proven(house, incident, tmp_path)
    assert [one["by"] for one in acts if one["what"].startswith("approves")] == ["technical-manager"]
    assert {one["entry"] for one in acts} > {one["seq"] for one in counting}


def refusals(house: House, incident: str) -> list[Document]:
    entries = house.asking.query(incident, "timeline") or []
    return [one for one in entries if one["kind"] == "refused"]


def unsigned(house: House, *command: str) -> None:
    """Without a key it is refused before anything is sent, and told what would do."""
    said: Any = house.call(*command, SSH_AUTH_SOCK="/nowhere")
    assert (said.returncode, "no SSH agent answers" in said.stderr) == (1, True), said.stderr
