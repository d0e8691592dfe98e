"""The Change workflow through its incident: what is applied, what never is, and what everybody learns of it."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from tests.builders import declaration
from tests.workflows.asking import MANAGER, approve, ask, begin, refused
from tests.workflows.told import Told
from tests.workflows.world import ARN, World


async def test_stale_applies_nothing_and_asks_again(server: WorkflowEnvironment, world: World) -> None:
    """Somebody else was faster: nothing is applied, and exactly one new change asks for a vote on a new digest."""

    def somebody_else_is_faster() -> None:
        if world.revision == "bad":
            world.revision = "other"

    world.before_apply = somebody_else_is_faster
    async with world.workers(server.client):
        told = await begin(server)
        first = await ask(told)
        await approve(told, first)
        await told.until(lambda s: len(s["changes"]) > 1)
        again = await told.change_is("rollback", "awaiting-approval")
        ended = await told.change("rollback").result()
        assert (ended["status"], world.acted, world.revision) == ("stale", [], "other")
        assert again["workflow_id"].endswith("/rollback/2")
        assert (again["requested_by"], again["plan"]["before"]) == ("development-lead", {"revision": "other"})
        assert again["plan"]["digest"] != first["plan"]["digest"]
        with pytest.raises(WorkflowUpdateFailedError) as old:
            await approve(told, {**first, "workflow_id": again["workflow_id"]})
        assert "digest" in str(old.value.cause)
        await approve(told, again)
        await told.change_is("rollback", "applied")
        state = await told.state()
    assert [change["status"] for change in state["changes"]] == ["stale", "applied"]
    assert world.revision == "good"


async def test_rejected(server: WorkflowEnvironment, world: World) -> None:
    """One rejection ends a change with its reason, and nothing is applied."""
    async with world.workers(server.client):
        told = await begin(server)
        await ask(told)
        await told.change("rollback").execute_update("reject", {"by": MANAGER, "reason": "wrong service"})
        change = await told.change_is("rollback", "rejected")
        await told.change("rollback").result()
    assert [(vote["by"], vote["decision"]) for vote in change["approvals"]] == [(MANAGER, "reject")]
    assert "wrong service" in change["reason"]
    assert world.acted == []


async def test_expired_pages_exactly_who_may_decide(skipping: WorkflowEnvironment, world: World) -> None:
    """Nobody decides: the voters are paged at once and at half time, each window adds a level, then who asked is."""
    started = await skipping.get_current_time()
    async with world.workers(skipping.client):
        told = await Told.start(skipping.client, declaration(declared_at=started))
        await told.do("acknowledge")
        await told.do("mitigated", summary="so that no clock of the incident pages")
        before = (await told.state())["pages"]
        await told.do("request_change", step="rollback")
        change = await told.change_is("rollback", "awaiting-approval")
        asked = datetime.fromisoformat(change["expires_at"]) - timedelta(minutes=10)
        await skipping.sleep(timedelta(minutes=45))
        change = await told.change_is("rollback", "expired")
        state = await told.state()
    waves: dict[int, list[str]] = {}
    for page in state["pages"][len(before) :]:
        minute = round((datetime.fromisoformat(page["at"]) - asked) / timedelta(minutes=1))
        waves.setdefault(minute, []).append(page["to"])
    # the requester commands, so the manager alone begins
    first, second, third = [MANAGER], [MANAGER, "cto"], [MANAGER, "cto", "ceo"]
    assert waves == {0: first, 5: first, 10: second, 15: second, 20: third, 25: third, 30: ["devops-lead"]}
    assert sorted(role for role, subject in world.pages if "Roll back" in subject) == sorted(
        role for wave in waves.values() for role in wave
    )
    assert (change["reason"], change["approvals"], world.acted) == ("nobody decided in time", [], [])
    assert {clock["name"]: clock["state"] for clock in state["clocks"]}["approval:rollback"] == "breached"


async def test_a_change_that_is_ended_from_outside_has_failed(server: WorkflowEnvironment, world: World) -> None:
    """Its incident waits for its end, so it says so at once, and another can be asked for."""
    async with world.workers(server.client):
        told = await begin(server)
        await ask(told)
        await told.change("rollback").terminate("by hand")
        change = await told.change_is("rollback", "failed")
        again = await ask(told)
    assert change["reason"] == "its workflow was ended from outside; nothing was done"
    assert again["workflow_id"].endswith("/rollback/2")


async def test_the_deciding_vote_is_told_while_applying_takes_time(server: WorkflowEnvironment, world: World) -> None:
    """What is over at once is told at once, vote and all; what takes longer is shown under way."""
    world.applying.clear()
    async with world.workers(server.client):
        told = await begin(server)
        await approve(told, await ask(told))
        under_way = await told.change_is("rollback", "applying")
        world.applying.set()
        await told.change_is("rollback", "applied")
    assert [vote["by"] for vote in under_way["approvals"]] == [MANAGER]


async def test_cancelled(server: WorkflowEnvironment, world: World) -> None:
    """Whoever asked may take it back; a vote that comes afterwards finds nobody to count it."""
    async with world.workers(server.client):
        told = await begin(server)
        await ask(told)
        await told.change("rollback").signal("cancel", {"by": "development-lead", "reason": "found better"})
        change = await told.change_is("rollback", "cancelled")
        assert (await told.change("rollback").result())["status"] == "cancelled"
        assert await told.do("request_change", step="rollback")
    assert change["reason"] == "development-lead cancels: found better"
    assert world.acted == []


async def test_a_failed_verification_gives_the_locks_back(server: WorkflowEnvironment, world: World) -> None:
    """What was applied and is not well is `failed`, says why, and holds no lock."""
    world.broken.add("verify")
    async with world.workers(server.client):
        told = await begin(server)
        await approve(told, await ask(told))
        change = await told.change_is("rollback", "failed")
        await told.change("rollback").result()
    assert "targets unhealthy" in change["reason"]
    assert [(world.plans[str(call.digest)].locks, call.step, call.generation) for call in world.released] == [
        ((ARN,), "rollback", 1)
    ]
    assert "targets unhealthy" in str(world.released[0].unverified)
    assert len(world.acted) == 1


async def test_what_failed_after_it_was_applied_is_undone(server: WorkflowEnvironment, world: World) -> None:
    """A change that was applied and did not prove good stands in the world, so it can be undone."""
    world.broken.add("verify")
    async with world.workers(server.client):
        told = await begin(server)
        await approve(told, await ask(told))
        await told.change_is("rollback", "failed")
        world.broken.clear()
        await told.do("undo", step="rollback")
        change = await told.change_is("rollback", "awaiting-approval")
        await approve(told, change)
        await told.change_is("rollback", "applied")
        state = await told.state()
    assert world.revision == "bad"
    assert [change["status"] for change in state["changes"]] == ["undone", "applied"]


async def test_undo_is_a_change_of_its_own(server: WorkflowEnvironment, world: World) -> None:
    """An undo is planned, approved and applied like any other change, and marks what it reversed."""
    async with world.workers(server.client):
        told = await begin(server)
        applied = await ask(told)
        await approve(told, applied)
        await told.change_is("rollback", "applied")
        await told.do("undo", step="rollback")
        back = await told.change_is("rollback", "awaiting-approval")
        assert (back["plan"]["before"], back["plan"]["after"]) == (applied["plan"]["after"], applied["plan"]["before"])
        assert world.revision == "good"
        await approve(told, back)
        await told.change_is("rollback", "applied")
        state = await told.state()
    assert [change["status"] for change in state["changes"]] == ["undone", "applied"]
    assert world.revision == "bad"
    assert len(set(world.acted)) == 2


async def test_an_a1_is_decided_by_whoever_asks_for_it(server: WorkflowEnvironment, world: World) -> None:
    """A narrow reversible change waits for its requester's own vote over its plan, and pages nobody."""
    async with world.workers(server.client):
        told = await begin(server)
        waits = await ask(told, "scale-up", by="devops-lead", count=4)
        assert (waits["eligible"], world.acted) == (["requester"], [])
        with pytest.raises(WorkflowUpdateFailedError):
            await approve(told, waits)
        await approve(told, waits, by="devops-lead")
        change = await told.change_is("scale-up", "applied")
        pages = (await told.state())["pages"]
    assert (change["class"], [(one["by"], one["role"]) for one in change["approvals"]]) == (
        "A1",
        [("devops-lead", "requester")],
    )
    assert not [page for page in pages if "Scale up" in page["reason"]]


