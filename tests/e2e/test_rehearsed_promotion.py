"""A promotion rehearsed on a whole sandbox, and its replica made anew: AWS is afterwards as it was before."""

import asyncio
from typing import Any

import pytest

from domain.config.recovery import COPIES
from tests.e2e.house import Document, House
from tests.e2e.test_upkeep import begun
from tests.e2e.workers import Worker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.xdist_group("e2e"), pytest.mark.timeout(400)]

PRIMARY, REPLICA = "axis-imaging-primary-production", "axis-imaging-read-replica-production"
PROMOTE, RENEW = "promote-replica", "renew-replica"
LOST = "primary_is_lost=rehearsal: the quarter's recovery test"
_MOVES = ("LatestRestorableTime",)
_ITS_OWN = ("DbiResourceId", "InstanceCreateTime")
"""What a replica that is made anew cannot have of the one before."""


def asked(house: House, incident: str, step: str, *more: str) -> None:
    """Ask for a change, and have it approved as it is shown by two others."""
    plan = house.json("change", incident, step, *more, "--as", "technical-manager")["plan"]
    for voter in ("cto", "devops-lead"):
        house.run("approve", incident, step, "--digest", plan["digest"], "--as", voter)


def applied(house: House, incident: str, step: str) -> Document:
    """A change that is applied and verified; what takes long is looked at every twenty seconds."""
    state = house.until(
        incident,
        f"{step} is applied",
        lambda state: [one for one in state["changes"] if (one["step"], one["status"]) == (step, "applied")],
        seconds=240,
    )
    found: Document = next(one for one in state["changes"] if one["step"] == step)
    return found


def instances(house: House) -> dict[str, Document]:
    """What RDS shows of every instance, from outside, but for what moves by itself."""
    rds: Any = house.aws("rds")
    shown = rds.describe_db_instances()["DBInstances"]
    return {
        one["DBInstanceIdentifier"]: {name: value for name, value in one.items() if name not in _MOVES} for one in shown
    }


def around(house: House) -> tuple[Any, ...]:
    """The rules of every security group, what the application reads, its task definition, and all snapshots."""
    ec2, ssm, rds, ecs = (house.aws(name) for name in ("ec2", "ssm", "rds", "ecs"))
    groups = ec2.describe_security_groups()["SecurityGroups"]
    rules = {one["GroupId"]: sorted(map(str, one["IpPermissions"])) for one in groups}
    reads = ssm.get_parameter(Name="/axis-imaging/production/database/host")["Parameter"]["Value"]
    backend = ecs.describe_services(
        cluster="axis-imaging-cluster-production", services=["axis-imaging-backend-production"]
    )["services"][0]
    snapshots = sorted(one["DBSnapshotIdentifier"] for one in rds.describe_db_snapshots()["DBSnapshots"])
    return rules, reads, backend["taskDefinition"], backend["runningCount"], snapshots


def test_a_rehearsed_promotion_leaves_nothing(house: House, worker: Worker) -> None:
    """The worker is killed while the promoted instance is renamed; the replica is made once, and replicates again."""
    before, stood = instances(house), around(house)
    handle, incident = begun(house, "recovery-test", 3)
    house.until(incident, "its tasks are asked for", lambda state: len(state["tasks"]) == 3)
    asked(house, incident, PROMOTE, "--set", LOST)
    applied(house, incident, PROMOTE)
    promoted = instances(house)[REPLICA]
    assert "ReadReplicaSourceDBInstanceIdentifier" not in promoted
    assert around(house)[:2] != stood[:2]
    refused = house.call("done", incident, "put-back-replica", "--as", "devops-lead")
    assert f"incident change {incident} {RENEW}" in refused.stderr
    asked(house, incident, RENEW)
    until(lambda: instances(house).get(REPLICA, {}).get("DBInstanceStatus") != "available", "its place is being left")
    worker.kill()
    worker.end()
    worker.start()
    change = applied(house, incident, RENEW)
    assert len([one for one in house.show(incident)["changes"] if one["step"] == RENEW]) == 1
    assert (change["action"], len(change["approvals"])) == ("rds.renew_replica", 2)
    after = instances(house)
    made = after.pop(REPLICA)
    replica = before.pop(REPLICA)
    assert after == before
    assert around(house) == stood
    assert {name for name, value in made.items() if replica.get(name) != value} <= set(_ITS_OWN)
    assert made["DbiResourceId"] not in {replica["DbiResourceId"], promoted["DbiResourceId"]}
    assert made["StatusInfos"][0]["Status"] == "replicating"
    assert not [name for name in instances(house) if name.startswith(COPIES)]
    told = [entry["text"] for entry in house.timeline(incident)]
    assert any(f"{REPLICA} replicates {PRIMARY}" in text and "recovery time (target 4h)" in text for text in told)
    for step in ("ask-primary", "ask-promote-replica"):
        house.run("done", incident, step, "--as", "devops-lead")
    house.run("done", incident, "sign-off", "--note", "within the target", "--as", "devops-lead")
    house.asking.run(asyncio.wait_for(handle.result(), 60))
    assert house.show(incident)["status"] == "closed"
