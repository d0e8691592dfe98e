"""What was left as bad, by whomever, is no place to go back to; what was brought back already is left there."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.action import RuleError
from activities.aws.ecs.ecs_recent_deployments import RecentDeployments, RecentDeploymentsParams
from activities.changes.runner import ChangeRunner
from domain.model.activity_io import Applied
from domain.model.calls import ApplyCall, ReleaseCall, VerifyCall
from domain.model.finding import Finding
from domain.model.plan import Plan
from tests.activities.change_worlds import ChangeWorld, rollback
from tests.activities.fake_ecs import FakeEcs, revision
from tests.activities.scopes import NOW
from tests.activities.test_change_catalogue import planned, verified
from tests.activities.world import WIRE


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield rollback()


@pytest.fixture
def ecs(world: ChangeWorld) -> FakeEcs:
    fake: FakeEcs = world.clients.instead["ecs"]
    return fake


@pytest.fixture
def runner(world: ChangeWorld) -> ChangeRunner:
    return ChangeRunner(world.clients)


def applied(runner: ChangeRunner, world: ChangeWorld, generation: int = 1, undo: Plan | None = None) -> ApplyCall:
    call = planned(runner, world, generation, undo)
    assert runner.apply(world.change, call, NOW + timedelta(hours=generation - 1)) == Applied(outcome="applied")
    verified(runner, world, call)
    return call


def another(world: ChangeWorld) -> ChangeWorld:
    """The same account, in another incident."""
    world.scope = world.scope.model_copy(update={"incident": "inc-another"})
    return world


def to(runner: ChangeRunner, world: ChangeWorld, generation: int = 2) -> str:
    """Where a rollback that is asked for now would lead."""
    plan = planned(runner, world, generation).plan
    return "nowhere" if plan.changes_nothing else str(plan.after["task_definition"]).rsplit(":", 1)[-1]


def look(world: ChangeWorld, later: timedelta = timedelta(0)) -> Finding:
    """What the probe of recent deployments finds for an incident declared that much later."""
    probe = RecentDeployments(world.clients)
    scope = world.scope.model_copy(update={"declared_at": world.scope.declared_at + later})
    return probe.observe(scope, RecentDeploymentsParams(service="backend"), NOW + later)


def test_asked_for_twice_it_is_done_already(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """A second rollback never goes forward to what the first one left, in this incident or in another."""
    applied(runner, world)
    assert ecs.primary == revision(3)
    again = planned(runner, world, 2)
    assert again.plan.changes_nothing
    assert world.scope.incident in again.plan.summary
    assert to(runner, another(world)) == "nowhere"
    assert ecs.primary == revision(3)


def test_what_any_incident_of_ours_left_stays_left(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """Our ledger remembers what ECS no longer lists; the next bad deployment goes back past it, and says so."""
    applied(runner, world)
    del ecs.deployments[-1]
    ecs.deploy(6)
    assert to(runner, another(world)) == "3"
    assert "axis-backend:5 (left by inc-20261123-7f3k)" in planned(runner, world, 2).plan.impact


@pytest.mark.parametrize("status", ["ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED"])
def test_what_ecs_took_back_is_passed_over(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs, status: str) -> None:
    """A circuit breaker or an alarm has judged it, though the same revision succeeded in an earlier deployment."""
    ecs.deployments[2].update(status="SUCCESSFUL", target=revision(2))
    ecs.deployments[1].update(status=status, target=revision(2))
    assert to(runner, world) == ("2" if status == "STOPPED" else "1")


def test_what_somebody_went_back_from_is_passed_over(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """By hand as well: 5 was left for 3, so it is never gone forward to, neither from 3 nor from 6."""
    ecs.deploy(3)
    assert to(runner, world) == "2"
    assert "axis-backend:5 (left for an earlier one)" in planned(runner, world, 2).plan.impact
    ecs.deploy(6)
    assert to(runner, world) == "3"


@pytest.mark.parametrize("how", ["taken back", "stopped"])
def test_a_way_back_that_came_to_nothing_judges_nothing(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs, how: str
) -> None:
    """3 was tried while 5 ran, and 5 runs again: it was not left."""
    ecs.update_service(cluster="axis-cluster", service="axis-backend", taskDefinition=revision(3))
    if how == "taken back":
        ecs.take_back()
        ecs.settle()
    ecs.deploy(5)
    ecs.deploy(6)
    assert to(runner, world) == "5"


def test_what_ran_before_a_try_is_left_with_it(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """From 5 to 3, which did not come up, and on to 2: neither is gone forward to."""
    ecs.update_service(cluster="axis-cluster", service="axis-backend", taskDefinition=revision(3))
    ecs.deploy(2)
    assert to(runner, world) == "1"


@pytest.mark.parametrize("tried", ["done by hand", "not done"])
def test_an_intent_that_never_acted_judges_nothing(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs, tried: str
) -> None:
    """Refused by AWS, our rollback left nothing: 5 is as good as it was, unless somebody then left it by hand."""
    call = planned(runner, world)
    with (
        WIRE.listening(lambda sent: "AccessDeniedException" if sent.operation == "UpdateService" else None),
        pytest.raises(ClientError, match="AccessDenied"),
    ):
        runner.apply(world.change, call, NOW)
    if tried == "done by hand":
        ecs.deploy(3)
    ecs.deploy(6)
    assert to(runner, another(world)) == ("3" if tried == "done by hand" else "5")


def test_a_rollback_under_way_counts_though_nothing_came_of_it_yet(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs
) -> None:
    """Its deployment shows that it acted, its own or the one that it takes back; nobody has verified it yet."""
    runner.apply(world.change, planned(runner, world), NOW)
    assert "axis-backend:3 runs: inc-20261123-7f3k rolled it back from axis-backend:5" in look(world).summary
    assert to(runner, another(world)) == "nowhere"


def test_a_stop_of_a_rollout_is_ours_before_it_is_verified(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs
) -> None:
    """It makes no deployment: that it took back shows it."""
    ecs.update_service(cluster="axis-cluster", service="axis-backend", taskDefinition=revision(6))
    runner.apply(world.change, planned(runner, world), NOW + timedelta(hours=1))
    ecs.deployments[-1]["finishedAt"] = NOW + timedelta(hours=2)
    ecs.settle()
    assert "inc-20261123-7f3k rolled it back from axis-backend:6" in planned(runner, another(world)).plan.summary


def test_going_further_back_is_no_undo(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """3 did not come up either, so the same step went on to 2: that stays, and takes no verdict back."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    ecs.rollout = "FAILED"
    with pytest.raises(ApplicationError, match="the rollout of axis-backend:3 failed"):
        runner.verify(world.change, VerifyCall.model_validate(call.model_dump(exclude={"approvers", "term"})), NOW)
    applied(runner, world, 2)
    assert ecs.primary == revision(2)
    assert to(runner, world, 3) == "nowhere"


