"""A run that has heard too much ends amid what it does, and the next one goes on with it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from temporalio import activity
from temporalio.testing import WorkflowEnvironment

from domain.model.activity_io import FollowCall, WaveRequest
from domain.model.declaration import Declaration
from domain.values import ids
from tests.attacks.stranger import failed_tasks, flood, lengths
from tests.attacks.test_floods import counted
from tests.builders import LEADS, declaration
from tests.workflows.asking import approve, ask
from tests.workflows.told import Told
from tests.workflows.world import World


def _short(limit: int) -> Declaration:
    return declaration(declared_at=datetime.now(UTC), history_limit=limit)


async def test_amid_a_page_that_is_not_answered(server: WorkflowEnvironment, world: World) -> None:
    """While a page waits for its provider the incident carries on, and the page is sent by the run that stands."""
    asked, answers = 0, asyncio.Event()

    @activity.defn(name="people.page_wave")
    async def page_wave(call: WaveRequest) -> None:
        nonlocal asked
        asked += 1
        while not answers.is_set():
            await asyncio.sleep(0.05)
        raise RuntimeError("no provider")

    world.activities = _with(world, page_wave)  # type: ignore[method-assign]
    async with world.workers(server.client):
        told = await Told.start(server.client, _short(60))
        while len(await lengths(server.client, told.handle.id)) < 2:
            await flood(server.client, told.handle.id, "note", {"by": "cto", "text": "more"}, 20)
        answers.set()
        await told.until(lambda state: state["status"] == "declared" and len(world.pages) >= len(LEADS))
        assert await failed_tasks(server.client, told.handle.id) == []
    assert {role for role, _ in world.pages} >= set(LEADS)


async def test_amid_a_plan_and_the_wait_for_evidence(server: WorkflowEnvironment, world: World) -> None:
    """A change that is flooded while it is planned asks for its plan again, and keeps the vote that came before it."""
    world.gate.clear()
    async with world.workers(server.client):
        told = await Told.start(server.client, _short(60))
        await told.do("acknowledge")
        await told.do("request_change", by="development-lead", step="rollback")
        name = f"{told.handle.id}/rollback/1"
        await server.client.get_workflow_handle(name).signal("reject", {"by": "technical-manager", "reason": "early"})
        while len(await lengths(server.client, name)) < 2:
            await flood(server.client, name, "approve", {"by": "nobody", "digest": "x"}, 20)
        world.gate.set()
        rejected = await told.change_is("rollback", "rejected")
        assert await failed_tasks(server.client, told.handle.id, name) == []
    assert [vote["decision"] for vote in rejected["approvals"]] == ["reject"]
    assert world.acted == []


async def test_work_that_no_ledger_takes(server: WorkflowEnvironment, world: World) -> None:
    """Follow-up work hears people though the ledger hangs, carries on, and writes each entry once it answers."""
    answers = asyncio.Event()

    @activity.defn(name="ledger.follow")
    async def follow(call: FollowCall) -> None:
        while not answers.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)
        if call.number not in [one.number for one in world.followed]:
            world.followed.append(call)

    world.activities = _with(world, follow)  # type: ignore[method-assign]
    async with world.workers(server.client):
        told = await Told.start(server.client, _short(60))
        for name, more in (("acknowledge", {}), ("mitigated", {"summary": "m"}), ("resolve", {"summary": "r"})):
            await told.do(name, **more)
        for step in ("assess", "review"):
            await told.do("complete_task", step=step)
        await told.do("close")
        await told.handle.result()
        work = Told(server.client, server.client.get_workflow_handle(ids.follow_up_workflow_id(told.handle.id)))
        sent = 0
        while len(await lengths(server.client, work.handle.id)) < 3:
            await flood(server.client, work.handle.id, "note", {"by": "cto", "text": "more"}, 10)
            await flood(server.client, work.handle.id, "note", "garbage", 10)
            sent += 10
        answers.set()
        await work.handle.signal("complete_task", {"by": "devops-lead", "step": "training"})
        await work.handle.result()
        assert await failed_tasks(server.client, work.handle.id) == []
    entries = [one.model_dump(mode="json") for one in world.followed]
    assert sum(one["kind"] == "note" for one in entries) == sent
    assert counted(entries, "note") == sent
    assert [one["number"] for one in entries] == [*range(1, len(entries) + 1)]


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_thousands_that_waited_for_a_worker(server: WorkflowEnvironment, world: World) -> None:
    """Two thousand notes and as many votes that came while no worker ran are all taken once one does."""
    async with world.workers(server.client):
        told = await Told.start(server.client, _short(4000))
        change = await ask(told)
    await flood(server.client, told.handle.id, "note", {"by": "cto", "text": "waited " * 20}, 2000)
    await flood(server.client, change["workflow_id"], "approve", {"by": "cto", "digest": "0"}, 2000)
    async with world.workers(server.client):
        await approve(told, change)
        await told.change_is("rollback", "applied")
        await told.until(lambda state: state["timeline"]["written"] == state["timeline"]["length"])
        assert await failed_tasks(server.client, told.handle.id, change["workflow_id"]) == []
    entries = [one.model_dump(mode="json") for one in world.ledger]
    assert sum(one["kind"] == "note" for one in entries) == 2000
    assert counted(entries, "approve") == 2000


def _with(world: World, other: Callable[..., object]) -> Callable[[], list[Callable[..., object]]]:
    """The world's activities, one of them another."""
    made, name = world.activities(), activity._Definition.must_from_callable(other).name
    kept = [one for one in made if activity._Definition.must_from_callable(one).name != name]
    return lambda: [*kept, other]
