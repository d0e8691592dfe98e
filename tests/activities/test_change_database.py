from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from activities.action import RuleError
from domain.config.approval import ApprovalClass
from domain.model.plan import Plan
from tests.activities.database_worlds import of_cluster, promote, resize, restart
from tests.activities.fake_ecs import revision
from tests.activities.fake_rds import CLUSTER, PRIMARY, FakeRds
from tests.activities.scopes import ACCOUNT, REGION, scope
from tests.activities.upkeep_worlds import insights


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def planned(world: Any, **params: Any) -> Plan:
    given = world.change.params.model_validate(world.params | params)
    plan: Plan = world.change.plan(world.scope, given)
    return plan


def rds_of(world: Any) -> FakeRds:
    fake: FakeRds = world.clients.instead["rds"]
    return fake


def test_a_class_that_aws_does_not_offer_is_refused() -> None:
    """Neither a class unknown to AWS here, nor one that a zone of the instance lacks, nor one that is no class."""
    world = resize()
    with pytest.raises(RuleError, match=r"does not offer db\.r5\.large"):
        planned(world, instance_class="db.r5.large")
    rds_of(world).primary["AvailabilityZone"] = "ap-southeast-2d"
    with pytest.raises(RuleError, match="ap-southeast-2d"):
        planned(world)
    with pytest.raises(ValueError, match="instance_class"):
        planned(world, instance_class="2xlarge")


@pytest.mark.parametrize(
    ("has", "offers"),
    [
        ({"PerformanceInsightsEnabled": True}, {"SupportsPerformanceInsights": False}),
        ({"MonitoringInterval": 60}, {"SupportsEnhancedMonitoring": False}),
        ({"StorageEncrypted": True}, {"SupportsStorageEncryption": False}),
        ({"IAMDatabaseAuthenticationEnabled": True}, {"SupportsIAMDatabaseAuthentication": False}),
        ({"MaxAllocatedStorage": 2000}, {"SupportsStorageAutoscaling": False}),
        ({"MultiAZ": True}, {"MultiAZCapable": False}),
        ({"AllocatedStorage": 20000}, {"MaxStorageSize": 16384}),
        ({"Iops": 80000}, {"MaxIopsPerDbInstance": 64000}),
        ({"StorageType": "io2"}, {"StorageType": "gp3"}),
        ({"LicenseModel": "license-included"}, {"LicenseModel": "bring-your-own-license"}),
    ],
)
def test_a_class_that_does_not_go_with_what_the_instance_has_is_refused(
    has: dict[str, Any], offers: dict[str, Any]
) -> None:
    """RDS refuses such a combination once it is approved; an instance without it, or a class with it, is planned."""
    world = resize()
    rds_of(world).primary.update({"MultiAZ": False} | has)
    rds_of(world).offers = offers
    with pytest.raises(RuleError, match=f"does not go with what the instance has \\({next(iter(has))}\\)"):
        planned(world)
    rds_of(world).offers = {}
    assert planned(world)


def test_of_several_options_one_that_fits_is_enough() -> None:
    """A class is listed once for each storage type and licence."""
    world = resize()
    rds_of(world).primary["StorageType"] = "gp3"
    rds_of(world).several = [{"StorageType": "standard"}, {"StorageType": "gp3"}]
    assert planned(world)


def test_where_aws_lists_no_class_the_plan_says_so() -> None:
    """No list is no refusal; whoever approves knows that nothing was checked."""
    world = resize()
    rds_of(world).classes = []
    assert "could not be checked" in planned(world).impact


def test_resizing_brings_what_is_pending() -> None:
    """ApplyImmediately flushes every pending change: the plan names them, without their values."""
    world = resize()
    rds_of(world).primary["PendingModifiedValues"] = {"MasterUserPassword": "hunter2", "AllocatedStorage": 900}
    plan = planned(world)
    assert "AllocatedStorage, MasterUserPassword" in plan.impact
    assert "hunter2" not in plan.model_dump_json()
    assert plan.approval_class is ApprovalClass.A3


