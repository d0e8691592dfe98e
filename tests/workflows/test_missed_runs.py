"""Nights without a run are told by the next one, once, on the real server: without workers, and without the server."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from temporalio.client import (
    ScheduleActionExecutionStartWorkflow,
    ScheduleBackfill,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    ScheduleState,
)
from temporalio.testing import WorkflowEnvironment

from domain.model.declaration import Nominal
from domain.model.scheduled import ScheduledCall, ScheduledResult
from domain.values.local_time import Clock
from starters.client.schedule_rows import Place, in_temporal
from starters.files.organisation_folder import load_schedules
from starters.files.scheduled import declared
from starters.files.shipped import shipped_folder
from tests.workflows.asking import do_upkeep, incident_of
from tests.workflows.gone import ASLEEP, server_on, stopped_at
from tests.workflows.world import World

SYDNEY = "Australia/Sydney"
ROW = load_schedules(shipped_folder(), SYDNEY).of("sandbox")["drift"]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def of_a_run(call: ScheduledCall) -> dict[str, Any]:
    """What a worker says of a run by the shipped files; what there is to be done is the world's."""
    made = declared(shipped_folder(), call)
    return {"scheduled": made.scheduled, "description": made.description}


def nights() -> list[datetime]:
    """The last eight, the newest last."""
    now = datetime.now(UTC)
    return [*ROW.between(now - 8 * DAY, now, ZoneInfo(SYDNEY))]


async def nightly(env: WorkflowEnvironment) -> ScheduleHandle:
    """The shipped schedule of the sandbox, which comes by backfill alone."""
    made = in_temporal(ROW, Place("sandbox", SYDNEY))
    made.state = ScheduleState(paused=True)
    return await env.client.create_schedule("sandbox.drift", made)


async def fill(schedule: ScheduleHandle, *due: datetime) -> None:
    """Have the server do what was due from the first to the last, as when it catches up."""
    skip = ScheduleOverlapPolicy.SKIP
    await schedule.backfill(ScheduleBackfill(due[0] - MINUTE, due[-1] + MINUTE, overlap=skip))


async def ran(env: WorkflowEnvironment, schedule: ScheduleHandle) -> tuple[ScheduledResult, str]:
    """What the run that is under way comes to, and how its incident is described."""
    while not (running := (await schedule.describe()).info.running_actions):
        await asyncio.sleep(0.02)
    (action,) = running
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)
    run = env.client.get_workflow_handle(action.workflow_id, result_type=ScheduledResult)
    told = await incident_of(env.client, run)
    await do_upkeep(told)
    result: ScheduledResult = await run.result()
    while (await schedule.describe()).info.running_actions:
        await asyncio.sleep(0.02)
    return result, str((await told.state())["description"])


async def test_a_week_without_workers_is_one_run_that_tells_of_six(server: WorkflowEnvironment, world: World) -> None:
    """The first night's run waits, the six after it are skipped; it tells them, and the next run does not again."""
    world.of_a_run = of_a_run
    week = nights()[-7:]
    schedule = await nightly(server)
    await fill(schedule, *week)
    while (await schedule.describe()).info.num_actions_skipped_overlap < 6:
        await asyncio.sleep(0.02)
    async with world.workers(server.client, environment="sandbox"):
        result, said = await ran(server, schedule)
        assert (result.nominal.at, result.nominal.missed) == (week[0], tuple(week[1:]))
        clock = Clock(ZoneInfo(SYDNEY))
        missed = f"There was no run 6 times, from {clock(week[1])} to {clock(week[6])}."
        assert said == f"By schedule drift, due {clock(week[0])}. {missed}"
        await schedule.trigger()
        after, _ = await ran(server, schedule)
    assert after.nominal.missed == ()
    assert [call.after for call in world.scheduled] == [None, week[6]]
    assert (await schedule.describe()).info.num_actions == 2


async def test_a_week_without_the_server_is_one_run_that_tells_of_six(tmp_path: Path, world: World) -> None:
    """A server that is back does what was due within the day: the last night, which tells of those before it.

    It reckons that itself, from where it stopped; the night before that was done in time.
    """
    before, *missed, last = nights()
    database, world.of_a_run = tmp_path / "temporal.db", of_a_run
    done = ScheduledResult(incident="inc-before", nominal=Nominal(schedule="drift", at=before), told=before)
    async with server_on(database, *ASLEEP) as env:
        await env.client.create_schedule("sandbox.drift", in_temporal(ROW, Place("sandbox", SYDNEY)))
        left = await env.client.data_converter.encode([done])
    stopped_at(before + MINUTE, database, left)
    async with server_on(database) as env:
        schedule = env.client.get_schedule_handle("sandbox.drift")
        async with world.workers(env.client, environment="sandbox"):
            result, said = await ran(env, schedule)
        told = (await schedule.describe()).info
    assert (result.nominal.at, result.nominal.missed) == (last, tuple(missed))
    clock = Clock(ZoneInfo(SYDNEY))
    assert said.endswith(f" There was no run 6 times, from {clock(missed[0])} to {clock(missed[-1])}.")
    assert (len(missed), told.num_actions_missed_catchup_window, told.num_actions) == (6, 6, 1)
