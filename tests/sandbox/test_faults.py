"""Faults leave the account as the real failure would, and what fixes that fixes them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from domain.config.environment import Environment
from sandbox.faults.inject import FAULTS
from sandbox.faults.names import FAULT_NAMES
from sandbox.runtime.aws_world import World
from sandbox.traffic import background
from tests.sandbox.worlds import other, past, rollouts_finish, shipped


def error_count(world: World, since: datetime) -> int:
    service = next(iter(world.environment.services.values()))
    pages = world.client("logs").get_paginator("filter_log_events")
    start = int(since.timestamp() * 1000)
    found = pages.paginate(logGroupName=service.log_group, filterPattern="ERROR", startTime=start)
    return sum(len(page["events"]) for page in found)


def test_every_fault_that_is_listed_can_be_injected_and_no_other() -> None:
    """The command lists faults without loading what injects them, which takes seconds."""
    assert FAULT_NAMES.keys() == FAULTS.keys()


@pytest.mark.parametrize("environment", [shipped(), other()], ids=["shipped", "another"])
def test_bad_deploy_breaks_and_a_rollback_mends(
    seeded: Callable[[Environment], World], environment: Environment
) -> None:
    """The newest deployment succeeded and is broken, the revision before it never ran, and an older one fixes it."""
    world = seeded(environment)
    service = next(iter(environment.services.values()))
    FAULTS["outage-bad-deploy"](world)
    assert not world.healthy()
    known = past(world, service)
    newest, *_ = found = known.deployments
    assert newest.status == "SUCCESSFUL"
    assert newest.created_at > datetime.now(UTC) - timedelta(hours=1)
    assert (newest.task_definition or "").endswith(":5")
    assert not any((one.task_definition or "").endswith(":4") for one in found)
    good = known.last_good()
    assert good
    assert (good.task_definition or "").endswith(":3")
    assert error_count(world, datetime.now(UTC) - timedelta(hours=1)) >= 120

    world.client("ecs").update_service(
        cluster=service.cluster, service=service.service, taskDefinition=good.task_definition
    )
    assert not world.healthy()
    rollouts_finish()
    assert world.healthy()


def test_no_point_is_reported_where_none_failed(world: World) -> None:
    """As Elastic Load Balancing does it: whoever takes the last points that exist for now's is found out."""

    def failed() -> list[str]:
        found = world.client("cloudwatch").list_metrics(Namespace="AWS/ApplicationELB")["Metrics"]
        return [one["MetricName"] for one in found if "5XX" in one["MetricName"]]

    assert failed() == []
    FAULTS["outage-bad-deploy"](world)
    assert set(failed()) == {"HTTPCode_Target_5XX_Count"}


def test_fault_comes_again(world: World) -> None:
    """The same fault after a fix breaks the service again, with a deployment newer than the fix."""
    service = world.environment.services["backend"]
    for number in (5, 7):
        FAULTS["outage-bad-deploy"](world)
        newest = past(world, service).deployments[0]
        assert (newest.task_definition or "").endswith(f":{number}")
        assert not world.healthy()
        world.client("ecs").update_service(
            cluster=service.cluster, service=service.service, taskDefinition=f"{service.family}:3"
        )
        rollouts_finish()
        assert world.healthy()


def test_errors_go_on_until_mended(world: World) -> None:
    """Every minute has errors while a service is unhealthy, and none once it is healthy."""
    FAULTS["outage-bad-deploy"](world)
    later = datetime.now(UTC) + timedelta(minutes=5)
    background.write_minute(world, later)
    during = error_count(world, later - timedelta(minutes=1))
    assert during > 0
    service = world.environment.services["backend"]
    world.client("ecs").update_service(
        cluster=service.cluster, service=service.service, taskDefinition=f"{service.family}:3"
    )
    rollouts_finish()
    background.write_minute(world, later + timedelta(minutes=1))
    assert error_count(world, later - timedelta(minutes=1)) == during
