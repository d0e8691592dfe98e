"""A drill: the same incident and changes under another mark, and whatever happens, what was injected is withdrawn."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from domain.model.drill import DrillRun
from domain.model.scheduled import ScheduledRun
from domain.values import ids
from starters.client import drills
from tests.builders import declaration, with_notices
from tests.workflows.asking import approve
from tests.workflows.told import Told
from tests.workflows.world import World

FAST = 3600.0
STAGING = DrillRun(environment="staging", by="cto")


async def begun(env: WorkflowEnvironment, run: DrillRun = STAGING) -> WorkflowHandle[Any, Any]:
    return await env.client.start_workflow(
        "Drill", run, id=ids.drill_workflow_id(run.environment), task_queue=ids.INCIDENTS_QUEUE, result_type=dict
    )


async def incident(env: WorkflowEnvironment, run: WorkflowHandle[Any, Any]) -> Told:
    """The drill's incident, once it is declared."""
    while (found := (await run.query("state"))["incident"]) is None:
        await asyncio.sleep(0.02)
    return Told(env.client, env.client.get_workflow_handle(found))


@asynccontextmanager
async def drilled(
    env: WorkflowEnvironment, world: World, run: DrillRun = STAGING
) -> AsyncIterator[tuple[WorkflowHandle[Any, Any], Told]]:
    async with world.workers(env.client):
        handle = await begun(env, run)
        yield handle, await incident(env, handle)


def done(world: World) -> list[str]:
    """What was done of the fault, each under the one id of the drill."""
    assert len({id_ for _, id_ in world.drills.done}) == 1
    return [do for do, _ in world.drills.done]


async def respond(told: Told) -> None:
    """Mitigated by a change that somebody else approves, resolved and closed."""
    await told.until(lambda state: len(state["findings"]) == 2)
    await told.do("acknowledge")
    await told.do("request_change", by="development-lead", step="rollback")
    await approve(told, await told.change_is("rollback", "awaiting-approval"))
    await told.change_is("rollback", "applied")
    await told.do("mitigated", summary="rolled back")
    await told.do("resolve", summary="steady")
    for step in ("assess", "review"):
        await told.do("complete_task", step=step)
    await told.do("close")


async def test_it_ends_with_its_incident(server: WorkflowEnvironment, world: World) -> None:
    """Injected before it is declared, withdrawn once people have closed it; nothing goes on after it."""
    async with drilled(server, world) as (run, told):
        assert done(world) == ["inject"]
        state = await told.state()
        assert (state["mode"], state["title"], state["declared_by"]) == ("drill", "Portal down", "devops-lead")
        await respond(told)
        result = await run.result()
    assert result == {
        "outcome": "ended",
        "reason": "people have ended it",
        "scenario": "broken",
        "incident": told.handle.id,
    }
    assert done(world) == ["inject", "withdraw"]
    assert all(subject.startswith("DRILL ") for _, subject in world.pages)
    follow_up = server.client.get_workflow_handle(ids.follow_up_workflow_id(told.handle.id))
    with pytest.raises(Exception, match="not found"):
        await follow_up.describe()


SAME = ("kind", "text", "actor", "cause", "data")
OWN = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|'entry': \d+|0000\d\d\.md|'code': '\w+'")
"""What no two runs have in common beside the incident's id: instants, and the numbers of entries."""


def unmarked(entries: list[dict[str, Any]], incident_id: str) -> list[str]:
    """What entries say, whatever the incident is called and whenever it was; of the declaration only that it is one."""
    told = [
        {name: entry[name] for name in SAME} | ({"data": {}} if entry["kind"] == "declared" else {})
        for entry in entries
    ]
    return sorted(OWN.sub("OWN", str(one).replace(incident_id, "ID")) for one in told)


