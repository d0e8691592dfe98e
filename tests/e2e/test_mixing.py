"""Several incidents at once: each has its own, and what they share they take in turns, resource by resource."""

from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.account import CLUSTER, Portal
from tests.e2e.chain import assert_whole
from tests.e2e.house import Document, House
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

_OVER = {"applied", "already-done", "stale", "failed"}


def declared(house: House, incident_type: str, severity: str, title: str) -> str:
    answer = house.json("start", incident_type, "--severity", severity, "--title", title)
    incident: str = answer["incident_id"]
    return incident


def blocked(house: House) -> set[str]:
    """The addresses in the block list, as AWS has them."""
    waf = house.aws("wafv2")
    listed = waf.list_ip_sets(Scope="REGIONAL")["IPSets"]
    name = "axis-imaging-blocked-ips-production"
    found = next(one for one in listed if one["Name"] == name)
    answer: dict[str, Any] = waf.get_ip_set(Name=name, Scope="REGIONAL", Id=found["Id"])
    return set(answer["IPSet"]["Addresses"])


def test_two_breaches_at_once_do_not_mix(house: House, worker: Worker) -> None:
    """Two breaches on one block list: both block what is theirs, and undoing one leaves the other's alone."""
    before = blocked(house)
    first = declared(house, "data-breach", "P0", "Studies leave by the front door")
    second = declared(house, "data-breach", "P0", "A lost laptop signs in")
    snapshots = [house.change(one, "applied", step="snapshot-database") for one in (first, second)]
    assert snapshots[0]["plan"]["target"] != snapshots[1]["plan"]["target"]
    for incident, address in ((first, "198.51.100.71/32"), (second, "198.51.100.72/32")):
        house.run("change", incident, "block-addresses", "--set", f"addresses={address}", "--yes")
    for incident in (first, second):
        house.change(incident, "applied", step="block-addresses")
    assert blocked(house) == before | {"198.51.100.71/32", "198.51.100.72/32"}
    house.run("undo", first, "block-addresses", "--yes")
    house.change(first, "applied", number=2, step="block-addresses")
    assert blocked(house) == before | {"198.51.100.72/32"}
    for incident in (first, second):
        house.change(incident, "applied", step="preserve-logs")  # else it would still write amid the next test
        assert_whole(house.timeline(incident))


def test_a_database_incident_inside_an_outage_takes_its_turn(house: House, worker: Worker) -> None:
    """A rollback and a restart of one service never run at once; whichever comes second sees what the first did."""
    portal = Portal(house)
    fault, deployed = portal.break_(), portal.deployed()
    outage = house.start("Portal answers 503")
    database = declared(house, "database", "P1", "Connections time out")
    asked = {outage: "rollback", database: "restart-application"}
    digests = {one: house.json("change", one, step)["plan"]["digest"] for one, step in asked.items()}
    for incident, step in asked.items():
        house.signal(f"{incident}/{step}/1", "approve", by="technical-manager", digest=digests[incident])

    def over(incident: str) -> Document | None:
        change = next(one for one in house.state(incident)["changes"] if one["step"] == asked[incident])
        return change if change["status"] in _OVER else None

    rollback, restart = (until(lambda one=one: over(one), f"the change of {one}", 60) for one in asked)  # type: ignore[misc]
    assert rollback["status"] == "applied"
    assert restart["status"] in {"applied", "already-done", "stale"}
    assert portal.service()["taskDefinition"] == fault.good
    assert set(portal.deployed()[len(deployed) :]) <= {fault.good, fault.bad}
    assert portal.deployed()[-1] == fault.good
    rollouts = house.aws("ecs").list_service_deployments(cluster=CLUSTER, service=portal.name)["serviceDeployments"]
    spans = sorted((one["startedAt"], one["finishedAt"]) for one in rollouts[: len(portal.deployed()) - len(deployed)])
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
