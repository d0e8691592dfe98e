"""One responder alone at night, in staging: from the page to the applied rollback in three commands, all on record."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.account import Portal
from tests.e2e.archived import all_proven
from tests.e2e.house import House
from tests.e2e.staging_alone import house, worker
from tests.e2e.workers import Worker
from tests.waiting import until

__all__ = ["house", "worker"]
pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-staging")]

WHY = "no approver answers since 03:10"
AT_ONCE = ["devops-lead", "development-lead", "security-lead", "technical-manager"]


def test_from_the_page_to_the_rollback_in_three_commands(house: House, worker: Worker, tmp_path: Path) -> None:
    """Those who answer for it are paged at once and nobody else; a review is left that is not theirs who did it."""
    portal = Portal(house, "axis-imaging-cluster-staging", "axis-imaging-backend-staging")
    portal.break_()
    incident = house.start("Portal answers 503")
    house.run("ack", incident)
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    assert refused(house, "approve", incident, "rollback", "--digest", digest) == 1
    worker.kill()
    worker.end()
    worker.start()
    assert refused(house, "break-glass", incident, "rollback", "--reason", WHY) == 2
    assert house.state(incident)["changes"][0]["status"] == "awaiting-approval"
    house.run("break-glass", incident, "rollback", "--reason", WHY, "--yes")
    (vote,) = house.change(incident, "applied")["approvals"]
    assert (vote["by"], vote["break_glass"], vote["verified"]["method"]) == ("devops-lead", WHY, "ssh")
    until(house.healthy, "the portal answers")
    assert refused(house, "break-glass", incident, "rollback", "--reason", WHY, "--yes") == 1
    state = house.state(incident)
    told = [page["to"] for page in state["pages"] if "glass broken by devops-lead" in page["reason"]]
    assert told == ["cto", "compliance-officer", "ceo"]
    asked = [page["to"] for page in state["pages"] if "approval" in page["reason"]]
    assert [page["to"] for page in state["pages"]] == [*AT_ONCE, *asked, *told]
    review = next(task for task in state["tasks"] if task["step"] == "review:rollback:1")
    assert (review["owner"], review["required"], review["status"]) == ("compliance-officer", True, "open")
    for name in ("done", "waive"):
        more = ("--note", "fine") if name == "done" else ("--reason", "fine")
        assert refused(house, name, incident, review["step"], *more) == 1
    unsigned: Any = house.call("done", incident, review["step"], "--as", "compliance-officer", SSH_AUTH_SOCK="/nowhere")
    assert (unsigned.returncode, "no SSH agent answers" in unsigned.stderr) == (1, True)
    house.run("done", incident, review["step"], "--note", "it was right", "--as", "compliance-officer")
    report = house.run("report", incident)
    assert f"Broke the glass, decided alone: {WHY}" in report
    assert "without a PIN or finger" in report
    for name, *given in (("mitigated", "--summary", "rolled back"), ("resolve", "--summary", "fixed")):
        house.run(name, incident, *given)
    for task in house.state(incident)["tasks"]:
        if task["required"] and task["status"] == "open":
            house.run("done", incident, task["step"], "--note", "done")
    house.run("close", incident)
    house.ended(incident)
    acts = all_proven(house, incident, tmp_path)
    assert [one["by"] for one in acts if one["what"] == f"approves {incident}/rollback/1 alone"] == ["devops-lead"]


def refused(house: House, *command: str) -> int:
    said: Any = house.call(*command)
    return int(said.returncode)