async def test_it_is_a_live_incident_but_for_its_mark(server: WorkflowEnvironment, world: World) -> None:
    """The same script, live and as a drill: event by event the same, pages and changes too."""
    async with drilled(server, world) as (run, told):
        await respond(told)
        await run.result()
        drill = (await told.handle.result())["timeline"]
    live_world = World()
    async with live_world.workers(server.client):
        runbook, now = with_notices(), datetime.now(UTC)
        live = await Told.start(
            server.client, declaration(runbook=runbook, declared_at=now, incident_id="inc-20261123-live")
        )
        await respond(live)
        entries = (await live.handle.result())["timeline"]
    assert unmarked(drill, told.handle.id) == unmarked(entries, live.handle.id)
    assert len(entries) > 30
    assert sorted((role, subject.replace(told.handle.id, "ID")) for role, subject in world.pages) == sorted(
        (role, f"DRILL {subject}".replace(live.handle.id, "ID")) for role, subject in live_world.pages
    )
    assert world.applied_in_order == live_world.applied_in_order


async def test_when_its_time_is_up_it_ends(server: WorkflowEnvironment, world: World) -> None:
    """A change that waits for votes is cancelled, the incident ends as a drill's, and nobody is paged any more."""
    world.drills.scenario = {"time_box": "2h"}
    async with drilled(server, world, STAGING.model_copy(update={"speed": FAST})) as (run, told):
        await told.do("request_change", by="development-lead", step="promote")
        await told.change_is("promote", "awaiting-approval")
        assert (await run.result())["outcome"] == "time-box"
        account = await told.handle.result()
    state, timeline = account["state"], account["timeline"]
    assert (state["status"], [change["status"] for change in state["changes"]]) == ("closed", ["cancelled"])
    (ended,) = [entry["seq"] for entry in timeline if entry["kind"] == "drill-ended"]
    assert [entry for entry in timeline if entry["kind"] in {"page", "paging"} and entry["seq"] > ended] == []
    assert done(world) == ["inject", "withdraw"]


async def test_something_real_stops_it(server: WorkflowEnvironment, world: World) -> None:
    """A live incident comes first: the drill ends at once, and says for which."""
    async with drilled(server, world) as (run, told):
        world.drills.live = ["inc-20261123-real"]
        result = await run.result()
        state = (await told.handle.result())["state"]
    assert (result["outcome"], result["reason"]) == ("gave-way", "inc-20261123-real is open and live")
    assert state["status"] == "closed"
    assert done(world) == ["inject", "withdraw"]


async def test_somebody_stops_it(server: WorkflowEnvironment, world: World) -> None:
    """Who and why is told; in a sandbox nobody signs it."""

    def never(*_: Any) -> Any:
        raise AssertionError

    async with drilled(server, world):
        said = {"by": "cto", "reason": "the office is on fire"}
        result = await drills.stop(server.client, "staging", None, said, never)
    assert (result["outcome"], result["reason"]) == ("stopped", "cto stopped it: the office is on fire")
    assert done(world) == ["inject", "withdraw"]


async def test_a_cancelled_workflow_withdraws(server: WorkflowEnvironment, world: World) -> None:
    """So does one that Temporal's own command cancels."""
    async with drilled(server, world) as (run, told):
        await run.cancel()
        result = await run.result()
        await told.handle.result()
    assert result["outcome"] == "stopped"
    assert done(world) == ["inject", "withdraw"]


async def test_what_was_opened_beside_it_ends_too(server: WorkflowEnvironment, world: World) -> None:
    """An incident that a finding of the drill opened is of the drill, and pages nobody after it."""
    world.drills.opens = "health"
    world.suspect = {"test.health"}
    async with drilled(server, world) as (run, told):
        (link,) = (await told.until(lambda state: state["links"] and state["links"][0]["incident"]))["links"]
        beside = Told(server.client, server.client.get_workflow_handle(link["incident"]))
        assert (await beside.state())["mode"] == "drill"
        await run.execute_update("stop", {"by": "cto", "reason": "enough"})
        await run.result()
        assert (await beside.handle.result())["state"]["status"] == "closed"


