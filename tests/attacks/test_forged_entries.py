"""Nothing enters the timeline that the ledger, or the next run, could not take."""

from datetime import UTC, datetime
from typing import Any

from temporalio.testing import WorkflowEnvironment

from domain.values.timestamps import stamp
from tests.attacks.stranger import failed_tasks, lengths
from tests.builders import declaration
from tests.workflows.asking import approve, ask, refused
from tests.workflows.told import Told
from tests.workflows.world import World


async def test_an_entry_that_no_table_takes(server: WorkflowEnvironment, world: World) -> None:
    """Forged entries of 500 and 900 KB are refused: the ledger goes on being written, and runs follow each other."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC), history_limit=60))
        await told.do("acknowledge")
        change = await ask(told)
        sizes = (500_000, 900_000, 900_000, 900_000)
        for size in sizes:
            await told.handle.signal("change_progress", _forged(change["workflow_id"], "x" * size))
        await refused(told, len(sizes))
        await approve(told, change)
        await told.change_is("rollback", "applied")
        while len(await lengths(server.client, told.handle.id)) < 2:
            await told.do("note", text="more")
        state = await told.do("note", text="the last")
        await told.until(lambda now: now["timeline"]["written"] >= state["timeline"]["length"])
        assert await failed_tasks(server.client, told.handle.id, change["workflow_id"]) == []
    assert max(len(entry.model_dump_json()) for entry in world.ledger) < 400_000


async def test_an_entry_of_another_change(server: WorkflowEnvironment, world: World) -> None:
    """News of a change that the incident does not have, or that names another inside, is refused on record."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
        change = await ask(told)
        none, other = _forged(f"{told.handle.id}/x/1", "r"), _forged(change["workflow_id"], "r")
        other["events"][0]["event"]["workflow_id"] = f"{told.handle.id}/promote/1"
        for forged in (none, other):
            await told.handle.signal("change_progress", forged)
        assert len(await refused(told, 2)) == 2
        assert (await told.state())["changes"][0]["status"] == "awaiting-approval"


async def test_a_vote_that_says_of_itself_that_it_is_proven(server: WorkflowEnvironment, world: World) -> None:
    """It is refused with all that came with it, an end of the change that was none among them."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
        change = await ask(told)
        forged = _forged(change["workflow_id"], "r")
        vote = {"kind": "approval", "step": "rollback", "workflow_id": change["workflow_id"], "title": "t"}
        voted = {**vote, "by": "cto", "role": "cto", "decision": "approve", "verified": True}
        forged["events"].insert(0, {**forged["events"][0], "number": 89, "event": voted})
        await told.handle.signal("change_progress", forged)
        assert "is proven" in (await refused(told))[0]
        [kept] = (await told.state())["changes"]
        assert (kept["status"], kept["approvals"]) == ("awaiting-approval", [])


async def test_names_that_a_refusal_would_repeat(server: WorkflowEnvironment, world: World) -> None:
    """A refusal is short whatever was said: step, sender and settings may be as long as a message."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
        long = "\x01" * 10_000
        await told.handle.signal("complete_task", {"by": "devops-lead", "step": long})
        await told.handle.signal("note", {"by": long, "text": "t"})
        await told.handle.signal("request_change", {"by": "cto", "step": "rollback", "set": {long: long}})
        await told.handle.signal("x" * 900, {"by": "cto"})
        await refused(told, 4)
        entries = [entry for entry in await told.timeline() if entry["kind"] == "refused"]
    assert max(len(str(entry)) for entry in entries) < 20_000


def _forged(workflow_id: str, reason: str) -> dict[str, Any]:
    event = {"kind": "change", "step": "rollback", "workflow_id": workflow_id, "title": "t", "status": "applying"}
    happening = {"number": 90, "at": stamp(datetime.now(UTC)), "actor": "cto", "event": {**event, "reason": reason}}
    return {"workflow_id": workflow_id, "events": [happening]}
