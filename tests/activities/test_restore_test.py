"""A recovery test restores a copy that nothing else is near, measures what came of it, and removes what is ours."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from moto.rds.models import DBInstance, rds_backends
from temporalio.exceptions import ApplicationError

from activities.aws.recovery import restored_copy
from domain.values.errors import ErrorKind
from sandbox.aws.rds_restores import unusable
from sandbox.aws.rollout import PACE
from tests.activities.change_worlds import ChangeWorld
from tests.activities.recovery_worlds import KEY, NAME, SUBNETS, newest, restore
from tests.activities.scopes import ACCOUNT, NOW, REGION
from tests.activities.trial import Trial
from tests.activities.world import LostError


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def instance() -> DBInstance:
    found: DBInstance = rds_backends[ACCOUNT][REGION].databases[NAME]
    return found


def counts(world: ChangeWorld) -> Any:
    return world.clients.instead["lambda"]


def failing(trial: Trial) -> str:
    """What verifying says when it fails for good."""
    with pytest.raises(ApplicationError) as failed:
        trial.verify()
    assert (failed.value.type, failed.value.non_retryable) == (ErrorKind.VERIFICATION_FAILED.value, True)
    return str(failed.value)


def not_yet(trial: Trial) -> str:
    with pytest.raises(ApplicationError) as waiting:
        trial.verify()
    assert waiting.value.type == ErrorKind.NOT_YET.value
    return str(waiting.value)


def copied() -> Trial:
    """A trial whose snapshot has to be copied, which is begun."""
    trial = Trial(restore(under_own_key=False))
    trial.apply()
    assert trial.world.clients.writes == ["rds.copy_db_snapshot"]
    return trial


def test_the_copy_is_where_nothing_else_is() -> None:
    """In the isolated subnet group and group alone, under the environment's key, tagged; nothing protects it."""
    trial = Trial(restore())
    trial.apply()
    trial.verify()
    made, place = instance(), trial.world.scope.environment.recovery
    assert place
    assert made.vpc_security_group_ids == [place.security_group]
    assert made.db_subnet_group.name == SUBNETS
    assert (made.publicly_accessible, made.multi_az, made.deletion_protection) == (False, False, False)
    assert made.backup_retention_period == 0
    key = trial.world.clients.inner.client("kms").describe_key(KeyId=KEY)["KeyMetadata"]["Arn"]
    assert made.kms_key_id == key
    assert {one["Key"]: one["Value"] for one in made.tags} == {
        "incident": trial.world.scope.incident,
        "purpose": "recovery-test",
    }


def test_it_is_measured_by_what_the_function_read() -> None:
    """The newest row against when the restore began, and how long it took until rows were read; no row is asked for."""
    trial = Trial(restore())
    trial.apply()
    told = trial.verify().message
    assert "12 rows in 1 tables" in told
    assert "recovery point 20m (target 1h), recovery time 40m (target 4h)" in told
    (asked,) = counts(trial.world).asked
    assert asked == {"database": "primary", "host": instance().address, "port": 5432}


@pytest.mark.parametrize(
    ("tables", "params", "told"),
    [
        ({"studies": {"rows": 0}}, {}, "EMPTY: studies"),
        (None, {"point": "10m"}, "recovery point 20m (target 10m, MISSED)"),
        (None, {"time": "30m"}, "recovery time 40m (target 30m, MISSED)"),
        ({"studies": {"rows": 3, "first": "Mary"}}, {}, "its rows were not read"),
        ({}, {}, "its rows were not read"),
    ],
)
def test_what_misses_its_target_or_was_not_read_has_failed(tables: Any, params: dict[str, str], told: str) -> None:
    """The copy is there all the same, and is taken back like any other; what the function answers wrongly stays out."""
    world = restore()
    world.params |= params
    counts(world).tables = counts(world).tables if tables is None else tables
    trial = Trial(world)
    trial.apply()
    said = failing(trial)
    assert told in said
    assert "Mary" not in said
    trial.undoing()
    trial.apply()
    trial.verify()
    assert trial.world.snapshot() == []


def test_a_function_that_ends_in_an_error_leaves_it_unread() -> None:
    """What Lambda says of the error may hold anything, and is left to the function's log."""
    world = restore()
    trial = Trial(world)
    trial.apply()
    counts(world).error = True
    assert "its rows were not read" in failing(trial)


def test_a_function_that_is_not_there_is_found_before_anything_is_restored() -> None:
    """Lambda is asked, without running it, while nobody has waited for hours yet."""
    world = restore()
    place = world.scope.environment.recovery
    assert place
    gone = place.model_copy(update={"count_function": "gone"})
    world.scope = world.scope.model_copy(
        update={"environment": world.scope.environment.model_copy(update={"recovery": gone})}
    )
    with pytest.raises(ApplicationError) as refused:
        Trial(world)
    assert refused.value.type == ErrorKind.NOT_FOUND.value


@pytest.mark.parametrize("own", [True, False])
def test_a_snapshot_that_cannot_be_restored_is_found(own: bool) -> None:
    """RDS takes it and ends in `incompatible-restore`, of which only a look tells; what is left is removed."""
    world = restore(under_own_key=own)
    unusable(newest())
    trial = Trial(world)
    trial.apply()
    assert "is incompatible-restore" in failing(trial)
    trial.undoing()
    trial.apply()
    trial.verify()
    assert trial.world.snapshot() == []


