"""An incident's workflow is ended while its change lives on: what the change says meanwhile is heard once it can be."""

import asyncio
import logging
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain.model.commands import Reject
from domain.rules.change_messages import ChangeNews
from domain.rules.run import RestoreRequest
from domain.values import ids
from tests.builders import T0, minutes
from tests.domain.changing import waiting
from tests.workflows.asking import MANAGER, approve, ask, begin
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows import teller
from workflows.teller import Teller


async def silenced(server: WorkflowEnvironment, step: str, by: str) -> tuple[Told, dict[str, object]]:
    """An incident that was ended once all of it was on record, and its change, which waits for votes."""
    told = await begin(server)
    change = await ask(told, step, by=by)
    await told.until(lambda s: s["timeline"]["written"] == s["timeline"]["length"])
    await told.handle.terminate("somebody wants silence")
    return told, change


async def restored(told: Told) -> Told:
    name = ids.restore_workflow_id(str(uuid4()))
    await told.client.execute_workflow("Restore", RestoreRequest(), id=name, task_queue=ids.INCIDENTS_QUEUE)
    return Told(told.client, told.client.get_workflow_handle(told.handle.id))


@pytest.mark.parametrize(("command", "status"), [("reject", "rejected"), ("cancel", "cancelled")])
async def test_a_change_that_was_decided_meanwhile_does_not_come_back(
    server: WorkflowEnvironment, world: World, command: str, status: str
) -> None:
    """Nobody is asked again: the incident hears who decided, and the change ends once it has."""
    async with world.workers(server.client):
        told, _ = await silenced(server, "rollback", "development-lead")
        change = told.change("rollback")
        await change.execute_update(command, {"by": MANAGER, "reason": "look first"})
        assert (await change.describe()).status is WorkflowExecutionStatus.RUNNING
        new = await restored(told)
        record = await new.change_is("rollback", status)
        assert (await change.result())["news"] is None
    assert MANAGER in record["reason"]
    assert [one.kind for one in world.ledger].count("approval-asked") == 1


async def test_a_vote_that_was_given_meanwhile_counts(server: WorkflowEnvironment, world: World) -> None:
    """It is heard as soon as the incident can hear, once, and behind what is on record."""
    async with world.workers(server.client):
        told, change = await silenced(server, "promote", MANAGER)
        await approve(told, change, by="cto")
        new = await restored(told)
        state = await new.until(lambda s: s["changes"][0]["approvals"])
        await new.do("note", text="the last")
        entries = await new.timeline()
    assert [vote["by"] for vote in state["changes"][0]["approvals"]] == ["cto"]
    assert [entry["kind"] for entry in entries] == ["restored", "approval", "note"]


async def test_what_is_decided_while_the_record_is_read_does_not_come_back(
    server: WorkflowEnvironment, world: World
) -> None:
    """The incident's workflow runs already, and hears it before it begins a change of its record."""
    world.past.reading.clear()
    async with world.workers(server.client):
        told, _ = await silenced(server, "rollback", "development-lead")
        restoring = asyncio.create_task(restored(told))
        change = told.change("rollback")
        while not await runs(told):
            await asyncio.sleep(0.02)
        await change.execute_update("reject", {"by": MANAGER, "reason": "look first"})
        assert (await change.result())["status"] == "rejected"
        world.past.reading.set()
        new = await restoring
        await new.change_is("rollback", "rejected")
        await new.do("note", text="the last")
        assert (await change.describe()).status is WorkflowExecutionStatus.COMPLETED
    reason = "technical-manager (technical-manager) rejects: look first"
    ((given_up, term),) = [(one.given_up, one.term) for one in world.released]
    assert given_up is not None
    assert (given_up.status, given_up.reason, given_up.by, given_up.votes[0].comment, term) == (
        "rejected",
        reason,
        MANAGER,
        "look first",
        1,
    )


async def test_an_end_that_was_heard_and_not_written_is_said_again(server: WorkflowEnvironment, world: World) -> None:
    """The incident is lost with it, while the change waits for the store to take that it was given up."""
    async with world.workers(server.client):
        told = await begin(server)
        await ask(told, "rollback", by="development-lead")
        await told.until(lambda s: s["timeline"]["written"] == s["timeline"]["length"])
        world.broken.add("ledger")
        world.releasing.clear()
        change = told.change("rollback")
        await change.execute_update("reject", {"by": MANAGER, "reason": "look first"})
        await told.change_is("rollback", "rejected")
        await told.handle.terminate("the server is lost")
        world.broken.clear()
        new = await restored(told)
        await new.change_is("rollback", "rejected")
        world.releasing.set()
        assert (await change.result())["news"] is None
    assert [one.kind for one in world.ledger].count("approval-asked") == 1


async def runs(told: Told) -> bool:
    found = await told.client.get_workflow_handle(told.handle.id).describe()
    return found.status is WorkflowExecutionStatus.RUNNING


async def test_one_that_is_under_way_is_carried_out_for_the_restored_one(
    server: WorkflowEnvironment, world: World
) -> None:
    """The term that it was begun in is over by the time that AWS answers: it is asked for once more in the next."""
    world.applying.clear()
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told, "rollback", by="development-lead")
        await approve(told, change)
        await told.change_is("rollback", "applying")
        await told.until(lambda s: s["timeline"]["written"] == s["timeline"]["length"])
        await told.handle.terminate("somebody wants silence")
        new = await restored(told)
        await new.until(lambda s: s["timeline"]["written"] == s["timeline"]["length"])
        world.applying.set()
        await new.change_is("rollback", "applied")
    assert world.acted == [change["workflow_id"]]


async def test_what_is_approved_afterwards_is_applied(server: WorkflowEnvironment, world: World) -> None:
    """A change acts for the life of its incident that goes on, not for the one that began it."""
    async with world.workers(server.client):
        told, change = await silenced(server, "rollback", "development-lead")
        new = await restored(told)
        await new.until(lambda s: s["timeline"]["written"] == s["timeline"]["length"])
        await approve(new, change)
        await new.change_is("rollback", "applied")
    assert world.acted == [change["workflow_id"]]


async def test_what_nobody_ever_hears_is_given_up_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said some thirty times, and is the change's result."""
    now, said = T0 + minutes(2), []

    async def signal(name: str, news: ChangeNews) -> None:
        said.append(news.events[-1].number)
        raise ApplicationError("no such workflow")

    async def wait_in_vain(_: object, *, timeout: timedelta, **_summary: str) -> None:  # noqa: ASYNC109 - as it is
        nonlocal now
        now += timeout
        raise TimeoutError

    monkeypatch.setattr(teller, "wait_condition", wait_in_vain)
    handle = SimpleNamespace(signal=signal)
    clocked = SimpleNamespace(
        now=lambda: now, get_external_workflow_handle=lambda _: handle, logger=logging.getLogger()
    )
    monkeypatch.setattr(teller, "workflow", clocked)
    change = waiting()
    assert change.hear("reject", Reject(by=MANAGER, reason="look first"), now) is None
    news = await Teller(change, "inc-1", lambda: True, by_signal=False).tell_the_rest()
    assert news is not None
    assert [one.event.kind for one in news.events] == ["approval", "change"]
    assert timedelta(days=1) <= now - T0 < timedelta(days=1, hours=2)
    assert 25 < len(said) < 40
    assert set(said) == {said[0]}
