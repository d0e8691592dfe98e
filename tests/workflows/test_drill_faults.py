"""What a drill cannot take back, one that ends otherwise than by people, and who may stop one: the result says so."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from domain.model.proofs import of_drill_stop
from domain.values import ids
from starters.client import drills
from starters.errors import RefusedError
from tests.upkeep import maintenance
from tests.workflows import checking, serving
from tests.workflows.test_drill import STAGING, begun, done, drilled
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows import drill as workflows_drill
from workflows import profiles


async def test_a_fault_that_stays_is_a_live_incident(server: WorkflowEnvironment, world: World) -> None:
    """Somebody has to withdraw it by hand, and is told: once, though another drill cannot withdraw it either."""
    world.drills.broken = {"withdraw"}
    world.of_a_run = lambda _: {"runbook": maintenance(), "related": {}}
    for _ in (1, 2):
        async with drilled(server, world) as (run, _):
            await run.execute_update("stop", {"by": "cto", "reason": "enough"})
            with pytest.raises(WorkflowFailureError) as failed:
                await run.result()
            assert "denied" in str(failed.value.cause.__cause__)
            key = server.client.get_workflow_handle(ids.key_workflow_id("production", "fault:staging:bad"))
            held = (await (await key.describe()).memo())["incident"]
            told = Told(server.client, server.client.get_workflow_handle(held))
            state = await told.until(lambda state: state["pages"])
    assert [call.run.declares for call in world.scheduled] == ["maintenance"] * 2
    assert (state["mode"], state["type"]) == ("live", "maintenance")
    assert state["title"] == "bad still stands in staging after a drill"
    assert "denied" in state["description"]
    assert [page["role"] for page in state["pages"]] == ["devops-lead"]


async def test_a_fault_that_stays_and_nobody_could_be_told_is_named(server: WorkflowEnvironment, world: World) -> None:
    """The drill's own failure says both: what still stands, and why nobody was told."""
    world.drills.broken = {"withdraw"}
    world.broken.add("declare")
    async with drilled(server, world) as (run, _):
        await run.execute_update("stop", {"by": "cto", "reason": "enough"})
        with pytest.raises(WorkflowFailureError) as failed:
            await run.result()
    assert "bad still stands in staging: " in str(failed.value.cause)
    assert "nobody could be told: " in str(failed.value.cause)


async def test_an_incident_that_is_terminated_is_not_ended_by_people(server: WorkflowEnvironment, world: World) -> None:
    async with drilled(server, world) as (run, told):
        await told.handle.terminate("by hand")
        result = await run.result()
    assert (result["outcome"], result["reason"]) == ("stopped", "its incident was terminated")
    assert done(world) == ["inject", "withdraw"]


async def test_whoever_stops_one_that_does_not_end_is_told_why(
    server: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command does not wait for ever: it says what the drill is about, and a repeat waits on."""
    monkeypatch.setattr(drills, "_STOP_SECONDS", 0.5)
    world.drills.may_withdraw.clear()
    async with drilled(server, world):
        told = r"was told to stop and is not over after a minute: bad is withdrawn\. .* see drill/staging$"
        with pytest.raises(RefusedError, match=told):
            await drills.stop(server.client, "staging", None, {"by": "cto", "reason": "enough"})
        world.drills.may_withdraw.set()
        monkeypatch.undo()
        result = await drills.stop(server.client, "staging", None, {"by": "cto", "reason": "enough"})
    assert (result["outcome"], done(world)) == ("stopped", ["inject", "withdraw"])


async def test_a_fault_does_not_stand_until_the_record_is_whole(
    server: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The incident of a drill that is over may wait for AWS for long; its fault is withdrawn meanwhile."""
    monkeypatch.setattr(workflows_drill, "_TO_END", timedelta(seconds=1))
    monkeypatch.setattr(profiles, "LEDGER_AGAIN", timedelta(seconds=0.1))
    monkeypatch.setattr(serving, "runner", lambda **_: UnsandboxedWorkflowRunner())
    world.broken.add("ledger")
    async with drilled(server, world) as (run, told):
        await run.execute_update("stop", {"by": "cto", "reason": "enough"})
        while done(world) != ["inject", "withdraw"]:
            await asyncio.sleep(0.02)
        waiting = await run.query("state")
        world.broken.clear()
        result = await run.result()
    assert waiting["doing"] == f"{told.handle.id} comes to its end"
    assert (result["outcome"], result["incident"]) == ("stopped", told.handle.id)


async def test_outside_a_sandbox_whoever_stops_it_proves_who_they_are(
    server: WorkflowEnvironment, world: World
) -> None:
    """By a signature over this very run, and why; without one the drill goes on."""
    checking.LOOKED.clear()
    why = {"by": "cto", "reason": "enough"}
    async with world.workers(server.client):
        asked = STAGING.model_copy(update={"proofs": True})
        run = await begun(server, asked)
        for unsigned, refusal in (({}, "it is not signed"), ({"proof": {"good": False}}, "its proof is bad")):
            with pytest.raises(RefusedError, match=refusal):
                await drills.stop(server.client, "staging", None, {**why, **unsigned})
        own = str(run.result_run_id)
        stopped = drills.stop(
            server.client, "staging", None, why, lambda said, about: {**said, "proof": {"good": about == own}}
        )
        result = await stopped
    assert (result["outcome"], result["reason"]) == ("stopped", "cto stopped it: enough")
    assert [(one.act, one.incident, one.subject) for one in checking.LOOKED] == [
        ("stop-drill", None, of_drill_stop("staging", own, "enough"))
    ] * 2
