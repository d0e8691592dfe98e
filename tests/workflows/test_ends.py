"""How an incident ends, whatever it still waits for: its record first, then what it leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from domain.values import ids
from starters.client import incident_client
from tests.activities.scopes import environment
from tests.builders import declaration
from tests.workflows import serving
from tests.workflows.serving import QUEUES, hands
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows import messenger

VAULT = environment(
    kind="sandbox", evidence={"bucket": "axis-evidence", "kms_key": "alias/evidence", "signing_key": "alias/ledger"}
)


@asynccontextmanager
async def open_incident(env: WorkflowEnvironment, world: World) -> AsyncIterator[Told]:
    async with world.workers(env.client):
        fields = {"declared_at": await env.get_current_time(), "environment": VAULT}
        yield await Told.start(env.client, declaration(**fields))


async def close(told: Told) -> None:
    """People close it with one task that is left to do."""
    await told.do("acknowledge")
    await told.do("mitigated", summary="rolled back")
    await told.do("resolve", summary="steady")
    for step in ("assess", "review"):
        await told.do("waive_task", step=step, reason="a test")
    await told.do("close")


async def runs(env: WorkflowEnvironment, workflow_id: str) -> bool:
    try:
        found = await env.client.get_workflow_handle(workflow_id).describe()
    except RPCError:
        return False
    return found.status is WorkflowExecutionStatus.RUNNING


async def test_a_page_that_nobody_answers_does_not_hold_it_up(skipping: WorkflowEnvironment, world: World) -> None:
    """A minute after the end nobody needs it: it is left, on record, and the others have been sent once."""
    world.unreached = {"devops-lead"}
    world.broken = {"page devops-lead"}
    async with open_incident(skipping, world) as told:
        await told.until(lambda state: sum(page["settled"] for page in state["pages"]) == len(state["pages"]) - 1)
        await told.do("acknowledge")
        await told.do("false_alarm", reason="a test")
        account = await told.handle.result()
    closed = datetime.fromisoformat(account["state"]["closed_at"])
    (left,) = (entry for entry in account["timeline"] if entry["kind"] == "page-failed")
    assert left["data"]["reason"] == "the incident had ended for a minute, and no answer came"
    assert timedelta(minutes=1) <= datetime.fromisoformat(left["at"]) - closed < timedelta(minutes=2)
    assert "devops-lead" not in {role for role, _ in world.pages}


async def test_a_wave_that_nobody_sends_does_not_either(
    server: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several pages at once are one request, which waits for as long as no worker sends."""
    monkeypatch.setattr(messenger, "_LAST", timedelta(seconds=1))
    monkeypatch.setattr(serving, "runner", lambda **_: UnsandboxedWorkflowRunner())
    served = [queue for queue in QUEUES if queue != ids.NOTIFY_QUEUE]
    async with world.incidents(server.client), hands(server.client, world.activities(), queues=served):
        fields = {"declared_at": await server.get_current_time(), "environment": VAULT}
        told = await Told.start(server.client, declaration(**fields))
        await told.do("acknowledge")
        await told.do("false_alarm", reason="a test")
        account = await asyncio.wait_for(told.handle.result(), 30)
    left = [entry["data"] for entry in account["timeline"] if entry["kind"] == "page-failed"]
    assert {entry["reason"] for entry in left} == {"the incident had ended for a minute, and no answer came"}
    assert len(left) == len(account["state"]["pages"]) > 1


async def test_what_is_left_begins_once_the_record_is_whole(server: WorkflowEnvironment, world: World) -> None:
    """Its first entry would stand where the incident's last one belongs."""
    world.storing.clear()
    async with open_incident(server, world) as told:
        work = ids.follow_up_workflow_id(told.handle.id)
        await close(told)
        await world.storing_begun.wait()
        early = await runs(server, work)
        world.storing.set()
        account = await told.handle.result()
        left: dict[str, Any] = await server.client.get_workflow_handle(work).query("state")
    assert not early
    assert left["report"] == account["state"]["report"] != None  # noqa: E711 - it was stored before
    assert [entry.model_dump(mode="json") for entry in world.ledger] == account["timeline"]


async def test_it_ends_though_a_workflow_has_the_name_of_its_follow_up(
    server: WorkflowEnvironment, world: World
) -> None:
    async with open_incident(server, world) as told:
        taken = ids.follow_up_workflow_id(told.handle.id)
        theirs = await server.client.start_workflow("Theirs", id=taken, task_queue="theirs")
        await close(told)
        account = await asyncio.wait_for(told.handle.result(), 20)
        await theirs.terminate()
    assert account["state"]["status"] == "closed"


async def test_work_is_told_to_what_is_left_as_soon_as_that_begins(
    server: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has done a task while the report is stored is not sent away."""
    looked, looks = asyncio.Event(), incident_client._leaves_work

    async def noted(client: Client, incident: str) -> bool:
        looked.set()
        return await looks(client, incident)

    monkeypatch.setattr(incident_client, "_leaves_work", noted)
    world.storing.clear()
    async with open_incident(server, world) as told:
        await close(told)
        await world.storing_begun.wait()
        done = {"by": "devops-lead", "step": "training", "note": "done"}
        sent = asyncio.create_task(incident_client.send_work(server.client, told.handle.id, "complete_task", done))
        await looked.wait()
        world.storing.set()
        state = await sent
    assert [task["status"] for task in state["tasks"] if task["step"] == "training"] == ["done"]
