"""The record outside: complete, written as it happens, and never in the way."""

from datetime import UTC, datetime, timedelta

from temporalio.testing import WorkflowEnvironment

from tests.builders import declaration
from tests.workflows.told import Told
from tests.workflows.world import World


async def test_every_entry_reaches_the_ledger(server: WorkflowEnvironment, world: World) -> None:
    """When an incident has ended, the ledger has every entry of its timeline, in order, the last one included."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC)))
        await told.do("acknowledge")
        await told.handle.signal("resolve", {"by": "devops-lead", "summary": "too early"})
        await told.do("false_alarm", reason="test")
        account = await told.handle.result()
    assert [entry.model_dump(mode="json") for entry in world.ledger] == account["timeline"]
    assert "refused" in {entry.kind for entry in world.ledger}


async def test_a_dead_ledger_stops_nothing(skipping: WorkflowEnvironment, world: World) -> None:
    """While the ledger cannot be written people act as ever; after five minutes one page says so; nothing is lost."""
    world.broken.add("ledger")
    started = await skipping.get_current_time()
    async with world.workers(skipping.client):
        told = await Told.start(skipping.client, declaration(declared_at=started))
        await told.do("acknowledge")
        await skipping.sleep(timedelta(minutes=10))
        state = await told.state()
        clock = next(clock for clock in state["clocks"] if clock["name"] == "ledger")
        assert clock["state"] == "breached"
        assert [p["role"] for p in state["pages"] if "ledger" in p["reason"]] == ["devops-lead"]
        world.broken.clear()
        await told.do("false_alarm", reason="test")
        account = await told.handle.result()
    assert [entry.seq for entry in world.ledger] == list(range(1, len(account["timeline"]) + 1))
    assert any("written again" in entry.text for entry in world.ledger)


async def test_a_long_incident_stays_small(server: WorkflowEnvironment, world: World) -> None:
    """Carried on as new, what the ledger has is left out of the state but for the latest entries; the chain holds."""
    low = declaration(declared_at=datetime.now(UTC), history_limit=400)
    async with world.workers(server.client):
        told = await Told.start(server.client, low)
        await told.do("acknowledge")
        for number in range(260):
            await told.do("note", text=f"note {number}")
        state = await told.until(lambda s: s["timeline"]["written"] == s["timeline"]["length"])
        timeline = await told.timeline()
    assert state["timeline"]["first"] > 1
    assert timeline[0]["seq"] == state["timeline"]["first"]
    assert timeline[-1]["hash"] == state["timeline"]["head"]
    assert [entry.seq for entry in world.ledger] == list(range(1, state["timeline"]["length"] + 1))
