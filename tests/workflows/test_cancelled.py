"""Nobody cancels a workflow of ours: it goes on, says that it was to end, and whoever sees to security is paged."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from domain.model.declaration import KeyHold, KeyRelease
from domain.values import ids
from tests.builders import CHAIN, declaration
from tests.workflows.told import Told
from tests.workflows.world import World

REFUSED = "Refused cancel: workflows are not cancelled: people end an incident, or cancel a change, by their commands"


def now_declared(**changes: Any) -> Any:
    return declaration(declared_at=datetime.now(UTC), **changes)


async def tampering(told: Told, count: int = 1) -> list[tuple[str, str]]:
    """The pages about it, once there are so many of them on their way."""
    async with asyncio.timeout(30):
        while True:
            pages = [one for one in (await told.state())["pages"] if "tampers" in one["reason"]]
            if len(pages) >= count:
                return [(one["to"], one["reason"]) for one in pages]
            await asyncio.sleep(0.02)


async def refusals(told: Told) -> list[str]:
    return [one["text"] for one in await told.timeline() if one["kind"] == "refused"]


async def test_an_incident_goes_on(server: WorkflowEnvironment, world: World) -> None:
    """However often it is asked: the server passes one on. It hears people, probes, and pages as it did."""
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared())
        await told.until(lambda state: len(state["pages"]) == 4 and len(state["findings"]) == 2)
        for _ in range(3):
            await told.handle.cancel()
        assert await tampering(told) == [(CHAIN[0], "somebody tampers: the incident was to be cancelled")]
        assert await refusals(told) == [REFUSED]
        await told.do("acknowledge")
        await told.do("false_alarm", reason="a test")
        account = await told.handle.result()
    assert account["state"]["status"] == "false-alarm"
    assert len([one for one in account["timeline"] if one["kind"] == "page"]) == 5


async def test_one_that_is_cancelled_before_it_began_begins(server: WorkflowEnvironment, world: World) -> None:
    """No worker had it yet: it pages all the same."""
    told = await Told.start(server.client, now_declared())
    await told.handle.cancel()
    async with world.workers(server.client):
        state = await told.until(lambda state: len(state["pages"]) == 5)
        assert await refusals(told) == [REFUSED]
        await told.do("false_alarm", reason="a test")
        await told.handle.result()
    assert len(state["pages"]) == 5


@pytest.mark.parametrize("when", ["awaiting-approval", "applying"])
async def test_a_change_goes_on(server: WorkflowEnvironment, world: World, when: str) -> None:
    """While it waits for votes, and amid an activity, which is not cut."""
    if when == "applying":
        world.applying.clear()
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared())
        await told.do("acknowledge")
        await told.do("request_change", step="rollback")
        change = await told.change_is("rollback", "awaiting-approval")
        if when == "awaiting-approval":
            await told.change("rollback").cancel()
            await tampering(told)
        vote = {"by": "technical-manager", "digest": change["plan"]["digest"]}
        await told.change("rollback").signal("approve", vote)
        if when == "applying":
            await told.change_is("rollback", "applying")
            await told.change("rollback").cancel()
            await tampering(told)
            world.applying.set()
        await told.change_is("rollback", "applied")
        (page,) = await tampering(told)
        assert page[0] == CHAIN[0]
        assert page[1].startswith("somebody tampers: the change ")
        assert await refusals(told) == [REFUSED]
        assert len(world.acted) == 1
        await told.do("false_alarm", reason="a test")
        await told.handle.result()


async def test_a_key_holds(server: WorkflowEnvironment, world: World) -> None:
    """It keeps no record: it counts, and stands for its incident until that gives it back."""
    async with world.workers(server.client):
        hold = KeyHold(incident_id="inc-20261123-7f3k")
        key = await server.client.start_workflow(
            "IncidentKey", hold, id=ids.key_workflow_id("production", "an alarm"), task_queue=ids.INCIDENTS_QUEUE
        )
        await key.cancel()
        async with asyncio.timeout(30):
            while (await key.query("state"))["refused"] != 1:
                await asyncio.sleep(0.02)
        assert (await key.describe()).status is WorkflowExecutionStatus.RUNNING
        await key.signal("release", KeyRelease(released=hold.incident_id))
        assert await key.result() == hold.incident_id
