"""A promoted replica is made a replica again: all comes back as it was, and nothing else is ever deleted."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws
from moto.rds.models import rds_backends
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.changes.runner import ChangeRunner
from domain.config.approval import ApprovalClass
from domain.values.errors import ErrorKind
from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_worlds import PARAMETER
from tests.activities.fake_ecs import FakeEcs
from tests.activities.fake_rds import PRIMARY, REPLICA
from tests.activities.renewal_refusals import locked, managed
from tests.activities.renewal_worlds import ASIDE, in_production, instance, own_parameters, promote, rehearsed, renew
from tests.activities.scopes import ACCOUNT, REGION
from tests.activities.test_change_catalogue import planned
from tests.activities.trial import Trial
from tests.activities.world import WIRE


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def described(world: ChangeWorld, name: str = REPLICA) -> dict[str, Any]:
    """What RDS shows, but for the time that moves by itself."""
    rds: Any = world.clients.inner.client("rds")
    (shown,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return {field: value for field, value in shown.items() if field != "LatestRestorableTime"}


def names() -> list[str]:
    return sorted(rds_backends[ACCOUNT][REGION].databases)


def not_yet(doing: Callable[[], Any]) -> str:
    with pytest.raises(ApplicationError) as waiting:
        doing()
    assert waiting.value.type == ErrorKind.NOT_YET.value
    return str(waiting.value)


def refused(doing: Callable[[], Any]) -> str:
    with pytest.raises(ApplicationError) as final:
        doing()
    assert (final.value.type, final.value.non_retryable) == (ErrorKind.REFUSED.value, True)
    return str(final.value)


def renewed(trial: Trial) -> str:
    """Carry it out to its end; says what was seen."""
    assert not trial.apply().refused
    trial.world.settle()
    return str(trial.verify().message)


def test_all_is_as_before_the_rehearsal() -> None:
    """Rules, address, the primary to its last field, and a replica that is like the one before in all but its id."""
    world, ecs = rehearsed(FakeEcs())
    before, primary, replica = world.snapshot(), described(world, PRIMARY), described(world)
    promote(world)
    ecs.settle()
    told = renewed(Trial(world))
    rules, reads, _, _, shown = world.snapshot()
    assert (rules, reads, shown) == (before[0], before[1], before[4])
    assert described(world, PRIMARY) == primary
    made = described(world)
    own = {"DbiResourceId", "InstanceCreateTime"}
    assert {name for name, value in made.items() if replica.get(name) != value} <= own
    assert made["DbiResourceId"] != replica["DbiResourceId"]
    assert f"{REPLICA} replicates {PRIMARY}" in told


def test_who_approves_reads_what_is_lost_and_how_long_the_promotion_took() -> None:
    """From its intent to when it was verified, as both are on record; the sign-off reads it again at the end."""
    trial = Trial(renew())
    plan, took = trial.call.plan, "took 4m: recovery time (target 4h)"
    assert (
        "Everything that was written to replica since it was promoted on 23 Nov 03:30 UTC is THROWN AWAY" in plan.impact
    )
    assert took in plan.impact
    assert (plan.approval_class, plan.reversible, plan.takes_long) == (ApprovalClass.A3, False, True)
    assert took in renewed(trial)


def test_a_promotion_that_took_too_long_is_told() -> None:
    world = renew()
    world.params |= {"time": "3m"}
    assert "took 4m: recovery time (target 3m, MISSED)" in renewed(Trial(world))


def test_nothing_goes_before_what_must_come_first() -> None:
    """Clients can reach the primary before they are led there, and all is there before anything is deleted."""
    trial = Trial(renew())
    trial.apply()
    assert trial.world.clients.writes == [
        "ec2.authorize_security_group_ingress",
        "ssm.put_parameter",
        "ecs.update_service",
        "rds.modify_db_instance",
        "rds.add_tags_to_resource",
        "rds.create_db_instance_read_replica",
    ]
    assert "1 targets" not in not_yet(trial.verify)  # the application has not started anew
    assert names() == [PRIMARY, REPLICA, ASIDE]
    trial.world.settle()
    trial.verify()
    assert trial.world.clients.writes[6:] == ["rds.delete_db_instance"]
    assert names() == [PRIMARY, REPLICA]


def test_production_is_refused_in_the_plan_and_when_it_is_carried_out() -> None:
    """There a promotion is no rehearsal: what was written since is all that there is."""
    world = renew()
    trial = Trial(world)
    there = in_production(world)
    trial.call = trial.call.model_copy(update={"scope": there})
    assert "this worker serves staging alone" in refused(trial.apply)
    world.scope = there
    assert "is production" in refused(lambda: Trial(world))
    assert trial.effects == 0


def test_without_a_promotion_of_ours_nothing_is_known() -> None:
    """Somebody else promoted it: which rules were closed for that, nobody here knows."""
    world, _ = rehearsed(FakeEcs())
    world.clients.inner.client("rds").promote_read_replica(DBInstanceIdentifier=REPLICA)
    assert "no promotion of axis-db-replica by us is on record" in refused(lambda: Trial(world))


def test_what_was_never_promoted_needs_nothing() -> None:
    world, _ = rehearsed(FakeEcs())
    assert Trial(world).call.plan.changes_nothing


def test_renewed_once_it_needs_nothing_more() -> None:
    """Nor does an earlier promotion count for one that somebody else makes after that."""
    world = renew()
    renewed(Trial(world))
    assert planned(ChangeRunner(world.clients), world, generation=2).plan.changes_nothing
    world.clients.inner.client("rds").promote_read_replica(DBInstanceIdentifier=REPLICA)
    with pytest.raises(RuleError, match="on record since it was last made"):
        planned(ChangeRunner(world.clients), world, generation=3)


def test_its_own_parameters_come_back_with_a_reboot() -> None:
    """RDS makes a replica with its primary's group; another is in force only once it has restarted."""
    trial = Trial(renew(tell=own_parameters))
    trial.apply()
    trial.world.settle()
    for _ in range(2):
        assert "takes on its parameter group replica" in not_yet(trial.verify)
    trial.verify()
    (group,) = described(trial.world)["DBParameterGroups"]
    assert group == {"DBParameterGroupName": "replica", "ParameterApplyStatus": "in-sync"}
    assert trial.world.clients.writes[6:] == [
        "rds.modify_db_instance",
        "rds.reboot_db_instance",
        "rds.delete_db_instance",
    ]


