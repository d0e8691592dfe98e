"""What breaches and security incidents add: evidence first, severities that findings raise, linked incidents."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from temporalio.testing import WorkflowEnvironment

from domain.config.runbook import Runbook
from domain.values.severity import Severity
from tests.builders import CHAIN, LEADS, declaration, runbook
from tests.workflows.asking import own
from tests.workflows.told import Told
from tests.workflows.world import World


def breach(**changes: Any) -> Runbook:
    """Evidence by `test.snapshot`, containment by `test.rollback` after it."""
    steps = [
        {"id": "snapshot", "change": "test.snapshot", "title": "Snapshot", "evidence": True},
        {
            "id": "contain",
            "change": "test.scale",
            "title": "Contain",
            "evidence_first": ["snapshot"],
        },
    ]
    phases = [{"id": "immediate", "title": "Immediate", "steps": steps}]
    return runbook(id="data-breach", title="Data breach", severities=["P0"], phases=phases, **changes)


async def test_evidence_starts_by_itself_and_goes_first(server: WorkflowEnvironment, world: World) -> None:
    """Nobody asks for evidence; containment that was asked for before it had begun acts after it."""
    world.gate.clear()
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC), runbook=breach()))
        asked = asyncio.create_task(own(told, "request_change", "contain"))
        await told.until(lambda s: len(s["changes"]) == 2)
        world.gate.set()
        await asked
        await told.change_is("contain", "applied")
        state = await told.change_is("snapshot", "applied")
    assert state["requested_by"] == "orchestrator"
    assert world.applied_in_order == ["test.snapshot", "test.scale"]


async def test_containment_does_not_wait_for_ever(server: WorkflowEnvironment, world: World) -> None:
    """Evidence that does not begin within its box is forgone, on record, and containment goes on."""
    world.held.add("test.snapshot")
    async with world.workers(server.client):
        fast = declaration(declared_at=datetime.now(UTC), runbook=breach(), speed=300)
        told = await Told.start(server.client, fast)
        await own(told, "request_change", "contain")
        await told.change_is("contain", "applied")
        texts = [entry["text"] for entry in await told.timeline()]
        world.held.clear()
        await told.change_is("snapshot", "applied")
    assert any("forgone" in text for text in texts)


async def test_a_dry_run_preserves_nothing(server: WorkflowEnvironment, world: World) -> None:
    """In a dry run evidence is planned like everything else, and nothing is applied."""
    async with world.workers(server.client):
        dry = declaration(declared_at=datetime.now(UTC), runbook=breach(), mode="dry-run")
        told = await Told.start(server.client, dry)
        account = await told.handle.result()
    assert {change["status"] for change in account["state"]["changes"]} == {"planned"}
    assert world.acted == []


async def test_who_is_paged_at_once(server: WorkflowEnvironment, world: World) -> None:
    """A breach pages whom its runbook names at once; where health information is concerned, more; never twice."""
    book = breach(page_at_once=["cto", "privacy-officer"], page_at_once_with_phi=["ceo"])
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC), runbook=book, phi=True))
        await told.do("acknowledge")
        state = await told.until(lambda s: len(s["pages"]) >= 7)
    assert sorted(page["role"] for page in state["pages"]) == sorted([*LEADS, *CHAIN, "privacy-officer"])
    assert not [due for due in state["due"] if due["what"].startswith("page")]


async def test_a_finding_raises_and_opens(server: WorkflowEnvironment, world: World) -> None:
    """A suspect finding raises the severity and opens one breach, which keeps the first awareness."""
    plain = runbook().model_dump(mode="json", by_alias=True)
    for step in plain["phases"][0]["steps"]:
        if step.get("probe"):
            step |= {"raises_to": "P0", "opens": "data-breach"}
    world.suspect.add("test.health")
    book = runbook(phases=plain["phases"])
    declared = declaration(
        declared_at=datetime.now(UTC), runbook=book, severity=Severity.P1, related={"data-breach": breach()}
    )
    async with world.workers(server.client):
        told = await Told.start(server.client, declared)
        state = await told.until(lambda s: s["links"] and s["links"][0]["incident"])
        opened = Told(server.client, server.client.get_workflow_handle(state["links"][0]["incident"]))
        breach_state = await opened.state()
        await asyncio.wait_for(opened.change_is("snapshot", "applied"), 20)
    assert state["severity"] == "P0"
    assert len(state["links"]) == 1
    assert (breach_state["type"], breach_state["severity"]) == ("data-breach", "P0")
    assert breach_state["aware_at"] == state["declared_at"]
    assert breach_state["opened_by"] == declared.incident_id
