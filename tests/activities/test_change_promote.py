from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.changes.runner import ChangeRunner
from domain.config.approval import ApprovalClass
from domain.model.plan import Plan
from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_worlds import PARAMETER, metric, promote
from tests.activities.fake_rds import PRIMARY, REPLICA, FakeRds, address, snapshot
from tests.activities.scopes import NOW
from tests.activities.test_change_catalogue import planned as asked
from tests.activities.trial import Trial
from tests.activities.world import WIRE


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield promote()


@pytest.fixture
def rds(world: ChangeWorld) -> FakeRds:
    fake: FakeRds = world.clients.instead["rds"]
    return fake


def planned(world: ChangeWorld, **params: Any) -> Plan:
    return world.change.plan(world.scope, world.change.params.model_validate(world.params | params))


def fence_rules(plan: Plan) -> list[str]:
    return [name for name in plan.before if name.startswith("ingress ")]


def test_the_plan_holds_all_that_changes(world: ChangeWorld) -> None:
    """The one rule that reaches PostgreSQL with its whole content, the role, the address, and the deployment."""
    plan = planned(world)
    (rule,) = fence_rules(plan)
    permission = plan.before[rule]["permission"]
    assert (permission["FromPort"], permission["ToPort"]) == (5432, 5432)
    assert permission["UserIdGroupPairs"][0]["GroupId"] == world.scope.environment.security_groups["backend"]
    assert plan.after[rule] is None
    assert (plan.before["role"], plan.after["role"]) == (f"replica of {PRIMARY}", "primary")
    assert (plan.before["application_reads"], plan.after["application_reads"]) == (address(PRIMARY), address(REPLICA))
    assert plan.after["deployment"] == f"newer than {plan.before['deployment']}"
    assert (plan.approval_class, plan.reversible) == (ApprovalClass.A3, False)
    assert [lock.split(":", 5)[2] for lock in plan.locks] == ["ec2", "ecs", "rds", "rds", "ssm"]
    assert plan.context["retention_days"] == 14


def test_those_who_approve_are_told_what_is_lost_and_missing(world: ChangeWorld, rds: FakeRds) -> None:
    """The lag and its time, the last snapshot and why there is none now, and what must be rebuilt."""
    others = [snapshot(status, NOW) | {"Status": status} for status in ("failed", "creating")]
    rds.snapshots = [snapshot("nightly"), *others]
    impact = planned(world).impact
    for words in ("4 s behind at 23 Nov 03:16", "No snapshot", "nightly", "axis-db-reports", "Multi-AZ", "14 days"):
        assert words in impact
    assert "counts the time (784 s at 23 Nov 03:29 UTC), not what is lost" in impact
    rds.snapshots = []
    assert "no earlier one" in planned(world).impact


@pytest.mark.parametrize(
    ("status", "instead"),
    [
        ("available", "fail over"),
        ("backing-up", "fail over"),
        ("rebooting", "wait"),
        ("stopped", "start it"),
        ("storage-full", "raise its allocated storage"),
        ("incompatible-parameters", "put its parameter group back"),
        ("inaccessible-encryption-credentials-recoverable", "enable its KMS key"),
    ],
)
def test_a_living_primary_is_left_in_its_place(world: ChangeWorld, rds: FakeRds, status: str, instead: str) -> None:
    """Two primaries would take writes; the refusal says what to do instead."""
    rds.primary["DBInstanceStatus"] = status
    with pytest.raises(RuleError, match=instead):
        planned(world)


def test_a_full_pool_is_no_reason_to_promote(world: ChangeWorld, rds: FakeRds) -> None:
    """The connections are used up while the database is well: restarting helps, promoting does not."""
    rds.primary["DBInstanceStatus"] = "available"
    metric("DatabaseConnections", PRIMARY, 97, world.clients)
    with pytest.raises(RuleError, match=r"used up \(97 of 100\).*Restart the application"):
        planned(world)


@pytest.mark.parametrize("behind", [None, -1])
def test_an_unknown_lag_is_refused(behind: float | None) -> None:
    """Nobody can accept a loss that nobody knows: no data, or a replica that does not replicate."""
    with mock_aws(), pytest.raises(RuleError, match="what would be lost is unknown"):
        planned(promote(behind))


@pytest.mark.parametrize("status", ["backing-up", "modifying", "rebooting"])
def test_a_busy_replica_is_waited_for(world: ChangeWorld, rds: FakeRds, status: str) -> None:
    """RDS promotes no replica that is backing up."""
    rds.replica["DBInstanceStatus"] = status
    with pytest.raises(RuleError, match=f"is {status}.*wait for it"):
        planned(world)


