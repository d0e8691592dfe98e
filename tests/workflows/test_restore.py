"""Temporal is lost, the ledger is not: every incident goes on from it, once, and its older lives are powerless."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from domain.model.state import IncidentState
from domain.model.timeline import Timeline
from domain.rules.evolve import fold
from domain.rules.ledger_progress import LedgerProgress
from domain.rules.live import LiveIncident
from domain.rules.run import Carried, FollowUpRun, IncidentRun, RestoreOutcome, RestoreRequest
from domain.values import ids
from domain.values.errors import ASK_AGAIN
from tests.builders import declaration, with_notices
from tests.drills import exercise
from tests.workflows import serving
from tests.workflows.asking import approve, ask
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows import change_calls, search_attributes

KEY = "alarm-1"


async def restore(client: Client, **request: Any) -> list[str]:
    """What the Restore workflow says became of each incident."""
    outcomes: list[RestoreOutcome] = await client.execute_workflow(
        "Restore",
        RestoreRequest(**request),
        id=ids.restore_workflow_id(str(uuid4())),
        task_queue=ids.INCIDENTS_QUEUE,
        result_type=list[RestoreOutcome],
    )
    return [one.outcome for one in outcomes]


@asynccontextmanager
async def lived(env: WorkflowEnvironment, world: World, **fields: Any) -> AsyncIterator[Told]:
    """An acknowledged incident; when the block ends all of it is on record, and nobody serves it any more."""
    async with world.workers(env.client):
        told = await Told.start(env.client, declaration(declared_at=datetime.now(UTC), **fields))
        await told.until(lambda s: len(s["findings"]) == 2)
        await told.do("acknowledge")
        yield told
        if world.followed or "ledger" in world.broken:
            return
        await told.until(is_written)


def is_written(state: dict[str, Any]) -> bool:
    return bool(state["timeline"]["written"] == state["timeline"]["length"])


def there(env: WorkflowEnvironment, told: Told) -> Told:
    """The same incident on another server."""
    return Told(env.client, env.client.get_workflow_handle(told.handle.id))


async def failure(handle: Any) -> ApplicationError:
    """What a workflow failed with."""
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    return cause


def assert_one_chain(world: World) -> IncidentState:
    """The chain holds across the seam, has one entry that says so, and folds."""
    entries = world.past.entries()
    assert Timeline(entries=entries).first_broken() is None
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    return fold(entries)


async def test_the_incident_of_a_drill_ends_when_it_is_restored(
    server: WorkflowEnvironment, fresh: WorkflowEnvironment, world: World
) -> None:
    """Nobody is there any more who would give way, or withdraw its fault: it ends, and says what is left to do."""
    async with lived(server, world, mode="drill", drill=exercise(), runbook=with_notices()) as old:
        pass
    pages = Counter(world.pages)
    async with world.workers(fresh.client):
        assert await restore(fresh.client) == ["restored"]
        await there(fresh, old).handle.result()
    state, (entry,) = assert_one_chain(world), [one for one in world.past.entries() if one.kind == "drill-ended"]
    assert state.ended
    assert "withdraw bad by hand" in entry.text
    assert Counter(world.pages) == pages


async def test_an_incident_goes_on_where_it_stood(
    server: WorkflowEnvironment, fresh: WorkflowEnvironment, world: World
) -> None:
    """Same deadlines, same votes, nobody paged again, its key held; restored by two at once and once more, once."""
    async with lived(server, world, key=KEY) as old:
        change = await ask(old, "promote", by="technical-manager")
        await approve(old, change, by="cto")
        await old.until(lambda s: s["changes"][0]["approvals"])
        before = await old.until(is_written)
    pages = Counter(world.pages)
    async with world.workers(fresh.client):
        assert await restore(fresh.client, dry_run=True) == ["would-restore"]
        assert world.past.term == 1
        together = await asyncio.gather(restore(fresh.client), restore(fresh.client))
        assert sorted(together) == [["restored"], ["running"]]
        new = there(fresh, old)
        after = await new.until(is_written)
        assert await restore(fresh.client, incident=old.handle.id) == ["running"]
        for part in ("clocks", "pages", "findings", "tasks", "commander", "status", "declared_at", "changes"):
            assert after[part] == before[part], part
        (entry,) = [one for one in await new.timeline() if one["kind"] == "restored"]
        assert entry["data"]["entries"] == before["timeline"]["length"]
        assert entry["data"]["term"] == 2
        await approve(new, change, by="devops-lead")
        await new.change_is("promote", "applied")
        key = await fresh.client.get_workflow_handle(ids.key_workflow_id("production", KEY)).describe()
        assert await key.memo_value("incident") == old.handle.id
        shown = await new.handle.describe()
        assert await shown.memo_value("title") == "Portal down"
        assert await shown.memo_value("key") == ids.key_workflow_id("production", KEY)
        assert shown.typed_search_attributes.get(search_attributes.INCIDENT_TYPE) == "system-outage"
        assert shown.typed_search_attributes.get(search_attributes.INCIDENT_MODE) == "live"
        await new.do("false_alarm", reason="a drill")
        await new.handle.result()
        await fresh.client.get_workflow_handle(ids.key_workflow_id("production", KEY)).result()
    assert Counter(world.pages) == pages
    assert len(world.acted) == 1
    assert assert_one_chain(world).status == "false-alarm"


async def test_what_was_done_and_not_recorded_is_not_done_again(
    server: WorkflowEnvironment, fresh: WorkflowEnvironment, world: World
) -> None:
    """Approved and applied, but lost before the ledger heard of it: the intent on record decides, AWS acts once."""
    async with lived(server, world) as old:
        change = await ask(old)
        await old.until(is_written)
        world.broken.add("ledger")
        await approve(old, change)
        await old.change_is("rollback", "applied")
    world.broken.clear()
    assert fold(world.ledger).changes[0].status == "awaiting-approval"
    async with world.workers(fresh.client):
        assert await restore(fresh.client) == ["restored"]
        new = there(fresh, old)
        await new.change_is("rollback", "applied")
        texts = [entry["text"] for entry in await new.timeline()]
        await new.until(is_written)
    assert any("its intent is on record, approved by technical-manager" in text for text in texts)
    assert len(world.acted) == 1
    assert assert_one_chain(world).changes[0].status == "applied"


async def test_a_state_that_a_client_brings_is_refused(server: WorkflowEnvironment, world: World) -> None:
    """Neither carried from nowhere, nor restored under another id, nor as follow-up work that no incident left."""
    made_up = LiveIncident.declared(declaration())
    carried = Carried(state=made_up.state, timeline=made_up.timeline, ledger=LedgerProgress())
    attempts: list[tuple[str, str, Any]] = [
        ("Incident", made_up.state.id, IncidentRun(carried=carried)),
        ("Incident", "inc-20261123-0001", IncidentRun(restore=made_up.state.id)),
        ("Incident", "inc-20261123-0002", IncidentRun()),
        ("FollowUp", ids.follow_up_workflow_id(made_up.state.id), FollowUpRun(state=made_up.state)),
        ("FollowUp", "inc-20261123-0001/follow-up", FollowUpRun(restore=made_up.state.id)),
    ]
    async with world.workers(server.client):
        for name, workflow_id, argument in attempts:
            handle = await server.client.start_workflow(name, argument, id=workflow_id, task_queue=ids.INCIDENTS_QUEUE)
            assert (await failure(handle)).type == "Refused"
    assert (world.ledger, world.pages, world.past.term) == ([], [], 1)


async def test_what_is_said_while_it_is_read_back(
    server: WorkflowEnvironment, fresh: WorkflowEnvironment, world: World
) -> None:
    """Signals wait and are heard, updates are turned away at once, questions are to be asked again."""
    async with lived(server, world) as old:
        pass
    world.past.reading.clear()
    async with world.workers(fresh.client):
        assert await restore(fresh.client) == ["restored"]
        new = there(fresh, old)
        await new.handle.signal("note", {"by": "cto", "text": "said early"})
        await new.handle.signal("note", {"by": "cto"})
        await new.handle.signal("alert", {"by": "monitoring", "text": "again"})
        await new.handle.signal("no-such-command", {"by": "cto"})
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await new.do("note", text="at once")
        assert "just being restored" in str(refused.value.cause)
        with pytest.raises(WorkflowQueryFailedError, match=ASK_AGAIN):
            await new.handle.query("state")
        world.past.reading.set()
        await new.until(is_written)
        kinds = [entry["kind"] for entry in await new.timeline()]
    assert kinds == ["restored", "note", "refused", "duplicate-alert", "refused"]
    assert_one_chain(world)


async def test_an_older_life_ends_and_does_nothing_more(
    server: WorkflowEnvironment, fresh: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its server comes back: it writes, changes and releases nothing that is the new life's, and ends."""
    monkeypatch.setattr(change_calls, "_NEXT_LIFE", timedelta(seconds=1))  # of which nobody tells its change
    monkeypatch.setattr(serving, "runner", lambda **_: UnsandboxedWorkflowRunner())
    async with lived(server, world) as old:
        change = await ask(old)
    async with world.workers(fresh.client):
        await restore(fresh.client)
        new = there(fresh, old)
        await new.until(is_written)
    length = len(world.ledger)
    async with world.workers(server.client):
        await approve(old, change)
        assert (await failure(old.handle)).type == "Superseded"
        ended = await old.change("rollback").result()
    assert ended["status"] == "failed"
    assert "Superseded" in ended["reason"]
    assert (world.acted, world.released, len(world.ledger)) == ([], [], length)
    async with world.workers(fresh.client):
        await approve(new, change)
        await new.change_is("rollback", "applied")
    assert len(world.acted) == 1


