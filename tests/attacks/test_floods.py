"""Thousands of messages leave an incident and its changes at work, with a bounded history; none is dropped."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.model.declaration import KeyHold, KeyRelease
from domain.values import ids
from tests.attacks.stranger import failed_tasks, flood, lengths, raw
from tests.builders import declaration
from tests.workflows.asking import approve, ask
from tests.workflows.told import Told
from tests.workflows.world import World

_BAD = {"by": "cto", "digest": "0" * 64}


def counted(entries: list[dict[str, Any]], command: str) -> int:
    """How many refusals of a command are on record: one by one, and in the latest number of each window."""
    one_by_one = len([one for one in entries if one["kind"] == "refused" and one["data"]["command"] == command])
    told = [one["data"] for one in entries if one["kind"] == "refusals-counted"]
    numbers: dict[tuple[Any, ...], dict[str, int]] = {
        (one.get("workflow_id"), one["since"]): one["counts"] for one in told
    }
    return one_by_one + sum(counts.get(command, 0) for counts in numbers.values())


async def _flooded(server: WorkflowEnvironment, world: World, bad: int, limit: int, at_once: int) -> list[int]:
    """Flood a change with bad votes while it waits for votes and while it is applied; returns its runs' lengths."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC), history_limit=limit))
        await told.do("acknowledge")
        change = await ask(told)
        name = change["workflow_id"]
        await flood(server.client, name, "approve", _BAD, bad, at_once)
        world.applying.clear()
        await approve(told, change)
        await flood(server.client, name, "approve", _BAD, bad, at_once)
        world.applying.set()
        applied = await told.change_is("rollback", "applied")
        assert [vote["by"] for vote in applied["approvals"]] == ["technical-manager"]
        assert await failed_tasks(server.client, told.handle.id, name) == []
        found = await lengths(server.client, name)
        if limit > 1000:  # one run has waited for the end of all of the runs of the change
            assert len(await lengths(server.client, told.handle.id)) == 1
        await told.until(lambda state: state["timeline"]["written"] == state["timeline"]["length"])
    entries = [one.model_dump(mode="json") for one in world.ledger]
    assert counted(entries, "approve") == 2 * bad
    assert len(world.acted) == 1
    assert sum(one["kind"] == "refused" for one in entries) <= 100
    return found


async def test_bad_votes_on_a_change(server: WorkflowEnvironment, world: World) -> None:
    """The true vote counts, the change is applied once, its incident hears the end, each bad vote is accounted for."""
    found = await _flooded(server, world, bad=300, limit=100, at_once=10)
    assert len(found) > 1
    assert max(found) < 500


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_ten_thousand_bad_votes(server: WorkflowEnvironment, world: World) -> None:
    """The same of ten thousand, twice."""
    found = await _flooded(server, world, bad=10_000, limit=4000, at_once=50)
    assert max(found) < 12_000


async def test_unknown_signals_on_an_incident(server: WorkflowEnvironment, world: World) -> None:
    """Fifty refusals are written, the rest is a number, and both stand on record when the incident ends."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC), history_limit=150))
        await flood(server.client, told.handle.id, "no-such-command", {"by": "x"}, 333)
        await flood(server.client, told.handle.id, "note", "garbage", 111)
        await told.do("false_alarm", reason="a flood")
        await told.handle.result()
        assert await failed_tasks(server.client, told.handle.id) == []
    entries = [one.model_dump(mode="json") for one in world.ledger]
    assert counted(entries, "no-such-command") == 333
    assert counted(entries, "note") == 111
    assert sum(one["kind"] in {"refused", "refusals-counted"} for one in entries) < 70


async def test_a_key_under_a_flood(server: WorkflowEnvironment, world: World) -> None:
    """A key carries on as a new run, stands for its incident all the while, and is given back by its incident alone."""
    async with world.workers(server.client):
        hold = KeyHold(incident_id="inc-1")
        key = await server.client.start_workflow(
            "IncidentKey", hold, id="key/flooded", task_queue=ids.INCIDENTS_QUEUE, memo={"incident": "inc-1"}
        )
        await flood(server.client, "key/flooded", "release", {"incident_id": "inc-2"}, 900)
        key = server.client.get_workflow_handle("key/flooded")
        await asyncio.gather(*(key.signal("release", args=[raw(b"\xff")]) for _ in range(100)))
        while (await key.query("state"))["refused"] < 1000:
            await asyncio.sleep(0.05)
        assert await (await key.describe()).memo_value("incident") == "inc-1"
        await key.signal("release", KeyRelease(released="inc-1"))
        assert await key.result() == "inc-1"
        assert await failed_tasks(server.client, "key/flooded") == []


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_more_updates_than_a_run_takes(server: WorkflowEnvironment, world: World) -> None:
    """2,500 notes by updates, in seconds, are all taken: the server refuses a run more than 2,000."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC), history_limit=40_000))
        for start in range(0, 2500, 10):  # the server takes ten at once
            await asyncio.gather(*(told.do("note", text=f"note {start + one}") for one in range(10)))
        assert len(await lengths(server.client, told.handle.id)) > 1
        assert await failed_tasks(server.client, told.handle.id) == []
        await told.until(lambda state: state["timeline"]["written"] == state["timeline"]["length"])
    assert sum(entry.kind == "note" for entry in world.ledger) == 2500


async def test_what_was_refused_before_a_change_was_given_up_is_on_record(
    server: WorkflowEnvironment, world: World
) -> None:
    """The false alarm ends the incident while the change is still being put on record as given up."""
    world.releasing.clear()
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
        await told.do("acknowledge")
        change = await ask(told)
        await flood(server.client, change["workflow_id"], "approve", _BAD, 55, 5)
        await told.change_is("rollback", "awaiting-approval")
        await told.do("false_alarm", reason="enough")
        await told.handle.result()
        world.releasing.set()
        await server.client.get_workflow_handle(change["workflow_id"]).result()
    entries = [one.model_dump(mode="json") for one in world.ledger]
    assert counted(entries, "approve") == 55
