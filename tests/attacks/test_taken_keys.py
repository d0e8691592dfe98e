"""Keys that a stranger takes before: what workflows declare under them is declared, and told to people."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from domain.config.reviews import REVIEW
from domain.model.declaration import KeyHold
from domain.values import ids
from tests.builders import declaration
from tests.upkeep import maintenance
from tests.workflows import serving
from tests.workflows.asking import do_upkeep, incident_of
from tests.workflows.test_drill import drilled
from tests.workflows.test_reviews import closed
from tests.workflows.test_scheduled import started
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows import declaring

FAULT = "fault:staging:bad"
REVIEWED = "review:system-outage"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the second look at the record follow the first."""
    monkeypatch.setattr(declaring, "_AGAIN", timedelta(milliseconds=100))
    monkeypatch.setattr(serving, "runner", lambda **_: UnsandboxedWorkflowRunner())


async def take(env: WorkflowEnvironment, key: str, incident: str = "inc-20261123-h1s0") -> None:
    """Have a key stand for an incident that never was, as anybody can who reaches Temporal."""
    await env.client.start_workflow(
        "IncidentKey",
        KeyHold(incident_id=incident),
        id=ids.key_workflow_id("production", key),
        task_queue=ids.INCIDENTS_QUEUE,
        memo={"incident": incident},
    )


async def declared_by(env: WorkflowEnvironment, workflow_id: str) -> list[Told]:
    """The incidents that a workflow has declared, oldest first."""
    history = await env.client.get_workflow_handle(workflow_id).fetch_history()
    begun = [event.start_child_workflow_execution_initiated_event_attributes for event in history.events]
    found = [one.workflow_id for one in begun if one.workflow_type.name == "Incident"]
    return [Told(env.client, env.client.get_workflow_handle(one)) for one in found]


async def stopped(env: WorkflowEnvironment, world: World) -> None:
    """A drill whose fault cannot be withdrawn."""
    world.drills.broken = {"withdraw"}
    world.of_a_run = lambda _: {"runbook": maintenance(), "related": {}}
    async with drilled(env, world) as (run, _):
        await run.execute_update("stop", {"by": "cto", "reason": "enough"})
        with pytest.raises(WorkflowFailureError):
            await run.result()
        _, left = await declared_by(env, run.id)
        state = await left.until(lambda state: state["pages"])
        key = await env.client.get_workflow_handle(ids.key_workflow_id("production", FAULT)).describe()
    assert state["title"] == "bad still stands in staging after a drill"
    assert [page["role"] for page in state["pages"]] == ["devops-lead"]
    assert key.status is WorkflowExecutionStatus.RUNNING


async def test_a_fault_that_a_drill_left_is_told(server: WorkflowEnvironment, world: World) -> None:
    """No incident of the key is open by the record: it is declared without it."""
    await take(server, FAULT)
    await stopped(server, world)


async def test_a_fault_is_told_while_the_record_does_not_answer(server: WorkflowEnvironment, world: World) -> None:
    world.broken.add("keys")
    await take(server, FAULT)
    await stopped(server, world)


async def test_a_key_that_stands_for_an_incident_of_another_key(server: WorkflowEnvironment, world: World) -> None:
    """However real that is, nobody is told by it."""
    async with world.workers(server.client):
        other = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
        await other.until(lambda state: state["pages"])
    await take(server, FAULT, other.handle.id)
    await stopped(server, world)


async def test_a_dry_run_under_the_key_tells_nobody(server: WorkflowEnvironment, world: World) -> None:
    """It is on record and open, and no live incident stands for the fault."""
    dry = declaration(incident_id="inc-20261123-h1s0", key=FAULT, mode="dry-run")
    world.past.open_ones[dry.incident_id] = dry
    await take(server, FAULT)
    await stopped(server, world)


async def test_a_review_is_opened(server: WorkflowEnvironment, world: World) -> None:
    """What an incident opens under a key that is taken is opened, and linked."""
    await take(server, REVIEWED)
    async with world.workers(server.client):
        (link,) = (await (await closed(server, 1)).state())["links"]
    assert (link["type"], link["held"]) == (REVIEW, False)
    assert link["incident"] is not None


async def test_a_run_of_a_schedule_is_declared(server: WorkflowEnvironment, world: World) -> None:
    world.keyed = "nightly"
    await take(server, "nightly")
    async with world.workers(server.client):
        run = await started(server.client, 1)
        await do_upkeep(await incident_of(server.client, run))
        assert (await run.result())["incident"]


async def test_an_incident_whose_first_entry_is_on_its_way_stands(server: WorkflowEnvironment, world: World) -> None:
    """The record is looked at twice, so two that ask at once open one incident."""
    async with world.workers(server.client):
        links = []
        for number in (1, 2):
            links += (await (await closed(server, number)).state())["links"]
            world.past.unwritten = 1
    assert [(link["incident"] is None, link["held"]) for link in links] == [(False, False), (True, True)]


async def test_a_key_that_is_given_back_meanwhile_is_held(
    server: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds one of an incident that has just ended gets it with the second look."""
    monkeypatch.setattr(declaring, "_AGAIN", timedelta(seconds=2))
    await take(server, REVIEWED)
    key: Any = server.client.get_workflow_handle(ids.key_workflow_id("production", REVIEWED))
    async with world.workers(server.client):
        closing = asyncio.create_task(closed(server, 1))
        while world.past.unwritten == 0:
            await asyncio.sleep(0.02)
        await key.terminate()
        (link,) = (await (await closing).state())["links"]
        described = await key.describe()
    assert await described.memo_value("incident") == link["incident"]
