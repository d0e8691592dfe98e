"""A production whose runbook is not signed: no incident is lost, and nothing is changed until both have signed."""

from collections.abc import Iterator

import pytest

from starters.files.shipped import shipped_folder
from tests.e2e.account import PROBES, Portal
from tests.e2e.conftest import opened
from tests.e2e.house import House
from tests.e2e.keyring import keyring
from tests.e2e.workers import Worker, running
from tests.organisations.folders import written
from tests.starters.enrolled import in_production

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e-production")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A sandbox that is run as production: encrypted, with keys for everybody, and nothing signed yet."""
    place = tmp_path_factory.mktemp("production")
    folder = written(place / "axis-imaging", source=shipped_folder())
    in_production(folder)
    with keyring(folder, place / "keys") as agent:
        arguments = ("--encrypt", "--runbooks", str(folder), "--environment", "production")
        with opened(House(place / "house"), *arguments) as made:
            made.variables |= {"SSH_AUTH_SOCK": agent}
            yield made


@pytest.fixture(scope="module")
def worker(house: House) -> Iterator[Worker]:
    with running(Worker(house)) as worker:
        yield worker
        worker.stop()


def test_people_are_paged_and_nothing_is_changed_until_both_have_signed(house: House, worker: Worker) -> None:
    """Refused at the start, declared all the same, refused at the plan; signed meanwhile, the same incident goes on."""
    portal = Portal(house)
    fault, deployed = portal.break_(), portal.deployed()
    start = ("start", "system-outage", "--severity", "P0", "--title", "Portal answers 503")
    for key in ((), ("--key", "alarm-1")):
        said = house.call(*start, *key)
        assert (said.returncode, "must sign it first" in said.stderr) == (1, True), said
    assert house.json("list") == []
    incident = house.start("Portal answers 503", "--unapproved")
    house.run("ack", incident)
    house.until(incident, "every probe has looked", lambda state: len(state["findings"]) == PROBES)
    assert house.outbox(incident)
    said = house.call("change", incident, "rollback")
    assert (said.returncode, "version 1.0 of system-outage is not approved: cto and" in said.stderr) == (1, True), said
    assert portal.deployed() == deployed
    for by in ("cto", "compliance-officer"):
        house.run("runbook", "approve", "system-outage", "--yes", "--as", by)
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    house.run("approve", incident, "rollback", "--digest", digest, "--as", "technical-manager")
    house.change(incident, "applied", 2)
    assert portal.deployed() == [*deployed, fault.good]
    assert "without the signature of cto and compliance-officer, digest " in house.run("report", incident)
    second = house.start("Portal answers 503 again")
    report = house.run("report", second)
    assert "Runbook system-outage, version 1.0, approved by cto (cto) on " in report
    assert " and by compliance-officer (compliance-officer) on " in report


def test_the_evidence_of_a_breach_is_kept_though_nobody_has_signed(house: House, worker: Worker) -> None:
    given = ("--severity", "P0", "--title", "Records left", "--phi", "--unapproved")
    incident = house.json("start", "data-breach", *given)["incident_id"]
    for step in ("snapshot-database", "preserve-logs"):
        house.change(incident, "applied", step=step)