@pytest.mark.parametrize("last", ["acknowledge", "false_alarm"])
async def test_what_is_said_right_after_the_request_reaches_the_change(
    server: WorkflowEnvironment, world: World, last: str
) -> None:
    """A change that is only being started misses neither its commander nor that it was a false alarm."""
    told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
    await told.handle.signal("request_change", {"by": "development-lead", "step": "rollback"})
    await told.handle.signal(last, {"by": "security-lead", "reason": "test"})
    async with world.workers(server.client):
        if last == "false_alarm":
            account = await told.handle.result()
            assert [change["status"] for change in account["state"]["changes"]] == ["cancelled"]
            assert (await told.change("rollback").result())["status"] == "cancelled"
        else:
            await approve(told, await told.change_is("rollback", "awaiting-approval"), by="security-lead")
            await told.change_is("rollback", "applied")


async def test_a_false_alarm_waits_for_what_was_approved_meanwhile(server: WorkflowEnvironment, world: World) -> None:
    """A vote that crosses a false alarm is carried out, and the final account tells how that ended."""
    held = True

    def hold() -> None:
        if held:
            raise ApplicationError("not yet", type="Transient", next_retry_delay=timedelta(milliseconds=50))

    world.before_apply = hold
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told)
    await told.change("rollback").signal("approve", {"by": MANAGER, "digest": change["plan"]["digest"]})
    await told.handle.signal("false_alarm", {"by": "cto", "reason": "test"})
    async with world.workers(server.client):
        await told.until(lambda s: s["status"] == "false-alarm" and s["changes"][0]["status"] == "applying")
        assert "the change is applying already" in (await refused(told))[0]
        held = False
        account = await told.handle.result()
    assert [change["status"] for change in account["state"]["changes"]] == ["applied"]
    assert len(world.acted) == 1


async def test_a_false_alarm_does_not_wait_for_what_is_gone(server: WorkflowEnvironment, world: World) -> None:
    """A change whose workflow was terminated from outside has failed on record, and its incident still ends."""
    async with world.workers(server.client):
        told = await begin(server)
        await ask(told)
        await told.change("rollback").terminate()
        await told.do("false_alarm", reason="test")
        account = await told.handle.result()
    assert [change["status"] for change in account["state"]["changes"]] == ["failed"]
    assert account["state"]["status"] == "false-alarm"


async def test_a_change_survives_its_incident_s_silence(server: WorkflowEnvironment, world: World) -> None:
    """While no worker runs, votes are kept by the server and count when one is back; nothing is done twice."""
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told)
    await told.change("rollback").signal("approve", {"by": MANAGER, "digest": change["plan"]["digest"]})
    assert (await told.change("rollback").describe()).status == WorkflowExecutionStatus.RUNNING
    async with world.workers(server.client):
        await told.change_is("rollback", "applied")
    assert len(world.acted) == 1
