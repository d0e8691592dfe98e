"""A worker that is killed, at whatever stage: nothing is lost, and nothing is done twice."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.e2e.account import Fault, Portal
from tests.e2e.chain import assert_whole
from tests.e2e.house import House
from tests.e2e.wire import When, Wire
from tests.e2e.workers import Worker

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

PROBES = 8
POST = "http.POST /v1/pages/axis-imaging/incidents"


@dataclass(frozen=True)
class Stage:
    """When the worker is killed: at a request to AWS or the status page, after a person's command `command`."""

    name: str
    command: Literal["start", "request", "approve"]
    operation: str
    when: When
    since: str | None = None


STAGES = [
    Stage("probing", "start", "ecs.ListServiceDeployments", "before"),
    Stage("posted, answer lost", "start", POST, "after"),
    Stage("planning", "request", "ecs.DescribeServices", "after"),
    Stage("intent on record, nothing asked of AWS", "approve", "ecs.UpdateService", "before"),
    Stage("asked of AWS, answer lost", "approve", "ecs.UpdateService", "after"),
    Stage("verifying", "approve", "elasticloadbalancing.DescribeTargetHealth", "after", since="ecs.UpdateService"),
]


@dataclass
class Killer:
    """Kills the worker when its stage comes, and starts it again."""

    stage: Stage
    aws: Wire
    public: Wire
    worker: Worker

    def lay(self, command: str) -> None:
        if command == self.stage.command:
            wire = self.public if self.stage.operation == POST else self.aws
            wire.trap(self.stage.operation, self.stage.when, self.worker.kill, self.stage.since)

    def await_death(self, command: str) -> None:
        if command == self.stage.command:
            self.worker.end()
            self.worker.start()


@pytest.fixture
def prompt(folder: Path) -> Path:
    """The organisation's folder, but that the public is told at once: while everything else goes on."""
    runbook = folder / "system-outage.yaml"
    text = runbook.read_text()
    assert text.count("after: 5m") == 1
    runbook.write_text(text.replace("after: 5m", "after: 0m"))
    return folder


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_killed_worker_loses_and_repeats_nothing(
    house: House, aws: Wire, public: Wire, worker: Worker, prompt: Path, stage: Stage
) -> None:
    """Killed at this stage and started again, the rollback is one `UpdateService`, and told in public once."""
    killer = Killer(stage, aws, public, worker)
    portal = Portal(house)
    fault, deployed, calls = portal.break_(), portal.deployed(), len(aws.calls)
    killer.lay("start")
    incident = house.start(f"Killed: {stage.name}", "--runbooks", str(prompt))
    killer.await_death("start")
    house.findings(incident, PROBES)
    house.signal(incident, "acknowledge", by="devops-lead")
    killer.lay("request")
    house.signal(incident, "request_change", by="devops-lead", step="rollback")
    killer.await_death("request")
    digest = house.change(incident, "awaiting-approval")["plan"]["digest"]
    killer.lay("approve")
    house.signal(f"{incident}/rollback/1", "approve", by="technical-manager", digest=digest)
    killer.await_death("approve")
    assert_all_done_once(portal, incident, fault, deployed)
    assert aws.count("ecs.UpdateService", calls) == 1


def test_worker_killed_while_people_decide(house: House, aws: Wire, worker: Worker, prompt: Path) -> None:
    """What people say while no worker lives is kept: an approval and a note are taken up by the next one."""
    portal = Portal(house)
    fault, deployed, calls = portal.break_(), portal.deployed(), len(aws.calls)
    incident = house.start("Killed: waiting for approval", "--runbooks", str(prompt))
    house.run("ack", incident)
    digest = house.json("change", incident, "rollback")["plan"]["digest"]
    house.findings(incident, PROBES)
    worker.kill()
    worker.end()
    house.signal(incident, "note", by="devops-lead", text="said to nobody")
    house.signal(f"{incident}/rollback/1", "approve", by="technical-manager", digest=digest)
    worker.start()
    assert_all_done_once(portal, incident, fault, deployed)
    assert aws.count("ecs.UpdateService", calls) == 1
    assert "said to nobody" in [one["text"] for one in house.timeline(incident)]


def assert_all_done_once(portal: Portal, incident: str, fault: Fault, deployed: list[str]) -> None:
    """One deployment, of the good revision; one change, applied; one public incident; a timeline without a gap."""
    house = portal.house
    change = house.change(incident, "applied")
    assert portal.deployed() == [*deployed, fault.good]
    assert house.healthy()
    told = house.told(incident, "publish-investigating")
    state = house.show(incident)
    assert [one["workflow_id"] for one in state["changes"]] == [change["workflow_id"]]
    assert state["status"] == "acknowledged"
    (post,) = house.public(incident)
    assert told["reference"].endswith(post["id"])
    assert [update["status"] for update in post["incident_updates"]] == ["investigating"]
    entries = house.timeline(incident)
    assert_whole(entries)
    assert entries[-1]["hash"] == house.show(incident)["timeline"]["head"]
    found = [one["data"]["step"] for one in entries if one["kind"] == "finding"]
    assert len(found) == len(set(found)) == PROBES
    ends = [one["data"]["status"] for one in entries if one["kind"] == "change" and "status" in one["data"]]
    assert ends == ["applied"]