def test_nothing_good_is_refused_with_reasons(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """Without a revision that nobody rolled back from, none is guessed."""
    for one in ecs.deployments[:-1]:
        one["status"] = "ROLLBACK_SUCCESSFUL"
    with pytest.raises(RuleError, match=r"axis-backend:3 was taken back by ECS \(ROLLBACK_SUCCESSFUL\)"):
        to(runner, world)


def test_what_ecs_takes_back_now_is_left_to_it(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """Neither overridden nor joined; once it has gone back there is nothing to do."""
    ecs.update_service(cluster="axis-cluster", service="axis-backend", taskDefinition=revision(6))
    ecs.take_back()
    with pytest.raises(RuleError, match="ECS is rolling backend back by itself"):
        to(runner, world)
    ecs.deployments[-1]["status"] = "ROLLBACK_SUCCESSFUL"  # in between our two looks
    with pytest.raises(RuleError, match="ECS is rolling backend back by itself"):
        to(runner, world)
    ecs.settle()
    assert to(runner, world) == "nowhere"
    assert world.clients.writes == []


def test_what_ecs_went_back_to_may_be_what_broke(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """5 answers 503, its mending 6 did not come up, and ECS went back to 5: that is no rollback that is done."""
    ecs.update_service(cluster="axis-cluster", service="axis-backend", taskDefinition=revision(6))
    ecs.take_back()
    ecs.settle()
    world.clients.instead["elbv2"].states = ["unhealthy"] * 3
    assert to(runner, world) == "3"


def test_what_ecs_took_back_since_our_rollback_is_no_doing_of_ours(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs
) -> None:
    """We went back to 3, somebody tried 6, ECS went back to 3: where that is not well by now, it is left too."""
    applied(runner, world)
    ecs.update_service(cluster="axis-cluster", service="axis-backend", taskDefinition=revision(6))
    ecs.take_back()
    ecs.settle()
    assert "axis-backend:3 runs: ECS itself rolled it back from axis-backend:6" in look(world).summary
    world.clients.instead["elbv2"].states = ["unhealthy"] * 3
    assert to(runner, world) == "2"


def test_a_breaker_that_trips_at_the_same_moment_is_left_alone(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs
) -> None:
    """Approved, and then ECS goes back by itself, before we write or while we do: it lands once, where it should."""
    ecs.update_service(cluster="axis-cluster", service="axis-backend", taskDefinition=revision(6))
    call = planned(runner, world)
    world.clients.before_write = ecs.take_back
    with pytest.raises(Exception, match="ConflictException"):
        runner.apply(world.change, call, NOW)
    world.clients.before_write = lambda: None
    assert runner.apply(world.change, call, NOW).outcome == "applied"
    assert "rollout COMPLETED" in verified(runner, world, call)
    assert world.clients.writes == ["ecs.stop_service_deployment"]
    assert [one["target"] for one in ecs.deployments] == [revision(number) for number in (1, 2, 3, 5, 6)]


def test_a_breaker_that_leads_elsewhere_is_told(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """ECS goes back to what was approved to be left: not overridden, and the change says so."""
    call = planned(runner, world)
    ecs.update_service(cluster="axis-cluster", service="axis-backend", taskDefinition=revision(6))
    ecs.deployments[-1]["status"], ecs.primary = "ROLLBACK_REQUESTED", revision(5)
    with pytest.raises(RuleError, match="begun to roll back to axis-backend:5 by itself"):
        runner.apply(world.change, call, NOW)
    assert world.clients.writes == []


@pytest.mark.parametrize("how", ["taken back", "replaced"])
def test_a_rollout_that_came_to_nothing_has_failed(
    runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs, how: str
) -> None:
    """Our own rollout taken back by ECS, or replaced by what we left: nobody waits for it; the next goes further."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    if how == "taken back":
        ecs.take_back()
    else:
        ecs.deploy(5)
    seen = world.change.verify(world.scope, call.plan)
    assert seen.failed
    assert ("ROLLBACK_IN_PROGRESS" if how == "taken back" else "deployed it again") in seen.message
    ecs.settle()
    assert to(runner, world) == ("2" if how == "taken back" else "3")


def test_what_was_never_seen_to_do_well_is_no_end(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """A rollback that was applied and whose verification was given up goes further back when it is asked for again."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    given = call.model_dump(include={"step", "generation", "holder"})
    runner.release(ReleaseCall(scope=call.scope, locks=call.plan.locks, unverified="NotYet: unhealthy", **given), NOW)
    assert ecs.primary == revision(3)
    assert to(runner, world) == "2"


def test_an_undo_takes_the_verdict_back(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """People said that the rollback was no help: 5 counts as good again, and 3 was never bad."""
    applied(runner, world, 2, undo=applied(runner, world).plan)
    assert ecs.primary == revision(5)
    assert to(runner, world, 3) == "3"
    ecs.deploy(6)
    assert to(runner, world, 3) == "5"


def test_after_an_undo_it_can_be_rolled_back_again(runner: ChangeRunner, world: ChangeWorld, ecs: FakeEcs) -> None:
    """That is a verdict again, and no undo of the undo: once more there is nothing to do after it."""
    applied(runner, world, 2, undo=applied(runner, world).plan)
    applied(runner, world, 3)
    assert ecs.primary == revision(3)
    assert to(runner, world, 4) == "nowhere"
    ecs.deploy(6)
    assert to(runner, world, 4) == "3"
