"""Several incidents, each with a rollback of its own: whose doing a deployment was, and what broke since."""

from datetime import timedelta

from moto import mock_aws

from activities.changes.runner import ChangeRunner
from domain.model.activity_io import Applied
from tests.activities.change_worlds import rollback
from tests.activities.fake_ecs import FakeEcs, revision
from tests.activities.scopes import NOW
from tests.activities.test_change_catalogue import planned, verified
from tests.activities.test_ecs_past import another, applied, look, to


def dated(ecs: FakeEcs, later: timedelta) -> None:
    """Let the newest deployment be of that time, and complete."""
    ecs.deployments[-1].update(createdAt=NOW + later, finishedAt=NOW + later)


@mock_aws
def test_rollbacks_within_a_minute_are_each_ours() -> None:
    """One bad release after the other: neither rollback is suspected, and no way back leads to either release."""
    world = rollback()
    ecs: FakeEcs = world.clients.instead["ecs"]
    runner = ChangeRunner(world.clients)
    applied(runner, world)
    dated(ecs, timedelta(seconds=1))
    ecs.deploy(6)
    dated(ecs, timedelta(seconds=20))
    call = planned(runner, another(world), 1)
    assert runner.apply(world.change, call, NOW + timedelta(seconds=30)) == Applied(outcome="applied")
    verified(runner, world, call)
    dated(ecs, timedelta(seconds=31))
    found = look(world, later=timedelta(hours=1))
    assert "axis-backend:3 runs: inc-another rolled it back from axis-backend:6" in found.summary
    assert (found.status, found.facts["deployment"]["created_at"][:10]) == ("ok", "2026-11-03")
    assert found.facts["last_healthy"]["task_definition"] == revision(2)
    assert to(runner, world) == "nowhere"


@mock_aws
def test_what_is_deployed_again_after_a_rollback_is_looked_at() -> None:
    """A pipeline deploys 5 again, which an incident had left: that is suspect, until it is rolled back once more."""
    world = rollback()
    ecs: FakeEcs = world.clients.instead["ecs"]
    runner = ChangeRunner(world.clients)
    applied(runner, world)
    ecs.deploy(5)
    dated(ecs, timedelta(hours=1))
    found = look(another(world), later=timedelta(hours=2))
    assert (found.status, found.facts["deployment"]["task_definition"]) == ("suspect", revision(5))
    call = planned(runner, world, 1)
    assert runner.apply(world.change, call, NOW + timedelta(hours=2)) == Applied(outcome="applied")
    verified(runner, world, call)
    dated(ecs, timedelta(hours=2))
    found = look(world, later=timedelta(hours=3))
    assert (found.status, found.facts["deployment"]["task_definition"]) == ("ok", revision(3))
