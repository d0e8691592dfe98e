"""What the probe of recent deployments tells of rollbacks, by us and by ECS."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from activities.changes.runner import ChangeRunner
from domain.model.finding import FindingStatus
from tests.activities.change_worlds import ChangeWorld, rollback
from tests.activities.fake_ecs import revision
from tests.activities.scopes import NOW
from tests.activities.test_ecs_past import another, applied, look


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield rollback()


def test_the_probe_knows_what_the_rollback_knows(world: ChangeWorld) -> None:
    """Our own rollback is no suspect, what it left was not in place any more, and the way back is never forward."""
    ecs = world.clients.instead["ecs"]
    applied(ChangeRunner(world.clients), world)
    later = another(world)
    later.scope = later.scope.model_copy(update={"declared_at": ecs.deployments[-1]["finishedAt"]})
    finding = look(later)
    assert finding.status is FindingStatus.OK
    assert "last deployment, of axis-backend:3" in finding.summary
    assert "axis-backend:3 runs: inc-20261123-7f3k rolled it back from axis-backend:5" in finding.summary
    assert finding.facts["rolled_back_from"] == {revision(5): "left by inc-20261123-7f3k"}
    assert finding.facts["last_healthy"]["task_definition"] == revision(2)


def test_the_probe_tells_of_a_rollback_under_way(world: ChangeWorld) -> None:
    """The deployment is the cause, and nobody needs to take it back."""
    ecs = world.clients.instead["ecs"]
    ecs.deploy(6)
    ecs.deployments[-1].update(createdAt=NOW, finishedAt=None)
    ecs.take_back()
    finding = look(world)
    assert finding.status is FindingStatus.SUSPECT
    assert finding.summary.endswith("ECS is rolling axis-backend:6 back by itself: leave it to that")
