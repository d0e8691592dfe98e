import re
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from moto.rds.models import rds_backends
from temporalio.exceptions import ApplicationError

from activities.catalogue import CHANGES
from activities.changes.runner import ChangeRunner
from tests.activities.change_worlds import ChangeWorld
from tests.activities.evidence_worlds import DATABASE, snapshot
from tests.activities.scopes import ACCOUNT, NOW, REGION, environment
from tests.activities.test_change_catalogue import planned, verified

_RDS_NAME = re.compile(r"[a-z](?!.*--)[a-z0-9-]{0,253}[a-z0-9]")


@pytest.fixture
def world() -> Iterator[ChangeWorld]:
    with mock_aws():
        yield snapshot()


@pytest.fixture
def runner(world: ChangeWorld) -> ChangeRunner:
    return ChangeRunner(world.clients)


def in_moto(identifier: str) -> Any:
    return rds_backends[ACCOUNT][REGION].database_snapshots[identifier]


def test_the_name_is_the_incidents_and_the_next_request_gets_the_next(runner: ChangeRunner, world: ChangeWorld) -> None:
    """Planned twice it is one snapshot; asked for again, once it is taken, it is another."""
    call = planned(runner, world)
    assert call.plan.context["identifier"] == f"ir-{world.scope.incident}-{DATABASE}-1"
    assert planned(runner, world).plan.digest == call.plan.digest
    runner.apply(world.change, call, NOW)
    verified(runner, world, call)
    assert planned(runner, world, generation=2).plan.context["identifier"].endswith(f"{DATABASE}-2")


@pytest.mark.parametrize("incident", ["inc--20261123-", "INC_2026/11", "x" * 400])
def test_a_name_is_one_that_rds_takes(runner: ChangeRunner, world: ChangeWorld, incident: str) -> None:
    """Whatever the incident is called, the name keeps to RDS's rules."""
    world.scope = world.scope.model_copy(update={"incident": incident})
    call = planned(runner, world)
    assert _RDS_NAME.fullmatch(call.plan.context["identifier"])
    assert runner.apply(world.change, call, NOW).outcome == "applied"


def test_it_is_waited_for_until_it_is_available(runner: ChangeRunner, world: ChangeWorld) -> None:
    """While RDS is at it: not yet, and the next look is not at once, or a long one would use its attempts up."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    taken = in_moto(call.plan.context["identifier"])
    taken.status = "creating"
    with pytest.raises(ApplicationError, match="is creating") as waiting:
        verified(runner, world, call)
    assert (waiting.value.type, waiting.value.non_retryable) == ("NotYet", False)
    assert waiting.value.next_retry_delay is not None
    assert waiting.value.next_retry_delay.total_seconds() == 20
    taken.status = "available"
    assert "is available" in verified(runner, world, call)


@pytest.mark.parametrize("broken", ["failed", None])
def test_a_snapshot_that_failed_or_is_gone_is_told(
    runner: ChangeRunner, world: ChangeWorld, broken: str | None
) -> None:
    """RDS gave up, or somebody deleted it: waiting will not help."""
    call = planned(runner, world)
    runner.apply(world.change, call, NOW)
    if broken:
        in_moto(call.plan.context["identifier"]).status = broken
    else:
        identifier = call.plan.context["identifier"]
        world.clients.inner.client("rds").delete_db_snapshot(DBSnapshotIdentifier=identifier)
    with pytest.raises(ApplicationError, match=broken or "gone") as failed:
        verified(runner, world, call)
    assert failed.value.type == "VerificationFailed"


def test_the_impact_tells_of_the_pause(runner: ChangeRunner, world: ChangeWorld) -> None:
    """In one zone the database pauses; with a standby it does not; one that is busy is waited for."""
    assert "pause, for seconds" in planned(runner, world).plan.impact
    rds = world.clients.inner.client("rds")
    rds_backends[ACCOUNT][REGION].databases[DATABASE].multi_az = True
    assert "nothing pauses" in planned(runner, world).plan.impact
    rds.stop_db_instance(DBInstanceIdentifier=DATABASE)
    assert "takes no snapshot while it is stopped" in planned(runner, world).plan.impact


def test_a_database_that_is_not_there_is_final(runner: ChangeRunner, world: ChangeWorld) -> None:
    """A name that RDS does not know ends the plan with its own error."""
    databases = {"primary": {"identifier": "nowhere", "max_connections": 1}}
    world.scope = world.scope.model_copy(update={"environment": environment(databases=databases)})
    with pytest.raises(world.clients.inner.client("rds").exceptions.DBInstanceNotFoundFault):
        planned(runner, world)


def test_what_preserves_evidence() -> None:
    """These, and no others, run on the queue whose role can change nothing else."""
    assert {name for name, change in CHANGES.items() if change.evidence} == {"rds.snapshot", "s3.preserve_logs"}
