"""AWS's trouble of half an hour fails nothing that can wait, and people know that it waits."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain.model.activity_io import Applied, ApplyRequest, Planned, PlanRequest, VerifyRequest
from tests.builders import declaration
from tests.workflows.asking import MANAGER, approve, ask
from tests.workflows.test_breach_rules import breach
from tests.workflows.told import Told
from tests.workflows.world import World

HALF_AN_HOUR, HOUR = timedelta(minutes=30), timedelta(hours=1)


class Troubled(World):
    """AWS is in trouble until an instant, in some of what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.until: dict[str, datetime] = {}
        self.looks = 0

    def _trouble(self, verb: str) -> None:
        if (until := self.until.get(verb)) is not None and activity.info().started_time < until:
            raise ApplicationError("ThrottlingException", type="Transient")

    def plan(self, name: str, call: PlanRequest) -> Planned:
        self._trouble("plan")
        return super().plan(name, call)

    def apply(self, call: ApplyRequest) -> Applied:
        self._trouble("apply")
        return super().apply(call)

    def look(self, call: VerifyRequest) -> None:
        self.looks += 1
        self._trouble("verify")
        super().look(call)


@pytest.fixture
def world() -> Troubled:
    return Troubled()


def pages(state: dict[str, Any], about: str) -> list[tuple[str, str]]:
    return [(page["to"], page["reason"]) for page in state["pages"] if about in page["reason"]]


def clock(state: dict[str, Any], name: str) -> str | None:
    return next((one["state"] for one in state["clocks"] if one["name"] == name), None)


async def begun(env: WorkflowEnvironment, **fields: Any) -> tuple[Told, datetime]:
    now = await env.get_current_time()
    told = await Told.start(env.client, declaration(declared_at=now, **fields))
    await told.do("acknowledge")
    return told, now


async def test_a_plan_waits_as_votes_would(skipping: WorkflowEnvironment, world: Troubled) -> None:
    """After five minutes the commander is paged, once; when AWS is back there is a plan, to be voted on."""
    async with world.workers(skipping.client):
        told, now = await begun(skipping)
        world.until["plan"] = now + HALF_AN_HOUR
        await told.do("request_change", step="rollback")
        await skipping.sleep(timedelta(minutes=4))
        state = await told.state()
        assert (clock(state, "plan:rollback"), pages(state, "no plan")) == ("running", [])
        await skipping.sleep(timedelta(minutes=2))
        state = await told.state()
        assert (clock(state, "plan:rollback"), state["changes"][0]["status"]) == ("breached", "planning")
        await skipping.sleep(timedelta(minutes=26))
        await told.change_is("rollback", "awaiting-approval")
        state = await told.state()
        said = [entry["text"] for entry in await told.timeline() if entry["kind"] == "delayed"]
    assert pages(state, "no plan") == [(state["commander"], "there is no plan yet: Roll back")]
    assert said == ["Roll back: there is no plan yet; it is tried on"]
    assert clock(state, "plan:rollback") is None


async def test_who_cancels_is_not_kept_waiting(skipping: WorkflowEnvironment, world: Troubled) -> None:
    """A plan that waits for AWS is given up at once."""
    async with world.workers(skipping.client):
        told, now = await begun(skipping)
        world.until["plan"] = now + HALF_AN_HOUR
        await told.do("request_change", step="rollback")
        await told.until(lambda s: s["changes"])
        await told.change("rollback").execute_update("cancel", {"by": MANAGER, "reason": "no need"})
        await told.change_is("rollback", "cancelled")


async def test_a_plan_is_not_waited_for_for_ever(skipping: WorkflowEnvironment, world: Troubled) -> None:
    """It fails once nobody would vote on it any more."""
    async with world.workers(skipping.client):
        told, now = await begun(skipping)
        world.until["plan"] = now + timedelta(days=1)
        await told.do("request_change", step="rollback")
        await skipping.sleep(timedelta(hours=2))
        change = await told.change_is("rollback", "failed")
    assert "Transient" in change["reason"]


async def test_applying_and_verifying_outlast_half_an_hour(skipping: WorkflowEnvironment, world: Troubled) -> None:
    """What was approved is applied when AWS is back, and looked at when it can be looked at."""
    async with world.workers(skipping.client):
        told, _ = await begun(skipping)
        change = await ask(told)
        now = await skipping.get_current_time()
        world.until |= {"apply": now + HALF_AN_HOUR, "verify": now + 2 * HALF_AN_HOUR}
        await approve(told, change)
        await skipping.sleep(HOUR + timedelta(minutes=1))
        await told.change_is("rollback", "applied")
    assert world.acted
    assert world.looks > 1


async def test_evidence_is_tried_for_hours(skipping: WorkflowEnvironment, world: Troubled) -> None:
    """In a breach the snapshot comes when AWS does; whoever commands is paged after five minutes."""
    world.until = {verb: await skipping.get_current_time() + 3 * HOUR for verb in ("plan", "apply")}
    async with world.workers(skipping.client):
        told, _ = await begun(skipping, runbook=breach())
        state = await told.state()
        assert clock(state, "evidence:snapshot") == "running"
        await skipping.sleep(timedelta(minutes=6))
        state = await told.state()
        reason = "evidence is not being preserved yet: Snapshot"
        assert pages(state, "evidence") == [(state["commander"], reason)]
        assert clock(state, "evidence:snapshot") == "breached"
        await skipping.sleep(3 * HOUR)
        await told.change_is("snapshot", "applied")
        state = await told.state()
    assert len(pages(state, "evidence")) == 1


async def test_evidence_that_fails_pages(skipping: WorkflowEnvironment, world: Troubled) -> None:
    """Nobody commands: whoever is on call first is told that there is none, and why."""
    world.denied.add("test.snapshot")
    async with world.workers(skipping.client):
        now = await skipping.get_current_time()
        told = await Told.start(skipping.client, declaration(declared_at=now, runbook=breach()))
        state = await told.until(lambda s: pages(s, "evidence failed"))
    [(_, reason)] = pages(state, "evidence failed")
    assert reason == "evidence failed: Snapshot: AccessDenied: denied"
    assert clock(state, "evidence:snapshot") == "breached"


async def test_evidence_that_is_there_pages_nobody(skipping: WorkflowEnvironment, world: Troubled) -> None:
    async with world.workers(skipping.client):
        told, _ = await begun(skipping, runbook=breach())
        await told.change_is("snapshot", "applied")
        await skipping.sleep(timedelta(minutes=6))
        state = await told.state()
    assert (clock(state, "evidence:snapshot"), pages(state, "evidence")) == ("met", [])
