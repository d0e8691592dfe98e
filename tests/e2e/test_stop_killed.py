"""A stop that is killed halfway and tried again stops: AWS looked at from outside, and asked to start it again."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.account import BACKEND, CLUSTER
from tests.e2e.chain import assert_whole
from tests.e2e.house import House
from tests.e2e.wire import Wire
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

STEP = "stop-services"
REGISTER = "application-autoscaling.RegisterScalableTarget"
TARGET = {
    "ServiceNamespace": "ecs",
    "ScalableDimension": "ecs:service:DesiredCount",
    "ResourceId": f"service/{CLUSTER}/{BACKEND}",
}


@pytest.fixture
def at_once(folder: Path) -> Path:
    """The organisation's folder, but that evidence need not be kept before anything is stopped."""
    runbook = folder / "data-breach.yaml"
    kept = [line for line in runbook.read_text().splitlines() if "evidence_first:" not in line]
    runbook.write_text("\n".join(kept) + "\n")
    return folder


def backend(house: House) -> dict[str, Any]:
    found = house.aws("ecs").describe_services(cluster=CLUSTER, services=[BACKEND])["services"][0]
    counts: dict[str, Any] = {name: found[name] for name in ("desiredCount", "runningCount", "pendingCount")}
    return counts


def minimum(house: House) -> int:
    asked = {**TARGET, "ResourceIds": [TARGET["ResourceId"]]}
    del asked["ResourceId"]
    found = house.aws("application-autoscaling").describe_scalable_targets(**asked)["ScalableTargets"][0]
    return int(found["MinCapacity"])


def decided(house: House, incident: str, digest: str, generation: int = 1) -> None:
    house.signal(f"{incident}/{STEP}/{generation}", "approve", by="technical-manager", digest=digest)


@pytest.mark.parametrize("operation", [REGISTER, "ecs.UpdateService"])
def test_a_stop_killed_halfway_starts_nothing_again(
    house: House, aws: Wire, worker: Worker, at_once: Path, operation: str
) -> None:
    """Whichever answer is lost with the worker: nothing runs, nothing of AWS's starts it, and the undo restores it."""
    until(lambda: backend(house)["runningCount"] == backend(house)["desiredCount"] == 3, "the backend runs")
    asked = ("start", "data-breach", "--severity", "P0", "--title", f"Stopped, and killed after {operation}")
    incident = house.json(*asked, "--runbooks", str(at_once))["incident_id"]
    house.run("ack", incident)
    digest = house.json("change", incident, STEP)["plan"]["digest"]
    aws.trap(operation, "after", worker.kill, cut=True)
    decided(house, incident, digest)
    worker.end()
    worker.start()
    house.change(incident, "applied", step=STEP)
    assert backend(house) == {"desiredCount": 0, "runningCount": 0, "pendingCount": 0}
    house.aws("application-autoscaling").register_scalable_target(**TARGET, MaxCapacity=8)
    assert (backend(house)["desiredCount"], minimum(house)) == (0, 0)
    back = house.json("undo", incident, STEP)["plan"]["digest"]
    decided(house, incident, back, 2)
    house.change(incident, "applied", number=2, step=STEP)
    assert (backend(house)["runningCount"], minimum(house)) == (3, 2)
    assert_whole(house.timeline(incident))
