"""An incident is declared at a time, or with durations, that no clock can count with: it ends at once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from domain.rules.declarable import doubt
from domain.values import ids
from tests.attacks.stranger import failed_tasks
from tests.builders import T0, declaration, minutes
from tests.workflows.told import Told
from tests.workflows.world import World


def declared(**changes: Any) -> dict[str, Any]:
    made = declaration(declared_at=datetime.now(UTC)).model_dump(mode="json", by_alias=True)
    return {**made, **changes}


def with_policy(name: str, duration: str) -> dict[str, Any]:
    made = declared()
    made["organisation"]["severities"]["P0"][name] = duration
    return made


def with_task(**due: Any) -> dict[str, Any]:
    made = declared()
    (task,) = [step for phase in made["runbook"]["phases"] for step in phase["steps"] if step["id"] == "training"]
    task.update({"due": None, **due})
    return made


_IMPOSSIBLE = {
    "the year 1": declared(declared_at="0001-01-01T00:00:00Z"),
    "the year 1 east of UTC": declared(declared_at="0001-01-01T00:00:00+14:00"),
    "the year 9999": declared(declared_at="9999-12-31T23:59:59-14:00"),
    "without an offset": declared(declared_at="2026-11-23T03:00:00"),
    "two days ahead": declared(declared_at=(datetime.now(UTC) + timedelta(days=2)).isoformat()),
    "aware in the year 9999": declared(aware_at="9999-12-31T23:59:59Z"),
    "due in the year 1": declared(scheduled={"schedule": "drill", "at": "0001-01-01T00:00:00Z"}),
    "a response for ever": with_policy("respond", "P999999999D"),
    "a page again after that": with_policy("repage", "P3000000D"),
    "escalated long before": with_policy("escalate", "-P999999999D"),
    "a task of business days for ever": with_task(due_business_days={"P0": 10**9}),
    "a task for ever": with_task(due="P999999999D"),
    "hardly any speed": declared(speed=1e-9),
    "too much speed": declared(speed=1e300),
}


@pytest.mark.parametrize("what", _IMPOSSIBLE)
async def test_it_ends_with_a_reason(server: WorkflowEnvironment, world: World, what: str) -> None:
    """One clear error, no failed task, and nobody is paged."""
    made = _IMPOSSIBLE[what]
    async with world.workers(server.client):
        with pytest.raises(WorkflowFailureError) as refused:
            await server.client.execute_workflow(
                "Incident", {"declaration": made}, id=made["incident_id"], task_queue=ids.INCIDENTS_QUEUE
            )
        assert "an incident cannot be declared so" in str(refused.value.cause)
        assert await failed_tasks(server.client, made["incident_id"]) == []
    assert (world.pages, world.ledger) == ([], [])


async def test_one_declared_long_ago_begins(server: WorkflowEnvironment, world: World) -> None:
    """What happened years ago may be declared at its own time, fast, with aware times."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime(2020, 2, 29, tzinfo=UTC), speed=1000))
        assert (await told.state())["declared_at"] == "2020-02-29T00:00:00Z"
        await told.do("false_alarm", reason="long over")


def test_what_is_usual_is_not_doubted() -> None:
    """At any speed that a sandbox takes, a little ahead of the server's clock, slowly too."""
    for speed in (0.1, 1, 60, 864_000):
        assert doubt(declaration(speed=speed), T0 - minutes(60)) is None
    assert doubt(declaration(), T0 - timedelta(days=2)) is not None
