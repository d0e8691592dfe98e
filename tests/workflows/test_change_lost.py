"""The workflow of a change is terminated: the record says what came of it, and what was begun goes on."""

import asyncio

from temporalio.testing import WorkflowEnvironment

from domain.model.activity_io import ChangeOutcome
from tests.workflows.asking import MANAGER, approve, ask, begin
from tests.workflows.told import Told
from tests.workflows.world import World


async def approved(server: WorkflowEnvironment, world: World) -> tuple[Told, str]:
    """A rollback whose intent is on record, and of whose vote nobody has heard yet."""
    world.acting.clear()
    told = await begin(server)
    change = await ask(told)
    await approve(told, change)
    while not world.past.intents:
        await asyncio.sleep(0.02)
    return told, change["workflow_id"]


async def test_before_its_intent_nothing_was_done(server: WorkflowEnvironment, world: World) -> None:
    """It says so, and never will be done; another can be asked for."""
    async with world.workers(server.client):
        told = await begin(server)
        first = await ask(told)
        await told.change("rollback").terminate("by hand")
        change = await told.change_is("rollback", "failed")
        assert change["reason"] == "its workflow was ended from outside; nothing was done"
        assert world.past.intents[first["workflow_id"]].outcome == "nothing"
        await approve(told, await ask(told))
        assert (await told.change_is("rollback", "applied"))["generation"] == 2


async def test_between_intent_and_outcome_it_goes_on(server: WorkflowEnvironment, world: World) -> None:
    """Applied once, with the vote that nobody had heard of."""
    async with world.workers(server.client):
        told, _ = await approved(server, world)
        await told.change("rollback").terminate("by hand")
        await told.until(lambda s: s["changes"][0]["lost"] == 1)
        world.acting.set()
        change = await told.change_is("rollback", "applied")
        texts = [entry["text"] for entry in await told.timeline()]
    assert [(vote["by"], vote["decision"]) for vote in change["approvals"]] == [(MANAGER, "approve")]
    assert any(f"its intent is on record, approved by {MANAGER}" in text for text in texts)
    assert len(world.acted) == 1


async def test_while_it_is_verified_it_goes_on(server: WorkflowEnvironment, world: World) -> None:
    world.verifying.clear()
    async with world.workers(server.client):
        told = await begin(server)
        await approve(told, await ask(told))
        await told.change_is("rollback", "verifying")
        await told.change("rollback").terminate("by hand")
        await told.until(lambda s: s["changes"][0]["lost"] == 1 and not s["changes"][0]["adrift"])
        world.verifying.set()
        change = await told.change_is("rollback", "applied")
    assert (change["ours"], len(world.acted)) == (True, 1)


async def test_after_its_outcome_it_ends_with_that(server: WorkflowEnvironment, world: World) -> None:
    """Nothing is begun again."""
    async with world.workers(server.client):
        told, name = await approved(server, world)
        found = world.past.intents[name]
        world.past.intents[name] = found.model_copy(update={"outcome": "verified", "message": "steady"})
        run = (await told.change("rollback").describe()).run_id
        await told.change("rollback").terminate("by hand")
        change = await told.change_is("rollback", "applied")
        assert (await told.change("rollback").describe()).run_id == run
        world.acting.set()
    assert ([vote["by"] for vote in change["approvals"]], change["reason"]) == ([MANAGER], "steady")


async def test_what_cannot_be_read_is_to_be_looked_at(server: WorkflowEnvironment, world: World) -> None:
    """It is never told as if nothing were done; whoever commands is paged."""
    world.broken.add("outcome")
    async with world.workers(server.client):
        told, _ = await approved(server, world)
        await told.change("rollback").terminate("by hand")
        change = await told.change_is("rollback", "failed")
        await told.until(lambda s: any("look what came of it" in page["reason"] for page in s["pages"]))
        world.acting.set()
    assert change["reason"].startswith("its workflow was ended from outside, and what came of it could not be read")


async def test_a_cancelled_incident_s_change_ends_too(server: WorkflowEnvironment, world: World) -> None:
    """A false alarm waits for what was begun, and ends once that has."""
    async with world.workers(server.client):
        told, name = await approved(server, world)
        world.past.intents[name] = ChangeOutcome(outcome="failed", message="targets unhealthy")
        await told.change("rollback").terminate("by hand")
        await told.do("false_alarm", reason="test")
        account = await told.handle.result()
        world.acting.set()
    assert [change["status"] for change in account["state"]["changes"]] == ["failed"]