async def test_follow_up_work_goes_on(server: WorkflowEnvironment, fresh: WorkflowEnvironment, world: World) -> None:
    """What a closed incident left is there again, its entries count on, and its older life ends."""
    async with lived(server, world) as old:
        await old.do("mitigated", summary="rolled back")
        await old.do("resolve", summary="steady")
        await old.do("waive_task", step="assess", reason="a drill")
        await old.do("waive_task", step="review", reason="a drill")
        await old.do("close")
        await old.handle.result()
        old.handle = old.client.get_workflow_handle(ids.follow_up_workflow_id(old.handle.id))
        await old.do("note", text="booked")
        while not world.followed:
            await asyncio.sleep(0.02)
    async with world.workers(fresh.client):
        assert await restore(fresh.client) == ["restored"]
        new = there(fresh, old)
        await new.until(lambda _: len(world.followed) == 2)
        assert await restore(fresh.client) == ["running"]
        await new.do("complete_task", step="training", note="done")
        await new.handle.result()
    assert [(call.number, call.kind) for call in world.followed] == [(1, "note"), (2, "restored"), (3, "task")]
    async with world.workers(server.client):
        await old.do("note", text="too late")
        assert (await failure(old.handle)).type == "Superseded"
    assert len(world.followed) == 3
    assert not assert_one_chain(world).open_tasks()
