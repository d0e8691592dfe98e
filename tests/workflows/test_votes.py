"""Votes on a running change: kept when early, refused on record, counted by digest, role and person."""

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from domain.model.activity_io import PageRequest, PlanNamed, WaveRequest
from tests.builders import declaration
from tests.workflows.asking import MANAGER, approve, ask, begin, digest_of_rollback, refused
from tests.workflows.told import Told
from tests.workflows.world import World


@pytest.mark.parametrize("right", [True, False])
async def test_an_early_vote_is_kept(server: WorkflowEnvironment, world: World, right: bool) -> None:
    """A vote that comes while the plan is made is kept; the plan's digest decides whether it counts."""
    world.gate.clear()
    digest = digest_of_rollback(world) if right else "0" * 64
    async with world.workers(server.client):
        told = await begin(server)
        await told.do("request_change", by="development-lead", step="rollback")
        await told.change("rollback").signal("approve", {"by": MANAGER, "digest": digest})
        while "early" not in [entry["kind"] for entry in await told.timeline()]:
            await asyncio.sleep(0.02)
        assert (await told.state())["changes"][0]["status"] == "planning"
        world.gate.set()
        change = await told.change_is("rollback", "applied" if right else "awaiting-approval")
        if not right:
            assert "the digest is not that of the plan" in (await refused(told))[0]
    assert [vote["by"] for vote in change["approvals"]] == ([MANAGER] if right else [])
    assert len(world.acted) == (1 if right else 0)


async def test_who_asks_can_vote_at_once(server: WorkflowEnvironment, world: World) -> None:
    """The answer to a request comes once the server has begun the change that it names."""
    async with world.workers(server.client):
        told = await begin(server)
        await told.do("request_change", by="development-lead", step="rollback")
        happened = [event.event_type for event in (await told.handle.fetch_history()).events]
    answered = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED
    begun = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
    assert happened.count(answered) == 2  # the acknowledgement's and the request's
    last = max(index for index, kind in enumerate(happened) if kind == answered)
    assert begun in happened[:last]


async def test_who_may_vote_is_told_of_which_plan(server: WorkflowEnvironment, world: World) -> None:
    """The page names the change and the digest, by which the hands find the plan; its words are not for it to say."""
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told)
        async with asyncio.timeout(30):
            while not (named := [one.plan for one in await _pages(told) if one.plan]):
                await asyncio.sleep(0.02)
    assert named == [PlanNamed(step="rollback", generation=1, digest=change["plan"]["digest"])] * len(named)


async def _pages(told: Told) -> list[PageRequest]:
    """What the incident has asked the hands to send."""
    asked: list[PageRequest] = []
    for event in (await told.handle.fetch_history()).events:
        given = event.activity_task_scheduled_event_attributes
        if given.activity_type.name == "people.page":
            asked += await told.client.data_converter.decode(given.input.payloads, [PageRequest])
        if given.activity_type.name == "people.page_wave":
            (wave,) = await told.client.data_converter.decode(given.input.payloads, [WaveRequest])
            asked += wave.pages
    return asked


async def test_cancelled_while_planning(server: WorkflowEnvironment, world: World) -> None:
    """A change that is cancelled before its plan is there ends at once, asks nobody and refuses the vote it kept."""
    world.gate.clear()
    async with world.workers(server.client):
        told = await begin(server)
        await told.do("request_change", by="development-lead", step="rollback")
        await told.change("rollback").signal("approve", {"by": MANAGER, "digest": digest_of_rollback(world)})
        await told.change("rollback").signal("cancel", {"by": "cto", "reason": "no"})
        async with asyncio.timeout(30):  # not until the plan is given up, which takes a minute
            await told.change_is("rollback", "cancelled")
            assert (await told.change("rollback").result())["status"] == "cancelled"
        world.gate.set()
        assert "the change is cancelled" in (await refused(told))[0]
        pages = (await told.state())["pages"]
    assert not [page for page in pages if "approval" in page["reason"]]
    assert world.acted == []


async def test_refused_votes_are_on_record(server: WorkflowEnvironment, world: World) -> None:
    """Every vote that does not count stands in the incident's timeline with its reason, by signal and by update."""
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told)
        handle, digest = told.change("rollback"), change["plan"]["digest"]
        await handle.signal("approve", {"by": "a-stranger", "digest": digest})
        await handle.signal("approve", {"by": "cto", "digest": digest})
        await handle.signal("approve", {"by": MANAGER, "digest": "0" * 64})
        await handle.signal("approve", {"by": MANAGER})
        await handle.signal("aprove", {"by": MANAGER, "digest": digest})
        await handle.signal("commander_is", {"by": "a-stranger"})
        with pytest.raises(WorkflowUpdateFailedError) as own:
            await approve(told, change, by="development-lead")
        assert "requested this change" in str(own.value.cause)
        found = await refused(told, 7)
        state = await told.state()
    for why in (
        "no contact or role",
        "may not decide",
        "digest is not that",
        "digest",
        "aprove",
        "requested this",
        "commander",
    ):
        assert any(why in text for text in found), why
    assert len(found) == 7
    assert (state["changes"][0]["approvals"], state["changes"][0]["status"]) == ([], "awaiting-approval")
    assert world.acted == []


async def test_command_that_is_taken_takes_the_vote_along(server: WorkflowEnvironment, world: World) -> None:
    """Who commands may vote on a change that was asked for before; until command is taken that is who offered it."""
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told)
        await told.do("hand_over", to="security-lead")
        with pytest.raises(WorkflowUpdateFailedError):
            await approve(told, change, by="security-lead")
        state = await told.do("take_command", by="security-lead", of="devops-lead")
        voted = None
        while voted is None:  # until the change has learnt of it
            with contextlib.suppress(WorkflowUpdateFailedError):
                voted = await approve(told, change, by="security-lead")
    assert (state["commander"], state["hand_over"]) == ("security-lead", None)
    assert [(one["by"], one["role"]) for one in voted["approvals"]] == [("security-lead", "incident-commander")]


async def test_an_a3_needs_two(server: WorkflowEnvironment, world: World) -> None:
    """One of two votes applies nothing, the same person's second one neither; the second person's does."""
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told, "promote")
        assert (await approve(told, change, by="cto"))["status"] == "awaiting-approval"
        with pytest.raises(WorkflowUpdateFailedError) as twice:
            await approve(told, change, by="cto")
        assert "has voted already" in str(twice.value.cause)
        assert world.acted == []
        await approve(told, change, by="devops-lead")
        change = await told.change_is("promote", "applied")
    assert [vote["by"] for vote in change["approvals"]] == ["cto", "devops-lead"]
    assert len(world.acted) == 1


async def test_a_commander_reaches_a_waiting_change(server: WorkflowEnvironment, world: World) -> None:
    """Who acknowledges while a change waits for votes may vote on it as the commander."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
        change = await ask(told)
        with pytest.raises(WorkflowUpdateFailedError) as early:
            await approve(told, change, by="security-lead")
        assert "may not decide" in str(early.value.cause)
        await told.do("acknowledge", by="security-lead")
        while True:
            try:
                await approve(told, change, by="incident-commander")
                break
            except WorkflowUpdateFailedError:
                await asyncio.sleep(0.02)
        change = await told.change_is("rollback", "applied")
    assert [(vote["by"], vote["role"]) for vote in change["approvals"]] == [("security-lead", "incident-commander")]