@pytest.mark.parametrize(("broken", "left"), [("prepare", []), ("inject", ["withdraw"])])
async def test_what_cannot_begin_declares_nothing(
    server: WorkflowEnvironment, world: World, broken: str, left: list[str]
) -> None:
    """Production is refused before anything; where injecting failed, it may have been done in part."""
    world.drills.broken = {broken}
    async with world.workers(server.client):
        with pytest.raises(WorkflowFailureError):
            await (await begun(server)).result()
    assert [do for do, _ in world.drills.done] == left
    assert world.ledger == []


async def test_while_something_real_is_open_none_begins(server: WorkflowEnvironment, world: World) -> None:
    """One that is asked for by hand is refused; a schedule's is put off by days, and missed after three."""
    world.drills.live = ["inc-20261123-real"]
    async with world.workers(server.client):
        with pytest.raises(WorkflowFailureError) as refused:
            await (await begun(server)).result()
        assert "inc-20261123-real is open and live" in str(refused.value.cause)
        later = DrillRun(environment="staging", days=3, speed=864000)
        missed = await (await begun(server, later)).result()
        assert (missed["outcome"], missed["incident"]) == ("missed", None)
        put_off = await begun(server, later.model_copy(update={"speed": 40000}))
        world.drills.live = []
        told = await incident(server, put_off)
        await put_off.execute_update("stop", {"by": "cto", "reason": "it has begun"})
        await told.handle.result()
        await put_off.result()
    assert done(world) == ["inject", "withdraw"]


async def test_one_that_is_stopped_while_it_is_put_off_injects_nothing(
    server: WorkflowEnvironment, world: World
) -> None:
    """What is real is open still, and nothing is broken beside it."""
    world.drills.live = ["inc-20261123-real"]
    async with world.workers(server.client):
        put_off = await begun(server, DrillRun(environment="staging", days=3))
        await put_off.execute_update("stop", {"by": "cto", "reason": "not this month"})
        over = await put_off.result()
    assert (over["outcome"], over["incident"]) == ("stopped", None)
    assert world.drills.done == []


async def test_a_schedule_starts_one_and_waits_for_it(server: WorkflowEnvironment, world: World) -> None:
    """With the kind that its row fixes; one that is under way lets the next run fail, and goes on."""
    run = ScheduledRun.model_validate(
        {"schedule": "yearly", "environment": "staging", "declares": "drill", "drill": {"kind": "simulation"}}
    )

    async def scheduled(number: int) -> WorkflowHandle[Any, Any]:
        return await server.client.start_workflow(
            "Scheduled", run, id=f"scheduled/{number}", task_queue=ids.INCIDENTS_QUEUE, result_type=dict
        )

    async with world.workers(server.client):
        first = await scheduled(1)
        handle = server.client.get_workflow_handle(ids.drill_workflow_id("staging"))
        while not world.drills.prepared:
            await asyncio.sleep(0.02)
        told = await incident(server, handle)
        with pytest.raises(WorkflowFailureError) as failed:
            await (await scheduled(2)).result()
        assert "a drill of staging is under way" in str(failed.value.cause)
        await handle.execute_update("stop", {"by": "cto", "reason": "enough"})
        result = await first.result()
    assert (result["incident"], result["nominal"]["schedule"]) == (told.handle.id, "yearly")
    (call,) = world.drills.prepared
    assert (call.run.kind, call.run.by) == ("simulation", None)


async def test_a_live_incident_does_not_hear_of_the_end_of_a_drill(server: WorkflowEnvironment, world: World) -> None:
    """Whoever signals so ends nothing real."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
        await told.handle.signal("end_drill", {"reason": "mischief"})
        await told.do("acknowledge")
        assert (await told.state())["status"] == "acknowledged"
        assert "drill-ended" not in {entry["kind"] for entry in await told.timeline()}


async def test_a_stop_without_a_reason_is_refused(server: WorkflowEnvironment, world: World) -> None:
    async with drilled(server, world) as (run, _):
        with pytest.raises(WorkflowUpdateFailedError):
            await run.execute_update("stop", {"by": "cto"})
        await run.execute_update("stop", {"by": "cto", "reason": "enough"})
        await run.result()