def test_a_managed_password_is_refused_before_anything_is_done() -> None:
    """RDS makes no replica of a primary whose password Secrets Manager keeps, though one may have been made before."""
    world = managed()
    assert "Secrets Manager keeps the password of primary" in refused(lambda: Trial(world))


@pytest.mark.parametrize("denied", [True, False])
def test_a_key_that_could_not_be_used_is_refused_before_anything_is_done(denied: bool) -> None:
    """It is switched off, or the role may neither look at it nor make a grant of it."""
    world = renew() if denied else locked()
    code = "AccessDeniedException" if denied else None
    with WIRE.listening(lambda sent: code if sent.operation == "DescribeKey" else None):
        assert ("may not use key" if denied else "is Disabled") in refused(lambda: Trial(world))


def test_a_busy_primary_is_waited_for_once_it_is_approved() -> None:
    """Its nightly backup began meanwhile: RDS replicates only what is available."""
    trial = Trial(renew())
    instance(PRIMARY).status = "backing-up"
    assert "nothing is done before that has passed" in not_yet(trial.apply)
    assert trial.effects == 0
    instance(PRIMARY).status = "available"
    renewed(trial)


def test_a_rule_that_somebody_let_in_meanwhile_stays() -> None:
    world = renew()
    ec2, group = world.clients.inner.client("ec2"), world.scope.environment.security_groups["database"]
    pair = {"GroupId": world.scope.environment.security_groups["backend"], "Description": "by hand"}
    theirs = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [pair]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[theirs])
    renewed(Trial(world))
    rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    assert [one["UserIdGroupPairs"][0]["Description"] for one in rules if one["FromPort"] == 5432] == ["by hand"]


def test_the_application_reads_the_primary_again() -> None:
    trial = Trial(renew())
    renewed(trial)
    read = trial.world.clients.inner.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"]
    assert read == described(trial.world, PRIMARY)["Endpoint"]["Address"]
