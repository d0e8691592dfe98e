"""What a change has said and its incident has lost, heard and not written, is said again to the life that goes on."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from domain.rules.evolve import fold
from tests.builders import declaration
from tests.workflows.asking import MANAGER, approve, ask, begin
from tests.workflows.test_change_unheard import restored, runs
from tests.workflows.told import Told
from tests.workflows.world import World


async def written(told: Told) -> None:
    await told.until(lambda s: s["timeline"]["written"] == s["timeline"]["length"])


async def lose(told: Told, world: World) -> Told:
    """The server is lost; nothing was written since the ledger broke. The incident goes on from its record."""
    await told.handle.terminate("the server is lost")
    world.broken.discard("ledger")
    return await restored(told)


def moves(world: World) -> list[str]:
    """Every status that a change came to, as the record has it."""
    return [entry.data["status"] for entry in world.ledger if entry.kind == "change"]


async def test_a_plan_is_on_record_after_all(server: WorkflowEnvironment, world: World) -> None:
    """So what was applied can be undone; also where the change ends before the restored incident can ask it."""
    async with world.workers(server.client):
        told = await begin(server)
        world.gate.clear()
        await told.do("request_change", by="development-lead", step="rollback", set={})
        await written(told)
        world.broken.add("ledger")
        world.gate.set()
        change = await told.change_is("rollback", "awaiting-approval")
        new = await lose(told, world)
        await approve(new, change)
        record = await new.change_is("rollback", "applied")
        assert record["plan"]["digest"] == change["plan"]["digest"]
        await new.do("undo", by="development-lead", step="rollback")
        await new.until(lambda s: s["changes"][-1]["status"] == "awaiting-approval")


async def test_the_vote_that_decided_is_on_record_after_all(server: WorkflowEnvironment, world: World) -> None:
    world.applying.clear()
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told, "rollback", by="development-lead")
        await written(told)
        world.broken.add("ledger")
        await approve(told, change)
        await told.change_is("rollback", "applying")
        new = await lose(told, world)
        await new.change_is("rollback", "applying")
        world.applying.set()
        record = await new.change_is("rollback", "applied")
        await written(new)
    assert [vote["by"] for vote in record["approvals"]] == [MANAGER]
    assert moves(world) == ["applying", "verifying", "applied"]
    assert [vote.by for vote in fold(world.ledger).changes[0].approvals] == [MANAGER]


@pytest.mark.parametrize("known", [True, False])
async def test_a_failure_stands_once(server: WorkflowEnvironment, world: World, known: bool) -> None:
    """Whether the hands' record knows of it or not, though the change goes on until its locks are given back."""
    world.broken.add("verify")
    world.releasing.clear()
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told, "rollback", by="development-lead")
        await written(told)
        world.broken.add("ledger")
        await approve(told, change)
        await told.change_is("rollback", "failed")
        name = change["workflow_id"]
        if known:
            failed = {"outcome": "failed", "message": "targets unhealthy"}
            world.past.intents[name] = world.past.intents[name].model_copy(update=failed)
        else:
            del world.past.intents[name]
        new = await lose(told, world)
        await new.change_is("rollback", "failed")
        world.releasing.set()
        assert (await told.change("rollback").result())["news"] is None
        await new.do("note", text="the last")
        await written(new)
    assert moves(world)[-1:] == ["failed"]
    assert moves(world).count("failed") == 1


async def test_what_is_said_while_the_record_is_read_stands_once(server: WorkflowEnvironment, world: World) -> None:
    """The restored incident hears it at once, and asks for what it lacks all the same."""
    world.broken.add("verify")
    world.releasing.clear()
    world.applying.clear()
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told, "rollback", by="development-lead")
        await approve(told, change)
        await told.change_is("rollback", "applying")
        await written(told)
        world.past.reading.clear()
        await told.handle.terminate("the server is lost")
        restoring = asyncio.create_task(restored(told))
        while not await runs(told):
            await asyncio.sleep(0.02)
        world.applying.set()
        handle = told.change("rollback")
        while (await handle.query("state"))["status"] != "failed":
            await asyncio.sleep(0.02)
        world.past.reading.set()
        new = await restoring
        await new.change_is("rollback", "failed")
        world.releasing.set()
        await handle.result()
        await new.do("note", text="the last")
        await written(new)
    assert moves(world) == ["applying", "verifying", "failed"]


async def test_an_end_is_said_again_by_a_later_run(server: WorkflowEnvironment, world: World) -> None:
    """The change was decided against while it carried on as a new run."""
    async with world.hands(server.client):
        short: dict[str, Any] = {"declared_at": datetime.now(UTC), "history_limit": 200}
        async with world.incidents(server.client):
            told = await Told.start(server.client, declaration(**short))
            await told.do("acknowledge")
            await ask(told, "rollback", by="development-lead")
            await written(told)
        change = told.change("rollback")
        first = (await change.describe()).run_id
        for _ in range(255):
            await change.signal("approve", {"by": "nobody", "digest": "x"})
        await change.signal("reject", {"by": MANAGER, "reason": "look first"})
        world.broken.add("ledger")
        world.releasing.clear()
        async with world.incidents(server.client):
            await told.change_is("rollback", "rejected")
            assert (await change.describe()).run_id != first
            new = await lose(told, world)
            await new.change_is("rollback", "rejected")
            world.releasing.set()
            assert (await change.result())["status"] == "rejected"
            assert (await change.describe()).status is WorkflowExecutionStatus.COMPLETED
