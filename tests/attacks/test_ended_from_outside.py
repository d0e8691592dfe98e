"""Somebody ends the workflow of an open incident: whoever looks is told, and it goes on from its record."""

import pytest

from tests.e2e.house import House
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_a_terminated_incident_says_so_and_goes_on(house: House, worker: Worker) -> None:
    """`list` and `show` name it, and the way on; restored it pages again, in the same chain."""
    incident = house.start("Somebody wants silence")
    house.until(incident, "it is on record", lambda state: state["timeline"]["written"] == state["timeline"]["length"])
    assert "ended from outside" not in house.run("show", incident)
    house.asking.run(house.asking.client.get_workflow_handle(incident).terminate("silence"))
    until(lambda: _listed(house, incident)["execution"] == "terminated", "it is listed as ended")
    assert "ended from outside" in " ".join(house.run("list").split())
    shown = " ".join(house.run("show", incident).split())
    assert f"ended from outside: nobody carries it on. Go on with it: incident restore {incident}" in shown
    assert house.show(incident)["ended_from_outside"] is True
    house.run("restore", incident, "--from-ledger")
    house.until(incident, "it has been read", lambda state: len(state["pages"]) > 0)
    house.asking.update(incident, "acknowledge", by="devops-lead")
    assert "ended_from_outside" not in house.show(incident)
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")


def _listed(house: House, incident: str) -> dict[str, str]:
    found: dict[str, str] = next(row for row in house.json("list") if row["id"] == incident)
    return found
