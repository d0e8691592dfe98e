"""Somebody else changes the resource meanwhile: nothing is applied over it, and a new plan is asked for."""

import pytest

from tests.e2e.account import PROBES, Portal
from tests.e2e.chain import assert_whole
from tests.e2e.house import House
from tests.e2e.wire import Wire
from tests.e2e.workers import Worker

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_change_between_plan_and_approval_is_stale(house: House, aws: Wire, worker: Worker) -> None:
    """Deployed by hand after the plan: the approved change is stale and a new plan starts from what stands now."""
    portal = Portal(house)
    fault, calls = portal.break_(), len(aws.calls)
    incident = house.start("Mended by hand before the approval")
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    portal.deploy(fault.other)
    house.signal(f"{incident}/rollback/1", "approve", by="technical-manager", digest=digest)
    assert_planned_anew(house, incident, digest, fault.other)
    assert portal.service()["taskDefinition"] == fault.other
    assert aws.count("ecs.UpdateService", calls) == 0


def test_change_between_approval_and_apply_is_stale(house: House, aws: Wire, worker: Worker) -> None:
    """Deployed by hand after the approval, as the change begins to be applied: stale as well, and planned anew."""
    portal = Portal(house)
    fault, calls = portal.break_(), len(aws.calls)
    incident = house.start("Mended by hand after the approval")
    house.findings(incident, PROBES)
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    aws.trap("ecs.DescribeServices", "before", lambda: portal.deploy(fault.other))
    house.run("approve", incident, "rollback", "--digest", digest, "--as", "technical-manager")
    assert_planned_anew(house, incident, digest, fault.other)
    assert portal.service()["taskDefinition"] == fault.other
    assert aws.count("ecs.UpdateService", calls) == 0


def assert_planned_anew(house: House, incident: str, digest: str, stands: str) -> None:
    """The first change is stale with what was seen instead; a second one waits, and refuses the old digest."""
    second = house.change(incident, "awaiting-approval", number=2)
    first = house.change(incident, "stale")
    assert first["plan"]["digest"] == digest != second["plan"]["digest"]
    assert second["plan"]["before"] == {"task_definition": stands}
    refused = house.call("approve", incident, "rollback", "--digest", digest, "--as", "technical-manager")
    assert refused.returncode == 1
    assert "digest" in refused.stderr
    entries = house.timeline(incident)
    assert_whole(entries)
    (stale,) = [one for one in entries if one["data"].get("status") == "stale"]
    assert stale["data"]["observed"] == {"task_definition": stands}
    house.run("reject", incident, "rollback", "--reason", "mended by hand", "--as", "technical-manager")
    assert house.change(incident, "rejected", number=2)["approvals"][0]["decision"] == "reject"