@pytest.mark.parametrize("promoted", [False, True])
def test_a_replica_that_will_not_serve_is_refused(world: ChangeWorld, rds: FakeRds, promoted: bool) -> None:
    """Waiting for it would not help, and a primary is not fenced for it; nor once it is promoted already."""
    if promoted:
        del rds.replica["ReadReplicaSourceDBInstanceIdentifier"]
    for status, remedy in {"storage-full": "raise its allocated storage", "failed": "take another"}.items():
        rds.replica["DBInstanceStatus"] = status
        with pytest.raises(RuleError, match=f"is {status}.*{remedy}"):
            planned(world)


def test_a_fence_that_does_not_hold_is_refused(world: ChangeWorld, rds: FakeRds) -> None:
    """The group must be the primary's only one, and must not be the replica's."""
    (group,) = rds.primary["VpcSecurityGroups"]
    rds.replica["VpcSecurityGroups"] = [group]
    with pytest.raises(RuleError, match="cut off the other"):
        planned(world)
    rds.replica["VpcSecurityGroups"] = []
    rds.primary["VpcSecurityGroups"] = [group, {"VpcSecurityGroupId": "sg-0other"}]
    with pytest.raises(RuleError, match="sg-0other"):
        planned(world)
    rds.primary["VpcSecurityGroups"] = []
    with pytest.raises(RuleError, match="not behind"):
        planned(world)


def test_an_application_that_reads_something_else_is_refused(world: ChangeWorld) -> None:
    """A parameter that leads to neither database is not ours to overwrite; nor is an encrypted one."""
    ssm = world.clients.inner.client("ssm")
    ssm.put_parameter(Name=PARAMETER, Value="elsewhere.example", Overwrite=True)
    with pytest.raises(RuleError, match="neither"):
        planned(world)
    ssm.delete_parameter(Name=PARAMETER)
    ssm.put_parameter(Name=PARAMETER, Value=address(PRIMARY), Type="SecureString")
    with pytest.raises(RuleError, match="SecureString"):
        planned(world)


def test_backups_of_less_than_a_week_are_refused(world: ChangeWorld) -> None:
    """RDS would keep those of a promoted instance for one day."""
    with pytest.raises(ValidationError, match="backup_retention_days"):
        planned(world, backup_retention_days=1)


def test_the_old_primary_is_fenced_before_anything_else(world: ChangeWorld) -> None:
    """First the fence, then the promotion, then the address, then the restart."""
    world.change.act(world.scope, planned(world))
    assert world.clients.writes == [
        "ec2.revoke_security_group_ingress",
        "rds.promote_read_replica",
        "ssm.put_parameter",
        "ecs.update_service",
    ]


def test_the_application_is_led_over_only_once_the_replica_takes_writes(world: ChangeWorld, rds: FakeRds) -> None:
    """While RDS promotes the change asks again, neither leading over nor promoting twice."""
    rds.quick = False
    plan = planned(world)
    for _ in range(3):
        with pytest.raises(ApplicationError) as not_yet:
            world.change.act(world.scope, plan)
        assert (not_yet.value.type, not_yet.value.non_retryable) == ("NotYet", False)
    assert world.clients.writes == ["ec2.revoke_security_group_ingress", "rds.promote_read_replica"]
    rds.settle()
    world.change.act(world.scope, plan)
    assert world.clients.writes[2:] == ["ssm.put_parameter", "ecs.update_service"]
    world.settle()
    seen = world.change.verify(world.scope, plan)
    assert (seen.done, "with backups of 14 days" in seen.message) == (True, True)


def test_a_primary_that_comes_back_behind_the_fence_is_replaced_all_the_same(world: ChangeWorld, rds: FakeRds) -> None:
    """It is looked at again before the fence closes, and no more once it has: half a promotion helps nobody."""
    trial = Trial(world)
    rds.quick = False
    with pytest.raises(ApplicationError, match="is being promoted"):
        trial.apply()
    rds.primary["DBInstanceStatus"] = "available"
    rds.settle()
    trial.apply()
    assert trial.is_as_planned


def test_a_replica_that_is_busy_by_now_is_waited_for_before_the_fence(world: ChangeWorld, rds: FakeRds) -> None:
    """Only once it can be promoted is the primary cut off."""
    trial = Trial(world)
    rds.replica["DBInstanceStatus"] = "backing-up"
    with pytest.raises(ApplicationError, match="backing-up: nothing is done before") as waiting:
        trial.apply()
    assert (waiting.value.type, waiting.value.non_retryable, trial.effects) == ("NotYet", False, 0)
    rds.replica["DBInstanceStatus"] = "available"
    trial.apply()
    assert trial.is_as_planned


