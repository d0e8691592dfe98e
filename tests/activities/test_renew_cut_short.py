"""A renewal that is cut, refused or made to wait on its way: what was promoted is kept until all else is there."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from temporalio.exceptions import ApplicationError

from activities.changes.runner import ChangeRunner
from domain.values.errors import ErrorKind
from sandbox.aws.rollout import PACE
from tests.activities.fake_ecs import FakeEcs
from tests.activities.fake_rds import PRIMARY, REPLICA
from tests.activities.renewal_worlds import ASIDE, instance, promote, rehearsed, renew
from tests.activities.scopes import NOW
from tests.activities.test_change_catalogue import planned
from tests.activities.test_renew_replica import names, not_yet, renewed
from tests.activities.trial import Trial
from tests.activities.world import WIRE, LostError

LONG = timedelta(hours=1)


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def test_a_promotion_that_was_asked_for_twice_gives_back_all_rules() -> None:
    """The first was refused behind the fence; the second found that closed already."""
    world, ecs = rehearsed(FakeEcs())
    before = world.snapshot()
    with WIRE.listening(lambda sent: "AccessDenied" if sent.operation == "PromoteReadReplica" else None):
        assert "NOT replaced" in promote(world)
    promote(world, generation=2)
    ecs.settle()
    renewed(Trial(world))
    assert world.snapshot()[0] == before[0]


def test_it_is_renamed_before_its_name_is_used_again() -> None:
    """RDS takes minutes for a name; nothing is asked for twice meanwhile."""
    trial = Trial(renew())
    PACE.rollout = LONG
    assert "is being renamed" in not_yet(trial.apply)
    assert "is renaming" in not_yet(trial.apply)
    assert trial.world.clients.writes[3:] == ["rds.modify_db_instance"]
    PACE.rollout = timedelta.resolution
    renewed(trial)
    assert names() == [PRIMARY, REPLICA]


def test_nothing_is_deleted_before_the_replica_replicates() -> None:
    trial = Trial(renew())
    trial.apply()
    trial.world.settle()
    PACE.rollout = LONG
    instance().status = "creating"
    assert "axis-db-replica is creating" in not_yet(trial.verify)
    assert ASIDE in names()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: setattr(instance(ASIDE), "dbi_resource_id", "db-ANOTHER"),
        lambda: setattr(instance(ASIDE), "tags", []),
        lambda: setattr(instance(ASIDE), "deletion_protection", True),
    ],
)
def test_what_is_not_ours_or_protected_is_never_deleted(spoil: Callable[[], None]) -> None:
    """Another instance has the name, somebody took our tags off it, or protected it: told, and left."""
    trial = Trial(renew())
    trial.apply()
    trial.world.settle()
    spoil()
    with pytest.raises(ApplicationError) as failed:
        trial.verify()
    assert failed.value.type in {ErrorKind.REFUSED.value, ErrorKind.NOT_YET.value}
    assert ASIDE in names()


@pytest.mark.parametrize("when", ["unsent", "unanswered"])
def test_a_lost_answer_to_the_deletion_is_looked_up(when: Any) -> None:
    trial = Trial(renew())
    trial.apply()
    trial.world.settle()
    trial.world.clients.lose, trial.world.clients.when = 6, when
    with pytest.raises((ApplicationError, LostError)):
        trial.verify()
    trial.verify()
    assert names() == [PRIMARY, REPLICA]


@pytest.mark.parametrize(
    ("operation", "code", "missing"),
    [
        ("AuthorizeSecurityGroupIngress", "UnauthorizedOperation", set()),
        (
            "UpdateService",
            "AccessDeniedException",
            {"deployment", "promoted_in_its_place", "replica_of", "promoted_kept"},
        ),
        ("CreateDBInstanceReadReplica", "AccessDenied", {"replica_of", "promoted_kept"}),
    ],
)
def test_what_is_refused_on_the_way_is_told_and_gone_on_from(operation: str, code: str, missing: set[str]) -> None:
    """Nothing is lost by it: what was promoted is kept, and asked for again the change takes up where it was cut."""
    world = renew()
    trial = Trial(world)
    with WIRE.listening(lambda sent: code if sent.operation == operation else None):
        if missing:
            assert set(trial.apply().refused) == missing
            trial.world.settle()
            assert "is NOT made anew" in trial.verify().message
        else:
            with pytest.raises(ApplicationError, match=code):
                trial.apply()
            trial.release()
    assert len(names()) == 2
    runner = ChangeRunner(world.clients)
    again = planned(runner, world, generation=2)
    assert runner.apply(world.change, again, NOW).outcome == "applied"
    world.settle()
    assert world.change.verify(world.scope, again.plan).done
    assert names() == [PRIMARY, REPLICA]
