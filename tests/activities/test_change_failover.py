from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.changes.runner import ChangeRunner
from domain.model.calls import ApplyCall
from domain.model.plan import Plan
from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_worlds import cluster_failover, failover
from tests.activities.fake_rds import CLUSTER, FAR_READER, READER, WRITER, FakeRds
from tests.activities.scopes import NOW, scope
from tests.activities.test_change_catalogue import planned as asked
from tests.activities.variant_worlds import member_failover, of_member
from tests.activities.world import WIRE, LostError

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def planned(world: ChangeWorld) -> Plan:
    return world.change.plan(world.scope, world.change.params.model_validate(world.params))


def rds_of(world: ChangeWorld) -> FakeRds:
    fake: FakeRds = world.clients.instead["rds"]
    return fake


def lost(world: ChangeWorld, when: Any) -> tuple[ChangeRunner, ApplyCall]:
    """A failover whose first request, or its answer, got lost."""
    runner = ChangeRunner(world.clients)
    call = asked(runner, world)
    world.clients.lose, world.clients.when = 0, when
    with pytest.raises(LostError):
        runner.apply(world.change, call, NOW)
    return runner, call


def test_no_failover_without_a_standby() -> None:
    """A single zone, or a standby that RDS does not name, cannot be failed over to."""
    world = failover()
    del rds_of(world).primary["SecondaryAvailabilityZone"]
    with pytest.raises(RuleError, match="which zone"):
        planned(world)
    rds_of(world).primary["MultiAZ"] = False
    with pytest.raises(RuleError, match="not Multi-AZ"):
        planned(world)


@pytest.mark.parametrize(
    ("status", "instead"),
    [
        ("failed", "promote a replica"),
        ("rebooting", "wait for it"),
        ("modifying", "wait for it"),
        ("stopped", "start it"),
        ("storage-full", "raise its allocated storage"),
        ("storage-optimization", "wait for it"),
    ],
)
def test_rds_fails_over_only_what_is_available(status: str, instead: str) -> None:
    """What RDS would refuse once approved is refused before anybody is asked, with what helps instead."""
    world = failover()
    rds_of(world).primary["DBInstanceStatus"] = status
    with pytest.raises(RuleError, match=f"is {status}.*{instead}"):
        planned(world)


def test_a_failover_under_way_is_waited_for() -> None:
    """While the instance reboots RDS refuses another one, which is retried, and nothing is done yet."""
    world = failover()
    plan = planned(world)
    rds_of(world).primary["DBInstanceStatus"] = "rebooting"
    assert world.change.read(world.scope, plan) == plan.before
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        world.change.act(world.scope, plan)
    assert not world.change.verify(world.scope, plan).done


def test_a_failover_tells_what_it_brings_with_it() -> None:
    """Names of pending changes, never their values."""
    world = failover()
    rds_of(world).primary["PendingModifiedValues"] = {"MasterUserPassword": "hunter2"}
    groups = [{"DBParameterGroupName": "axis-pg16", "ParameterApplyStatus": "pending-reboot"}]
    rds_of(world).primary["DBParameterGroups"] = groups
    plan = planned(world)
    assert "axis-pg16: pending-reboot" in plan.impact
    assert "MasterUserPassword" in plan.impact
    assert "hunter2" not in plan.model_dump_json()


def test_a_lost_answer_sends_no_second_failover_though_the_old_zone_is_shown() -> None:
    """It took place: its event says so while RDS still shows the zone from before. A second one would undo it."""
    world = failover()
    runner, call = lost(world, "unanswered")
    for minutes in (0, 1, 5):
        applied = runner.apply(world.change, call, NOW + minutes * MINUTE)
        assert (applied.outcome, world.change.read(world.scope, call.plan)) == ("applied", call.plan.before)
    assert world.clients.writes == ["rds.reboot_db_instance"]
    assert not world.change.verify(world.scope, call.plan).done
    world.settle()
    assert world.change.verify(world.scope, call.plan).done


@pytest.mark.parametrize("when", ["unsent", "unanswered"])
def test_nothing_is_sent_again_before_news_can_have_come(when: str) -> None:
    """Events come late or not at all: until the time for them is over it is waited, whichever of the two was lost."""
    world = failover()
    rds_of(world).silent = True
    runner, call = lost(world, when)
    for minutes in (0, 1, 2):
        with pytest.raises(ApplicationError) as waiting:
            runner.apply(world.change, call, NOW + minutes * MINUTE)
        assert (waiting.value.type, waiting.value.non_retryable) == ("NotYet", False)
    assert world.clients.writes == ["rds.reboot_db_instance"]


