"""RDS as patched in the sandbox, through boto3."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.rollout import PACE
from sandbox.runtime.aws_world import World
from sandbox.seed.databases import database_states
from sandbox.traffic.postgres_log import line
from tests.domain.log_samples import RDS
from tests.sandbox.worlds import rollouts_finish


def shown(world: World, name: str = "primary") -> dict[str, Any]:
    identifier = world.environment.databases[name].identifier
    return dict(world.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0])


def refusal(call: Any, **asked: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return str(refused.value.response["Error"]["Code"])


def test_a_failover_takes_its_time_and_changes_zones(world: World) -> None:
    """During a reboot no second one is accepted; afterwards the zones are swapped, and the events show it."""
    rds, before = world.client("rds"), shown(world)
    asked = {"DBInstanceIdentifier": before["DBInstanceIdentifier"], "ForceFailover": True}
    rds.reboot_db_instance(**asked)
    assert (shown(world)["DBInstanceStatus"], shown(world)["AvailabilityZone"]) == (
        "rebooting",
        before["AvailabilityZone"],
    )
    assert refusal(rds.reboot_db_instance, **asked) == "InvalidDBInstanceState"
    rollouts_finish()
    after = shown(world)
    assert after["DBInstanceStatus"] == "available"
    assert after["AvailabilityZone"] == before["SecondaryAvailabilityZone"]
    assert after["SecondaryAvailabilityZone"] == before["AvailabilityZone"]
    source = {"SourceIdentifier": before["DBInstanceIdentifier"], "SourceType": "db-instance"}
    messages = [one["Message"] for one in rds.describe_events(**source)["Events"]]
    assert "Multi-AZ instance failover completed" in messages


def test_the_zone_from_before_a_failover_is_shown_for_a_while(world: World) -> None:
    """The instance is available again and its events tell of the failover, before the new zone is shown."""
    rds, before, state = world.client("rds"), shown(world), database_states(world)["primary"]
    PACE.rollout = timedelta(minutes=1)
    rds.reboot_db_instance(DBInstanceIdentifier=before["DBInstanceIdentifier"], ForceFailover=True)
    assert state.operation is not None
    state.operation.began_at -= timedelta(seconds=90)
    late = shown(world)
    assert (late["DBInstanceStatus"], late["AvailabilityZone"]) == ("available", before["AvailabilityZone"])
    rollouts_finish()
    assert state.later is not None
    state.later = (datetime.now(UTC), state.later[1])
    assert shown(world)["AvailabilityZone"] == before["SecondaryAvailabilityZone"]


@pytest.fixture
def cluster(world: World) -> str:
    """A Multi-AZ DB cluster beside the instances."""
    asked = {"Engine": "postgres", "MasterUsername": "portal", "ManageMasterUserPassword": True}
    world.client("rds").create_db_cluster(DBClusterIdentifier="west", DBClusterInstanceClass="db.r6gd.large", **asked)
    return "west"


def members(world: World) -> dict[str, bool]:
    found = world.client("rds").describe_db_clusters(DBClusterIdentifier="west")["DBClusters"][0]
    return {one["DBInstanceIdentifier"]: one["IsClusterWriter"] for one in found["DBClusterMembers"]}


def test_a_cluster_comes_with_its_members_and_fails_over_as_one(world: World, cluster: str) -> None:
    """A writer and two readers; while it fails over no second failover is accepted, and its event is the cluster's."""
    rds = world.client("rds")
    assert members(world) == {"west-instance-1": True, "west-instance-2": False, "west-instance-3": False}
    asked = {"DBClusterIdentifier": cluster, "TargetDBInstanceIdentifier": "west-instance-3"}
    rds.failover_db_cluster(**asked)
    assert refusal(rds.failover_db_cluster, **asked) == "InvalidDBClusterStateFault"
    assert members(world)["west-instance-1"]
    rollouts_finish()
    assert members(world)["west-instance-3"]
    events = rds.describe_events(SourceIdentifier=cluster, SourceType="db-cluster")["Events"]
    assert events[-1]["Message"] == "Completed failover to DB instance: west-instance-3"


def test_what_is_done_to_a_cluster_is_refused_of_its_members(world: World, cluster: str) -> None:
    """No reboot with failover, no snapshot, no other class: each has the cluster's own call."""
    rds, member = world.client("rds"), {"DBInstanceIdentifier": f"{cluster}-instance-1"}
    assert refusal(rds.reboot_db_instance, **member, ForceFailover=True) == "InvalidParameterCombination"
    assert refusal(rds.create_db_snapshot, **member, DBSnapshotIdentifier="one") == "InvalidParameterValue"
    resized = {"DBInstanceClass": "db.r6g.2xlarge", "ApplyImmediately": True}
    assert refusal(rds.modify_db_instance, **member, **resized) == "InvalidParameterCombination"


