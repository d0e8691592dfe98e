"""Whoever reaches Temporal can begin workflows of ours, with what he likes: nothing comes of them."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError

from domain.config.approval import ApprovalRule
from domain.model.activity_io import About
from domain.model.records import ChangeRecord
from domain.rules.change_messages import ChangeRequest
from domain.rules.run import IncidentRun
from domain.values.ids import task_queue
from starters.client.connection import look
from tests.attacks.theirs import NEVER, QUEUE, Stranger
from tests.builders import declaration
from tests.e2e.account import Portal
from tests.e2e.house import Document, House
from tests.e2e.workers import Worker as Process

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

_PAGES = 8


@pytest.fixture
def stranger(house: House, worker: Process) -> Stranger:
    return Stranger(house)


def test_a_change_begun_by_hand_changes_nothing(stranger: Stranger) -> None:
    """With a rule of his own and a vote in the CTO's name, of an incident that never was, in whichever environment."""
    house, portal = stranger.house, Portal(stranger.house)
    before, count = portal.deployed(), portal.service()["desiredCount"]
    own = task_queue(stranger.place.name)

    def request(environment: str, incident: str) -> ChangeRequest:
        record = ChangeRecord(
            step="stop-services",
            generation=1,
            workflow_id=f"{incident}/stop-services/1",
            action="ecs.stop_service",
            requested_by="devops-lead",
            requested_at=datetime.now(UTC),
            params={"services": ["backend", "frontend"]},
        )
        return ChangeRequest(
            about=About.model_validate(stranger.about(incident, environment=environment)),
            organisation=stranger.people,
            record=record,
            rule=ApprovalRule(roles=("cto",)),
            approve_within=timedelta(minutes=10),
            commander=None,
            plan_within=timedelta(minutes=10),
        )

    async def by_hand() -> str:
        asked = request(stranger.place.name, f"{NEVER}0")
        with pytest.raises(WorkflowFailureError) as failed:
            await house.asking.client.execute_workflow("Change", asked, id=asked.record.workflow_id, task_queue=own)
        return str(failed.value.cause)

    async def voted(handle: WorkflowHandle[Any, Any]) -> None:
        with suppress(RPCError, WorkflowQueryFailedError):  # it is only being started
            change = await handle.query("state")
            if change["status"] == "awaiting-approval":
                await handle.signal("approve", {"by": "cto", "digest": change["plan"]["digest"]})

    async def as_its_incident(environment: str, incident: str) -> str:
        asked = request(environment, incident)
        name = asked.record.workflow_id
        given = [own, name, asked.model_dump(mode="json", by_alias=True)]
        async with stranger.worker():
            client = house.asking.client
            parent = await client.start_workflow("TheirIncident", args=given, id=incident, task_queue=QUEUE)
            handle = client.get_workflow_handle(name)
            try:
                while True:
                    found = await look(client, name)
                    if found is not None and found.status != 1:
                        return str((await handle.result())["reason"])
                    pending = found.raw_description.pending_activities if found is not None else []
                    for one in pending:
                        if one.HasField("last_failure"):
                            await handle.terminate()
                            return one.last_failure.message
                    await voted(handle)
                    await asyncio.sleep(0.05)
            finally:
                with suppress(RPCError):  # it has ended with its change
                    await parent.terminate()

    assert "is begun by its incident" in house.asking.run(by_hand())
    assert f"{NEVER} is not on record" in house.asking.run(as_its_incident(stranger.place.name, NEVER))
    assert "is not its environment" in house.asking.run(as_its_incident("production", f"{NEVER}2"))
    assert (portal.deployed(), portal.service()["desiredCount"]) == (before, count)


def test_an_incident_of_his_own_reaches_nobody(stranger: Stranger) -> None:
    """Declared in an environment of his own, at a thousandfold speed, with his own number as the CEO's."""
    house = stranger.house
    incident = f"inc-20200102-{uuid4().hex[:4]}"
    theirs = declaration(incident_id=incident, speed=1000, declared_at=datetime.now(UTC))

    async def begin() -> list[str]:
        handle = await house.asking.client.start_workflow(
            "Incident", IncidentRun(declaration=theirs), id=incident, task_queue=task_queue(stranger.place.name)
        )
        while True:
            state: dict[str, Any] = await handle.query("state")
            if len(state["pages"]) > _PAGES:
                entries = await handle.query("timeline")
                await handle.terminate()
                return [one["text"] for one in entries if one["kind"] == "page-failed"]
            await asyncio.sleep(0.2)

    told = house.asking.run(begin())
    assert told
    assert all("this worker serves" in text or "speed is for sandboxes" in text for text in told)
    assert house.outbox(incident) == []


@pytest.mark.parametrize("name", ["{0}/z", "{0}z", "{0}#0001"])
def test_an_open_incident_is_not_begun_again_under_another_name(stranger: Stranger, name: str) -> None:
    """Its record is not continued by another, its pages are not sent, and it is not told to have ended."""
    house = stranger.house
    incident = house.start("The portal is down")
    shown = house.until(incident, "its pages are out", _has_paged)
    theirs = declaration(incident_id=incident, declared_at=datetime.now(UTC), mode="upkeep")

    async def begin() -> str:
        with pytest.raises(WorkflowFailureError) as failed:
            await house.asking.client.execute_workflow(
                "Incident",
                IncidentRun(declaration=theirs),
                id=name.format(incident),
                task_queue=task_queue(stranger.place.name),
            )
        return str(failed.value.cause)

    assert "is begun under its own name" in house.asking.run(begin())
    now = house.show(incident)
    assert (now["status"], now["pages"]) == (shown["status"], shown["pages"])
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")


@pytest.mark.parametrize("kind", ["Incident", "FollowUp"])
def test_an_open_incident_is_not_restored_beside_itself(stranger: Stranger, kind: str) -> None:
    """Nobody takes its next term while it runs: it would be superseded."""
    house = stranger.house
    incident = house.start("The portal is down")
    house.until(incident, "it is on record", lambda state: state["timeline"]["written"] > 0)
    name = f"{incident}/follow-up" if kind == "FollowUp" else f"{incident}/x"
    run = {"restore": incident if kind == "FollowUp" else name}

    async def begin() -> str:
        with pytest.raises(WorkflowFailureError) as failed:
            await house.asking.client.execute_workflow(kind, run, id=name, task_queue=task_queue(stranger.place.name))
        error: BaseException = failed.value
        while error.__cause__ is not None:
            error = error.__cause__
        return str(error)

    assert "does alone" in house.asking.run(begin()) or "to go on with" in house.asking.run(begin())
    house.run("note", incident, "still here")
    house.until(incident, "it is written", lambda state: state["timeline"]["written"] == state["timeline"]["length"])
    house.asking.update(incident, "false_alarm", by="devops-lead", reason="seen enough")
    assert house.call("audit", "verify", incident).returncode == 0


def _has_paged(state: Document) -> bool:
    """Whether its record has begun, and the answer to each page is there."""
    return state["timeline"]["written"] > 0 and all(page["settled"] for page in state["pages"])