def test_after_a_failover_of_its_own_rds_is_left_alone() -> None:
    """It may show the zone from before, and declines another: refused in a plan, an undo's too, or once it came."""
    world = failover()
    plan = planned(world)
    rds_of(world).happened("Multi-AZ instance failover completed", "failover", ago=9 * MINUTE)
    for ask in (
        lambda: planned(world),
        lambda: world.change.refuse_undo(world.scope, plan.reversed()),
        lambda: world.change.act(world.scope, plan),
    ):
        with pytest.raises(RuleError, match="look again 10 minutes later"):
            ask()
    rds_of(world).settle()
    world.change.act(world.scope, plan)
    assert world.clients.writes == ["rds.reboot_db_instance"]


def test_a_failover_that_rds_declines_has_failed() -> None:
    """RDS answers as if it went, and records that it did not: that is told instead of waited for."""
    world = failover()
    rds_of(world).declines = True
    plan = planned(world)
    world.change.act(world.scope, plan)
    seen = world.change.verify(world.scope, plan)
    assert (seen.done, seen.failed, "declined" in seen.message) == (False, True, True)


def test_a_cluster_is_failed_over_as_a_cluster() -> None:
    """RDS reboots no member with failover: the reader in another zone takes over, by FailoverDBCluster."""
    world = cluster_failover()
    with WIRE.listening() as sent:
        plan = planned(world)
    # instances that are listed are authorized as all there are, `db:*`, which no policy of ours allows
    assert all("DBInstanceIdentifier" in one.asked for one in sent if one.operation == "DescribeDBInstances")
    assert (plan.before, plan.after) == ({"writer": WRITER}, {"writer": FAR_READER})
    assert plan.target.endswith(f":cluster:{CLUSTER}")
    world.change.act(world.scope, plan)
    assert world.clients.writes == ["rds.failover_db_cluster"]
    assert not world.change.verify(world.scope, plan).done
    world.settle()
    assert world.change.verify(world.scope, plan).done


def test_a_member_is_failed_over_with_its_cluster_where_the_file_names_that() -> None:
    """Named as an instance, it is one of a cluster all the same, to which no role may do anything otherwise."""
    world = member_failover(named=True)
    assert planned(world).after == {"writer": FAR_READER}
    world.scope = scope(environment=of_member(WRITER, None))
    refused = pytest.raises(RuleError, match=f"primary is a member of cluster {CLUSTER}: name that")
    with WIRE.listening() as sent, refused:
        planned(world)
    assert [one.asked.get("DBInstanceIdentifier") for one in sent] == [WRITER, None]  # no other member is read


def test_a_reader_that_is_not_available_is_passed_over() -> None:
    """In the same zone rather than not at all; and where none is, the plan says so."""
    world = cluster_failover()
    rds_of(world).instances[FAR_READER]["DBInstanceStatus"] = "rebooting"
    assert planned(world).after == {"writer": READER}
    rds_of(world).instances[READER]["DBInstanceStatus"] = "storage-full"
    with pytest.raises(RuleError, match="no reader that is available"):
        planned(world)


def test_a_cluster_of_mysql_takes_no_target() -> None:
    """A plan could not say where it goes, so it is refused."""
    with pytest.raises(RuleError, match="MySQL"):
        planned(cluster_failover("mysql"))


def test_a_cluster_that_fails_over_already_is_left_alone() -> None:
    """RDS fails over no cluster that is busy, though its writer is available."""
    world = cluster_failover("aurora-postgresql")
    fake = rds_of(world)
    assert fake.cluster is not None
    fake.cluster["Status"] = "failing-over"
    with pytest.raises(RuleError, match="failing-over"):
        planned(world)


def test_a_lost_answer_of_a_cluster_is_looked_up_too() -> None:
    """Its event is that of the cluster."""
    world = cluster_failover()
    runner, call = lost(world, "unanswered")
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    assert world.clients.writes == ["rds.failover_db_cluster"]


def test_a_cluster_without_a_writer_has_not_failed_over_yet() -> None:
    """Between two writers RDS may name none: it is waited for, not taken for somebody else's doing."""
    world = cluster_failover()
    runner, call = lost(world, "unanswered")
    fake = rds_of(world)
    assert fake.cluster is not None
    for member in fake.cluster["DBClusterMembers"]:
        member["IsClusterWriter"] = False
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    assert not world.change.verify(world.scope, call.plan).done
