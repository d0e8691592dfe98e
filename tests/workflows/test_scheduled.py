"""A run of a schedule: declared by a worker's files, waited for, told to the next one; what it opens has a key."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
    ScheduleState,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.testing import WorkflowEnvironment

from domain.model.scheduled import ScheduledRun
from domain.values import ids
from tests.workflows.asking import do_upkeep, incident_of
from tests.workflows.told import Told
from tests.workflows.world import World

RUN = ScheduledRun(schedule="nightly", environment="staging", declares="drift")
WRONG = {"trails.account": "missing", "buckets.audit": "wrong"}


async def started(client: Client, number: int) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        "Scheduled", RUN, id=f"scheduled/staging/nightly-{number}", task_queue=ids.INCIDENTS_QUEUE, result_type=dict
    )


async def test_a_run_ends_with_its_incident(server: WorkflowEnvironment, world: World) -> None:
    """It is upkeep: nobody is paged, and it closes by itself once its work is done; the run says which one it was."""
    async with world.workers(server.client):
        run = await started(server.client, 1)
        told = await incident_of(server.client, run)
        await do_upkeep(told)
        result = await run.result()
        state = await told.state()
    assert result["incident"] == told.handle.id
    assert (state["status"], state["mode"], state["commander"]) == ("closed", "upkeep", None)
    assert [entry.kind for entry in world.ledger][-2:] == ["closed", "report"]
    assert {role for role, _ in world.pages} == {"technical-manager"}  # a mail: there is work
    assert state["pages"] == []


@pytest.mark.parametrize("declares", ["trials", "recovery-test"])
async def test_what_is_practice_gives_way(server: WorkflowEnvironment, world: World, declares: str) -> None:
    """While something real is open it waits for the same hour of the next day, three times; then the next run tells."""
    run = RUN.model_copy(update={"declares": declares, "speed": 86_400.0})
    world.drills.live = ["inc-real"]
    async with world.workers(server.client):

        async def begun(number: int) -> WorkflowHandle[Any, Any]:
            return await server.client.start_workflow(
                "Scheduled",
                run,
                id=f"scheduled/staging/{declares}-{number}",
                task_queue=ids.INCIDENTS_QUEUE,
                result_type=dict,
            )

        missed = await (await begun(1)).result()
        assert missed["incident"] is None
        assert missed["told"] < missed["nominal"]["at"]
        assert world.scheduled == []
        late = await begun(2)
        while not [one async for one in late.fetch_history_events() if one.HasField("timer_started_event_attributes")]:
            await asyncio.sleep(0.02)
        world.drills.live = []
        await do_upkeep(await incident_of(server.client, late))
        assert (await late.result())["incident"]
        assert len(world.scheduled) == 1


@pytest.mark.parametrize("declares", ["drift", "trials"])
async def test_what_is_declared_is_asked_where_the_record_is(
    server: WorkflowEnvironment, world: World, declares: str
) -> None:
    """Only there may the ledger be read, and what the program made be put on record."""
    run = RUN.model_copy(update={"declares": declares})
    async with world.workers(server.client):
        handle = await server.client.start_workflow(
            "Scheduled", run, id=f"scheduled/staging/{declares}-1", task_queue=ids.INCIDENTS_QUEUE
        )
        await do_upkeep(await incident_of(server.client, handle))
        await handle.result()
        history = await handle.fetch_history()
    asked = [one.activity_task_scheduled_event_attributes for one in history.events]
    queues = {one.activity_type.name: one.task_queue.name for one in asked if one.activity_type.name}
    assert queues.pop("drills.live", ids.DIAGNOSE_QUEUE) == ids.DIAGNOSE_QUEUE
    assert queues == {"schedules.declare": ids.FORENSICS_QUEUE}


async def test_what_is_wrong_is_opened_once(server: WorkflowEnvironment, world: World) -> None:
    """Each name has an incident of its own, all at one instant; the next run finds them open and opens nothing anew."""
    world.suspect, world.wrong = {"test.health"}, WRONG
    async with world.workers(server.client):
        links = []
        for number in (1, 2):
            run = await started(server.client, number)
            told = await incident_of(server.client, run)
            await do_upkeep(told)
            await run.result()
            links.append((await told.state())["links"])
        opened = [Told(server.client, server.client.get_workflow_handle(link["incident"])) for link in links[0]]
        states = [await one.until(lambda state: state["pages"]) for one in opened]
        kinds = [(await one.handle.describe()).typed_search_attributes for one in opened]
    assert [(state["title"], state["description"], state["mode"], state["type"]) for state in states] == [
        (f"Names: {name}", said, "live", "maintenance") for name, said in WRONG.items()
    ]
    assert len({one.handle.id for one in opened}) == 2
    assert all(attributes for attributes in kinds)
    assert [(link["incident"], link["held"]) for link in links[1]] == [(None, True)] * 2
    assert [[page["role"] for page in state["pages"]] for state in states] == [["devops-lead"]] * 2


async def test_a_key_that_is_given_back_opens_anew(server: WorkflowEnvironment, world: World) -> None:
    """Once the incident of a name has ended, what is still wrong is an incident again."""
    world.suspect, world.wrong = {"test.health"}, {"trails.account": "missing"}
    async with world.workers(server.client):
        found = []
        for number in (1, 2):
            run = await started(server.client, number)
            told = await incident_of(server.client, run)
            await do_upkeep(told)
            await run.result()
            (link,) = (await told.state())["links"]
            found.append(link["incident"])
            mending = Told(server.client, server.client.get_workflow_handle(link["incident"]))
            await mending.do("false_alarm", reason="made it")
            await mending.handle.result()
            await server.client.get_workflow_handle(
                ids.key_workflow_id("production", "drift:staging:trails.account")
            ).result()
    assert None not in found
    assert len(set(found)) == 2


async def scheduled(client: Client, world: World) -> ScheduleHandle:
    """A schedule that is due every night and is only backfilled."""
    action = ScheduleActionStartWorkflow("Scheduled", RUN, id="scheduled/staging/nightly", task_queue="incidents")
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1))])
    state = ScheduleState(paused=True)
    return await client.create_schedule("staging.nightly", Schedule(action=action, spec=spec, state=state))


async def test_each_run_knows_when_it_was_due_and_when_the_last_one_was(
    server: WorkflowEnvironment, world: World
) -> None:
    """Of a schedule the server gives the nominal time, whenever the run comes to run."""
    nights = [datetime(2026, 3, day, tzinfo=UTC) for day in (2, 3, 4)]
    async with world.workers(server.client):
        nightly = await scheduled(server.client, world)
        await nightly.backfill(ScheduleBackfill(nights[0], nights[-1], overlap=ScheduleOverlapPolicy.BUFFER_ALL))
        for number in range(3):
            while len(world.scheduled) == number:
                await asyncio.sleep(0.02)
            while not (running := (await nightly.describe()).info.running_actions):
                await asyncio.sleep(0.02)
            (action,) = running
            assert isinstance(action, ScheduleActionExecutionStartWorkflow)
            run = server.client.get_workflow_handle(action.workflow_id)
            await do_upkeep(await incident_of(server.client, run))
            await run.result()
    assert [(call.at, call.after) for call in world.scheduled] == list(zip(nights, [None, *nights], strict=False))


async def test_a_run_whose_key_is_held_fails(server: WorkflowEnvironment, world: World) -> None:
    """An incident that stands for the run already is told, not doubled."""
    world.keyed = "nightly"
    async with world.workers(server.client):
        first = await started(server.client, 1)
        await incident_of(server.client, first)
        second = await started(server.client, 2)
        with pytest.raises(WorkflowFailureError) as failed:
            await second.result()
    assert "nightly stands for an incident that is open already" in str(failed.value.cause)