def test_a_snapshot_whose_key_is_disabled_is_refused() -> None:
    world = restore(under_own_key=False)
    world.clients.inner.client("kms").disable_key(KeyId=str(newest().kms_key_id).rsplit("/", 1)[-1])
    with pytest.raises(ApplicationError, match="cannot be restored: its key"):
        Trial(world)


def test_one_older_than_the_recovery_point_is_told_before_and_after() -> None:
    """It is restored all the same: that it can be is worth knowing, and the number is the answer."""
    world = restore()
    newest().original_snapshot_create_time = NOW - timedelta(hours=26)
    counts(world).tables = {"studies": {"rows": 12}}
    trial = Trial(world)
    assert "will be MISSED" in trial.call.plan.impact
    trial.apply()
    assert "recovery point 1d 2h (target 1h, MISSED)" in failing(trial)


def test_what_is_under_another_key_is_copied_first() -> None:
    """The copy alone is restored, so that the instance is under the environment's own key; both go with the undo."""
    trial = copied()
    assert "is restored and read" in trial.verify().message
    assert trial.world.clients.writes == ["rds.copy_db_snapshot", "rds.restore_db_instance_from_db_snapshot"]
    trial.undoing()
    trial.apply()
    assert trial.verify().message == f"{NAME} is gone"
    assert trial.world.snapshot() == []
    assert newest().status == "available"


@pytest.mark.parametrize("when", ["unsent", "unanswered"])
def test_a_lost_answer_while_verifying_restores_once(when: Any) -> None:
    """The restore that follows the copy is found by its name and tags, whoever made it be sent."""
    trial = Trial(restore(under_own_key=False))
    trial.apply()
    trial.world.clients.lose, trial.world.clients.when = 1, when
    with pytest.raises((ApplicationError, LostError)):
        trial.verify()
    assert "is restored and read" in trial.verify().message
    restores = [one for one in trial.world.clients.writes if "restore" in one]
    assert len(restores) == (2 if when == "unsent" else 1)


def test_a_copy_begun_and_given_up_is_taken_back() -> None:
    """Nothing was restored yet: the copied snapshot of production's data goes all the same."""
    trial = Trial(restore(under_own_key=False))
    trial.apply()
    trial.release()
    trial.undoing()
    trial.apply()
    trial.verify()
    assert trial.world.snapshot() == []


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda: setattr(instance(), "deletion_protection", True), ErrorKind.REFUSED),
        (lambda: setattr(instance(), "tags", []), None),
    ],
)
def test_what_is_protected_or_not_ours_is_never_deleted(spoil: Callable[[], None], kind: ErrorKind | None) -> None:
    """Somebody protected it, or took our tags off: told, and left."""
    trial = Trial(restore())
    trial.apply()
    trial.verify()
    trial.undoing()
    spoil()
    if kind is None:
        assert trial.apply().outcome == "stale"
    else:
        with pytest.raises(ApplicationError) as refused:
            trial.apply()
        assert refused.value.type == kind.value
    assert NAME in rds_backends[ACCOUNT][REGION].databases


def test_one_in_another_place_has_failed() -> None:
    """RDS takes the default group where it was given none, as somebody may have changed it since."""
    trial = Trial(restore())
    trial.apply()
    instance().vpc_security_group_ids = ["sg-0default"]
    instance().publicly_accessible = True
    assert "behind sg-0default, publicly accessible: remove it" in failing(trial)
    assert counts(trial.world).asked == []


def test_what_somebody_removed_is_found_gone() -> None:
    """An undo looks, and finds nothing left to do."""
    trial = Trial(restore())
    trial.apply()
    trial.verify()
    trial.world.clients.inner.client("rds").delete_db_instance(DBInstanceIdentifier=NAME, SkipFinalSnapshot=True)
    trial.undoing()
    assert trial.call.plan.changes_nothing
    assert trial.apply().outcome in {"already-done", "applied"}


def test_it_is_deleting_until_it_is_gone() -> None:
    """That it was asked for is not that it has happened; asked for twice, it is deleted once."""
    trial = Trial(restore())
    trial.apply()
    trial.verify()
    PACE.rollout = timedelta(days=1)
    trial.undoing()
    trial.apply()
    assert "still being deleted" in not_yet(trial)
    trial.apply()
    assert trial.world.clients.writes.count("rds.delete_db_instance") == 1


def test_nothing_is_restored_in_production() -> None:
    """Whatever its file says: a model that was made otherwise is refused by the plan too."""
    world = restore()
    environment = world.scope.environment.model_copy(update={"kind": "production"})
    world.scope = world.scope.model_copy(update={"environment": environment})
    with pytest.raises(ApplicationError, match="is production"):
        Trial(world)


def test_only_what_a_restore_takes_over_speaks_against_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """IAM authentication is off in what is restored unless it is asked for; encryption is the snapshot's."""
    option = {"SupportsIAMDatabaseAuthentication": False, "SupportsStorageEncryption": True}
    monkeypatch.setattr(restored_copy, "offered", lambda *_: [option])
    world = restore()
    newest().iam_database_authentication_enabled = True
    assert Trial(world).call.plan.changing
    option["SupportsStorageEncryption"] = False
    with pytest.raises(ApplicationError, match="does not go with the snapshot's Encrypted"):
        Trial(world)