def test_a_replica_that_fails_behind_the_fence_is_told_at_once(world: ChangeWorld, rds: FakeRds) -> None:
    """Nobody waits for what does not come: the database is cut off, and people must hear that."""
    trial = Trial(world)
    rds.quick = False
    with pytest.raises(ApplicationError, match="is being promoted"):
        trial.apply()
    rds.replica["DBInstanceStatus"] = "failed"
    assert set(trial.apply().refused) == {"role", "application_reads", "deployment"}


def test_a_finished_promotion_needs_nothing(world: ChangeWorld) -> None:
    """Asked for again, there is nothing to do: not even another restart."""
    world.change.act(world.scope, planned(world))
    assert planned(world).changes_nothing


def test_a_missing_instance_is_an_error(world: ChangeWorld, rds: FakeRds) -> None:
    """RDS's own answer passes through, to be given its kind in one place."""
    del rds.instances[REPLICA]
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        planned(world)


def test_a_primary_that_rds_shows_as_available_may_be_lost(world: ChangeWorld, rds: FakeRds) -> None:
    """A zone is out and RDS says nothing of it: who asks says how that is known, and all who approve read it."""
    rds.primary["DBInstanceStatus"] = "available"
    metric("DatabaseConnections", PRIMARY, 97, world.clients)
    with pytest.raises(ValidationError, match="primary_is_lost"):
        planned(world, primary_is_lost="yes")
    reason = "AWS Health reports the zone a as out since 03:16"
    plan = planned(world, primary_is_lost=reason)
    assert reason in plan.impact
    assert "said to be lost" in plan.impact
    world.change.act(world.scope, plan)
    assert world.change.read(world.scope, plan) == plan.after


def test_an_unknown_loss_can_be_accepted_for_a_primary_that_is_lost() -> None:
    """Without figures nobody can say what is lost; whoever says that the primary is gone may promote all the same."""
    with mock_aws():
        assert "what would be lost is unknown" in planned(promote(None), primary_is_lost="the region's console").impact


def test_the_longer_retention_is_kept(world: ChangeWorld, rds: FakeRds) -> None:
    """35 days of backups do not become 7: RDS would keep those of the promoted instance for as long as it is told."""
    rds.primary["BackupRetentionPeriod"] = 35
    world.change.act(world.scope, planned(world))
    assert rds.replica["BackupRetentionPeriod"] == 35


def test_a_parameter_that_takes_no_such_value_is_refused_before_the_promotion(world: ChangeWorld) -> None:
    """A pattern that the new address does not match, and a hundredth version that a label holds."""
    ssm = world.clients.inner.client("ssm")
    ssm.put_parameter(Name=PARAMETER, Value=address(PRIMARY), Overwrite=True, AllowedPattern=f"^{PRIMARY}[.].*$")
    with pytest.raises(RuleError, match="takes only what matches"):
        planned(world)
    ssm.delete_parameter(Name=PARAMETER)
    ssm.put_parameter(Name=PARAMETER, Value=address(PRIMARY), Type="String")
    ssm.label_parameter_version(Name=PARAMETER, ParameterVersion=1, Labels=["first"])
    for _ in range(99):
        ssm.put_parameter(Name=PARAMETER, Value=address(PRIMARY), Overwrite=True)
    with pytest.raises(RuleError, match="has the label first"):
        planned(world)


def test_a_cluster_is_not_replaced_by_a_replica(world: ChangeWorld, rds: FakeRds) -> None:
    """It fails over to its own readers; and RDS promotes no member by itself."""
    rds.primary["DBClusterIdentifier"] = "axis-cluster"
    with pytest.raises(RuleError, match="ask for a failover"):
        planned(world)
    del rds.primary["DBClusterIdentifier"]
    rds.replica["DBClusterIdentifier"] = "axis-cluster"
    with pytest.raises(RuleError, match="fail the cluster over"):
        planned(world)


@pytest.mark.parametrize(
    ("operation", "missing"),
    [("PutParameter", {"application_reads", "deployment"}), ("UpdateService", {"deployment"})],
)
def test_a_promotion_that_leaves_the_application_behind_says_so(
    world: ChangeWorld, operation: str, missing: set[str]
) -> None:
    """It cannot be taken back: what was refused after it is named, for somebody to do by hand."""
    runner = ChangeRunner(world.clients)
    call = asked(runner, world)
    with WIRE.listening(lambda sent: "AccessDeniedException" if sent.operation == operation else None):
        applied = runner.apply(world.change, call, NOW)
    assert (applied.outcome, set(applied.refused)) == ("applied", missing)
    seen = world.change.verify(world.scope, call.plan.without(applied.refused))
    assert seen.done
    assert "restarted by hand" in seen.message
