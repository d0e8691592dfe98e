"""The primary is a Multi-AZ DB cluster: it fails over as one, once, and the application finds it where it was."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.runtime.organisation_copy import copy_organisation
from sandbox.scenarios.database import DatabaseCluster
from starters.files.shipped import shipped_folder
from tests.e2e.chain import assert_whole
from tests.e2e.conftest import opened
from tests.e2e.house import House
from tests.e2e.wire import Wire, wire
from tests.e2e.workers import Worker, running
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-apart")]

CLUSTER = "axis-imaging-cluster-production"
FAILOVER = "rds.FailoverDBCluster"
PROBES = 19
"""How many probes a database incident has."""


@pytest.fixture
def clustered(tmp_path: Path) -> Iterator[House]:
    """The shipped organisation, with a cluster where its primary was."""
    folder = copy_organisation(shipped_folder(), tmp_path, "sandbox", databases=DatabaseCluster.databases)
    house = House(tmp_path / "sandbox")
    with opened(house, "--runbooks", str(folder), "--environment", "sandbox"):
        yield house


@pytest.fixture
def aws(clustered: House) -> Iterator[Wire]:
    with wire(clustered.variables["AWS_ENDPOINT_URL"]) as one:
        yield one


@pytest.fixture
def worker(clustered: House, aws: Wire) -> Iterator[Worker]:
    with running(Worker(clustered, AWS_ENDPOINT_URL=aws.url)) as one:
        yield one


def test_a_cluster_is_failed_over_once_though_the_worker_dies_on_the_way(
    clustered: House, aws: Wire, worker: Worker
) -> None:
    """Its writer is reached by nobody: the probes say failover, RDS is asked once, and the incident ends."""
    clustered.run("sandbox", "break", "database-primary-unreachable", "--data-dir", str(clustered.data_dir))
    assert not clustered.healthy()
    asked = ("start", "database", "--severity", "P1", "--title", "Database connections time out")
    incident = clustered.json(*asked)["incident_id"]
    found = clustered.findings(incident, PROBES)
    assert found["primary-unreachable"]["status"] == "suspect"
    assert found["primary-lost"]["status"] == "ok"
    clustered.run("ack", incident, "--as", "devops-lead")
    refused = clustered.call("change", incident, "promote-replica", "--as", "devops-lead")
    assert "primary is a cluster, which fails over to its own readers" in refused.stderr
    digest = clustered.json("change", incident, "failover", "--as", "devops-lead")["plan"]["digest"]
    aws.trap(FAILOVER, "after", worker.kill, cut=True)
    clustered.run("approve", incident, "failover", "--digest", digest, "--as", "technical-manager")
    worker.end()
    worker.start()
    change = clustered.change(incident, "applied", step="failover")
    assert change["plan"]["target"].endswith(f":cluster:{CLUSTER}")
    until(clustered.healthy, "the portal answers again")
    assert writer(clustered) == f"{CLUSTER}-instance-2"
    assert len(started(clustered)) == 1
    finish(clustered, incident)
    assert_whole(clustered.timeline(incident))


def writer(house: House) -> str:
    (cluster,) = house.aws("rds").describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"]
    return str(next(one["DBInstanceIdentifier"] for one in cluster["DBClusterMembers"] if one["IsClusterWriter"]))


def started(house: House) -> list[dict[str, Any]]:
    """The failovers that RDS began."""
    events = house.aws("rds").describe_events(SourceIdentifier=CLUSTER, SourceType="db-cluster")["Events"]
    return [one for one in events if one["Message"].startswith("Started")]


def finish(house: House, incident: str) -> None:
    """From mitigated to closed, every required task done by its owner."""
    house.run("mitigated", incident, "--summary", "failed over to a reader")
    house.run("resolve", incident, "--summary", "steady")
    for task in house.state(incident)["tasks"]:
        if task["required"] and task["status"] == "open":
            house.run("done", incident, task["step"], "--as", task["owner"])
    house.run("close", incident)
    assert house.ended(incident)["status"] == "closed"