def test_a_class_that_waits_for_its_window_is_not_done() -> None:
    """It was pending before the plan, so the change has still to bring it in; once it is being applied, it is."""
    world = resize()
    rds_of(world).primary["PendingModifiedValues"] = {"DBInstanceClass": "db.r6g.2xlarge"}
    plan = planned(world)
    assert world.change.read(world.scope, plan) == plan.before
    rds_of(world).primary["DBInstanceStatus"] = "modifying"
    assert world.change.read(world.scope, plan) == plan.after
    assert not world.change.verify(world.scope, plan).done
    rds_of(world).settle()
    assert world.change.verify(world.scope, plan).done


@pytest.mark.parametrize("make", [resize, insights])
@pytest.mark.parametrize(
    ("status", "instead"), [("storage-optimization", "wait for it"), ("storage-full", "raise its allocated storage")]
)
def test_what_is_busy_is_not_modified(make: Any, status: str, instead: str) -> None:
    """RDS modifies only what is available: refused before anybody is asked, with what helps."""
    world = make()
    rds_of(world).primary["DBInstanceStatus"] = status
    with pytest.raises(RuleError, match=f"is {status}.*{instead}"):
        planned(world)


@pytest.mark.parametrize("make", [resize, insights])
def test_a_member_of_a_cluster_is_not_modified_by_itself(make: Any) -> None:
    """Whether the environment names the member or its cluster."""
    world = make()
    rds_of(world).join()
    rds_of(world).primary["DBClusterIdentifier"] = CLUSTER
    with pytest.raises(RuleError, match="is a member of cluster axis-cluster"):
        planned(world)
    world.scope = scope(environment=of_cluster())
    with pytest.raises(RuleError, match="is a member of cluster axis-cluster"):
        planned(world)


def test_a_class_without_insights_is_refused() -> None:
    """AWS tells of each class it offers whether it has them; where it lists none, nothing is known."""
    world = insights()
    rds_of(world).insights = False
    with pytest.raises(RuleError, match="has no Performance Insights"):
        planned(world)
    rds_of(world).classes = []
    assert planned(world)


def test_a_replica_of_another_regions_primary_is_none_of_this_one() -> None:
    """RDS names the source by its ARN where that is in another region, and there may be one of the same name."""
    world = promote()
    for region in ("us-east-1", REGION):
        arn = f"arn:aws:rds:{region}:{ACCOUNT}:db:{PRIMARY}"
        rds_of(world).replica["ReadReplicaSourceDBInstanceIdentifier"] = arn
        with pytest.raises(RuleError, match="us-east-1") if region != REGION else nullcontext():
            planned(world)


def test_a_restart_says_how_large_the_pools_may_be() -> None:
    """Three tasks share 80 % of 100 connections; a larger pool makes exhaustion worse."""
    assert "at most 26 connections each" in planned(restart()).impact


def test_a_newer_deployment_of_another_revision_is_no_restart() -> None:
    """Before ours it is told apart; after ours the verification ends instead of waiting for ever."""
    world = restart()
    plan = planned(world)
    world.meddle()
    now = world.change.read(world.scope, plan)
    assert (now["deployment"], now["task_definition"]) == (plan.after["deployment"], revision(7))
    assert now not in (plan.before, plan.after)
    seen = world.change.verify(world.scope, plan)
    assert (seen.done, seen.failed) == (False, True)


def test_an_older_deployment_is_not_taken_for_a_newer_one() -> None:
    """Only what began after the planned deployment is newer than it."""
    world = restart()
    plan = planned(world)
    late = plan.model_copy(update={"context": plan.context | {"since": datetime(2030, 1, 1, tzinfo=UTC).isoformat()}})
    world.change.act(world.scope, plan)
    assert world.change.read(world.scope, plan) == plan.after
    assert world.change.read(world.scope, late) != plan.after