def test_a_single_zone_has_nothing_to_fail_over_to(world: World) -> None:
    """AWS refuses ForceFailover without a standby."""
    replica = shown(world, "replica")["DBInstanceIdentifier"]
    code = refusal(world.client("rds").reboot_db_instance, DBInstanceIdentifier=replica, ForceFailover=True)
    assert code == "InvalidParameterCombination"


def test_a_class_waits_for_the_window_or_is_applied_at_once(world: World) -> None:
    """Without ApplyImmediately a class is pending; with it, the class is applied along with all that was pending."""
    rds, name = world.client("rds"), shown(world)["DBInstanceIdentifier"]
    rds.modify_db_instance(DBInstanceIdentifier=name, AllocatedStorage=600)
    assert shown(world)["PendingModifiedValues"] == {"AllocatedStorage": 600}
    assert (shown(world)["DBInstanceStatus"], shown(world)["AllocatedStorage"]) == ("available", 500)
    rds.modify_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.r6g.2xlarge", ApplyImmediately=True)
    assert (shown(world)["DBInstanceStatus"], shown(world)["DBInstanceClass"]) == ("modifying", "db.r6g.xlarge")
    rollouts_finish()
    after = shown(world)
    assert after.get("PendingModifiedValues", {}) == {}
    assert (after["DBInstanceStatus"], after["DBInstanceClass"], after["AllocatedStorage"]) == (
        *("available", "db.r6g.2xlarge"),
        600,
    )


def test_events_are_those_of_the_window(world: World) -> None:
    """Only events between both times are returned, page by page; beyond 14 days AWS refuses."""
    rds, name, now = world.client("rds"), shown(world)["DBInstanceIdentifier"], datetime.now(UTC)
    source = {"SourceIdentifier": name, "SourceType": "db-instance"}
    assert rds.describe_events(**source, StartTime=now - timedelta(hours=2), EndTime=now)["Events"] == []
    page = rds.describe_events(**source, Duration=24 * 60, MaxRecords=1)
    rest = rds.describe_events(**source, Duration=24 * 60, Marker=page["Marker"])
    assert [one["EventCategories"] for one in (*page["Events"], *rest["Events"])] == [["backup"], ["backup"]]
    assert refusal(rds.describe_events, **source, StartTime=now - timedelta(days=20)) == "InvalidParameterValue"


def test_a_log_comes_in_portions(world: World) -> None:
    """From marker 0 a file is returned whole, in portions; without a marker only its end; old files are deleted."""
    rds, known = world.client("rds"), database_states(world)["primary"]
    name, now = known.instance.db_instance_identifier, datetime.now(UTC).replace(minute=30)
    known.log.clear()
    known.write(now - timedelta(days=4), line(RDS, now, "LOG:  old"))
    for number in range(25):
        known.write(now, line(RDS, now, f"LOG:  {number}"))
    (file,) = rds.describe_db_log_files(DBInstanceIdentifier=name, FilenameContains="postgresql.log")[
        "DescribeDBLogFiles"
    ]
    assert file["LogFileName"] == f"error/postgresql.log.{now:%Y-%m-%d-%H}"
    asked = {"DBInstanceIdentifier": name, "LogFileName": file["LogFileName"], "NumberOfLines": 10}
    text, marker, pending = "", "0", True
    while pending:
        portion = rds.download_db_log_file_portion(**asked, Marker=marker)
        text, marker, pending = text + portion["LogFileData"], portion["Marker"], portion["AdditionalDataPending"]
    assert [one.rsplit(" ", 1)[-1] for one in text.splitlines()] == [str(number) for number in range(25)]
    assert rds.download_db_log_file_portion(**asked)["LogFileData"].startswith(line(RDS, now, "LOG:  15"))
    slow = f"slowquery/postgresql.log.{now:%Y-%m-%d}"
    missing = {"DBInstanceIdentifier": name, "LogFileName": slow}
    assert refusal(rds.download_db_log_file_portion, **missing) == "DBLogFileNotFoundFault"


def test_a_portion_is_a_megabyte_at_most(world: World) -> None:
    """However many lines are asked for, and the rest comes with the next one."""
    rds, known = world.client("rds"), database_states(world)["primary"]
    name, now = known.instance.db_instance_identifier, datetime.now(UTC)
    known.log.clear()
    for number in range(15):
        known.write(now, line(RDS, now, f"LOG:  {number}{'x' * 100_000}"))
    (file,) = known.log
    asked = {"DBInstanceIdentifier": name, "LogFileName": file}
    first = rds.download_db_log_file_portion(**asked, Marker="0")
    second = rds.download_db_log_file_portion(**asked, Marker=first["Marker"])
    assert (first["AdditionalDataPending"], second["AdditionalDataPending"]) == (True, False)
    assert [one["LogFileData"].count("\n") for one in (first, second)] == [9, 6]
