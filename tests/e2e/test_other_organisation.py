"""Another organisation writes YAML and no Python: with other names everywhere the same incident goes the same way."""

import shutil
from pathlib import Path

import pytest

from starters.files.organisation_folder import shipped_folder
from tests.e2e.account import Portal
from tests.e2e.chain import assert_whole
from tests.e2e.conftest import opened
from tests.e2e.house import House
from tests.e2e.workers import Worker, running

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-apart")]

NAMES = {
    "axis-imaging": "blue-harbour",
    "axisimaging": "blueharbour",
    "AxisImaging": "BlueHarbour",
    "Axis Imaging": "Blue Harbour",
    "ap-southeast-2": "eu-central-1",
    "Australia/Sydney": "Europe/Berlin",
    "123456789012": "444455556666",
    "id: devops-lead": "id: harbour-master",
    "id: technical-manager": "id: head-of-it",
    "vpc-0a1b2c3d4e5f67890": "vpc-0f0e0d0c0b0a09080",
}


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    """The shipped folder with every name replaced: people, account, region, services, buckets, mail addresses."""
    folder = Path(shutil.copytree(shipped_folder(), tmp_path / "blue-harbour"))
    for file in folder.rglob("*.yaml"):
        text = file.read_text()
        for ours, theirs in NAMES.items():
            text = text.replace(ours, theirs)
        file.write_text(text)
    return folder


def test_other_organisation_works_the_same(harbour: Path, tmp_path: Path) -> None:
    """Another organisation's outage is paged, approved and rolled back in its own account, under its own names."""
    house = House(tmp_path / "sandbox")
    with opened(house, "--runbooks", str(harbour)), running(Worker(house)):
        portal = Portal(house, cluster="blue-harbour-cluster-production", name="blue-harbour-backend-production")
        fault = portal.break_()
        assert ":eu-central-1:444455556666:" in fault.bad
        incident = house.start("Harbour portal down")
        house.run("ack", incident)
        digest = house.json("change", incident, "rollback")["plan"]["digest"]
        house.run("approve", incident, "rollback", "--digest", digest, "--as", "head-of-it")
        change = house.change(incident, "applied")
        assert [(vote["by"], vote["role"]) for vote in change["approvals"]] == [("head-of-it", "technical-manager")]
        assert portal.service()["taskDefinition"] == fault.good
        assert house.healthy()
        house.run("mitigated", incident, "--summary", "rolled back")
        house.told(incident, "publish-monitoring")
        assert len(house.public(incident, page="blue-harbour")) == 1
        state, entries, delivered = house.show(incident), house.timeline(incident), house.outbox(incident)
    assert state["commander"] == "harbour-master"
    assert_whole(entries)
    assert {one["to"] for one in delivered if one["channel"] == "statuspage"} == {"blue-harbour"}
    assert "manager@blueharbour.com.au" in {one["to"] for one in delivered if one["channel"] == "email"}
    told = repr((state, entries, delivered)).lower().replace(" ", "").replace("-", "")
    assert "axisimaging" not in told
    assert "apsoutheast2" not in told
