"""One bad release after the other, an incident for each: what we rolled back from is no place to go back to."""

from typing import Any

import pytest

from tests.e2e.account import Fault, Portal
from tests.e2e.house import House
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("attacks")]

STEP = "recent-deployments"


def looked(house: House, incident: str) -> dict[str, Any]:
    """What the probe of recent deployments found."""

    def look() -> dict[str, Any] | None:
        found = (house.asking.query(incident, "state") or {}).get("findings", [])
        return next((one for one in found if one["step"] == STEP), None)

    return until(look, f"{incident} looks at deployments")


def rolled_back(house: House, portal: Portal, title: str) -> tuple[Fault, dict[str, Any]]:
    """Break the portal, and roll it back in an incident of its own; gives what that incident's probe found."""
    fault = portal.break_()
    incident = house.start(title)
    found = looked(house, incident)
    plan = house.json("change", incident, "rollback")["plan"]
    assert (plan["before"], plan["after"]) == ({"task_definition": fault.bad}, {"task_definition": fault.good})
    house.run("approve", incident, "rollback", "--digest", plan["digest"], "--as", "technical-manager")
    house.change(incident, "applied")
    return fault, found


def test_rollbacks_by_several_incidents_within_a_minute_are_known_as_ours(house: House, worker: Worker) -> None:
    """Each incident suspects the release that broke, never our rollback; none goes back to what another one left."""
    portal = Portal(house)
    bad = []
    for number in range(2):
        fault, found = rolled_back(house, portal, f"Release {number} answers 503")
        bad.append(fault.bad)
        assert (found["status"], found["facts"]["deployment"]["task_definition"]) == ("suspect", fault.bad)
        assert found["facts"]["last_healthy"]["task_definition"] == fault.good
    incident = house.start("Portal is slow, though it was rolled back")
    found = looked(house, incident)
    assert found["status"] == "ok", found
    assert f"rolled it back from {bad[-1].rpartition('/')[2]}" in found["summary"]
    assert found["facts"]["last_healthy"] is None or found["facts"]["last_healthy"]["task_definition"] not in bad
    assert set(bad) <= found["facts"]["rolled_back_from"].keys()
    assert house.json("change", incident, "rollback")["status"] == "already-done"
    assert portal.service()["taskDefinition"] == fault.good
