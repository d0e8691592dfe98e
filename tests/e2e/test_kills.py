"""A worker that is killed, at whatever stage: nothing is lost, and nothing is done twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.e2e.account import PROBES, Fault, Portal
from tests.e2e.chain import assert_whole
from tests.e2e.house import Document, House
from tests.e2e.wire import When, Wire
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

POST = "http.POST /v1/pages/axis-imaging/incidents"
UPDATE = "ecs.UpdateService"
Command = Literal["start", "request", "approve"]


@dataclass(frozen=True)
class Stage:
    """When the worker is killed: at a request to AWS or the status page, after a person's command."""

    command: Command
    operation: str
    when: When
    since: str | None = None


PROBING = Stage("start", "ecs.ListServiceDeployments", "before")
POSTED = Stage("start", POST, "after")
PLANNING = Stage("request", "ecs.DescribeServices", "after")
INTENDED = Stage("approve", UPDATE, "before")
ASKED = Stage("approve", UPDATE, "after")
VERIFYING = Stage("approve", "elasticloadbalancing.DescribeTargetHealth", "after", since=UPDATE)
LIVES = {
    "probing; asked of AWS, answer lost": (PROBING, ASKED),
    "posted in public, answer lost; verifying": (POSTED, VERIFYING),
    "planning; intent on record, nothing asked of AWS": (PLANNING, INTENDED),
}
"""The stages at which the worker is killed, together all there are, two of them in the life of one incident."""


@dataclass
class Killer:
    """Kills the worker when a stage comes, and starts it again."""

    stages: tuple[Stage, ...]
    aws: Wire
    public: Wire
    worker: Worker

    @contextmanager
    def after(self, command: Command) -> Iterator[None]:
        """Around a person's command: if a stage follows it, the worker dies in it, and another one starts."""
        stage = next((one for one in self.stages if one.command == command), None)
        if stage is None:
            yield
            return
        wire = self.public if stage.operation == POST else self.aws
        wire.trap(stage.operation, stage.when, self.worker.kill, since=stage.since, cut=True)
        yield
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


@pytest.mark.parametrize("stages", LIVES.values(), ids=LIVES)
def test_killed_worker_loses_and_repeats_nothing(
    house: House, aws: Wire, public: Wire, worker: Worker, prompt: Path, stages: tuple[Stage, ...]
) -> None:
    """Killed at these stages and started again, the rollback is one `UpdateService`, and told in public once."""
    killer = Killer(stages, aws, public, worker)
    portal = Portal(house)
    fault, deployed, calls = portal.break_(), portal.deployed(), len(aws.calls)
    with killer.after("start"):
        incident = house.start("Killed", "--runbooks", str(prompt))
    house.findings(incident, PROBES)
    house.signal(incident, "acknowledge", by="devops-lead")
    with killer.after("request"):
        house.signal(incident, "request_change", by="devops-lead", step="rollback")
    digest = house.change(incident, "awaiting-approval")["plan"]["digest"]
    with killer.after("approve"):
        house.signal(f"{incident}/rollback/1", "approve", by="technical-manager", digest=digest)
    assert_all_done_once(portal, incident, fault, deployed)
    assert aws.count(UPDATE, calls) == 1


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
    assert aws.count(UPDATE, calls) == 1
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

    def timeline() -> list[Document] | None:
        """Every entry, once none comes between the two looks."""
        entries = house.timeline(incident)
        return entries if entries[-1]["hash"] == house.state(incident)["timeline"]["head"] else None

    entries = until(timeline, "the timeline ends with its head")
    assert_whole(entries)
    found = [one["data"]["step"] for one in entries if one["kind"] == "finding"]
    assert len(found) == len(set(found)) == PROBES
    ends = [one["data"]["status"] for one in entries if one["kind"] == "change" and "status" in one["data"]]
    assert ends == ["applying", "verifying", "applied"]
