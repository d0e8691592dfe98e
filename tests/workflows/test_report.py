"""The report at the end: stored once the ledger has everything, and never in the way of an incident's end."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from tests.activities.scopes import environment
from tests.builders import declaration
from tests.workflows import serving
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows import incident as workflows_incident
from workflows import ledger_writer
from workflows.incident import Incident

VAULT = environment(
    kind="sandbox", evidence={"bucket": "axis-evidence", "kms_key": "alias/evidence", "signing_key": "alias/ledger"}
)


async def ended(env: WorkflowEnvironment, world: World, **changes: Any) -> dict[str, Any]:
    """The final account of an incident that was declared and called off."""
    declared_at = await env.get_current_time()
    fields = {"declared_at": declared_at, "environment": VAULT, **changes}
    async with world.workers(env.client):
        told = await Told.start(env.client, declaration(**fields))
        if fields.get("mode") != "dry-run":
            await told.until(lambda s: len(s["findings"]) == 2 and all(page["settled"] for page in s["pages"]))
            await told.do("acknowledge")
            await told.do("false_alarm", reason="test")
        account: dict[str, Any] = await told.handle.result()
    return account


async def test_the_report_is_stored_when_all_is_written(server: WorkflowEnvironment, world: World) -> None:
    """The report is asked for once, after all has reached the ledger; the last entry says where it is."""
    account = await ended(server, world)
    assert world.reports == [len(account["timeline"]) - 1] == [len(world.ledger) - 1]
    place = f"reports/{account['state']['id']}/{world.reports[0]:06d}/report.md"
    assert account["state"]["report"] == {"places": [place], "reason": None}
    assert (world.ledger[-1].kind, world.ledger[-1].data) == ("report", {"places": [place]})


async def test_what_is_heard_while_storing_is_written_too(server: WorkflowEnvironment, world: World) -> None:
    """A signal that comes while the report is stored is refused on record, and the ledger has that before the end."""
    world.storing.clear()
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC), environment=VAULT))
        await told.do("acknowledge")
        await told.do("false_alarm", reason="test")
        await world.storing_begun.wait()
        before = (await told.state())["timeline"]["length"]
        await told.handle.signal("note", {"by": "devops-lead", "text": "too late"})
        heard = await told.until(lambda s: s["timeline"]["length"] > before)
        world.storing.set()
        account = await told.handle.result()
    assert heard["status"] == "false-alarm"
    assert [entry.kind for entry in world.ledger][-2:] == ["refused", "report"]
    assert [entry.model_dump(mode="json") for entry in world.ledger] == account["timeline"]


async def test_the_last_entries_are_written_with_the_report(
    server: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One activity less for every incident that is quiet before its record is due, as a busy machine may not be."""
    monkeypatch.setattr(ledger_writer, "_PACE", timedelta(minutes=10))
    monkeypatch.setattr(serving, "runner", lambda **_: UnsandboxedWorkflowRunner())
    account = await ended(server, world)
    assert world.stored_with == [account["timeline"][-2]["seq"]]


async def test_what_is_heard_behind_the_report_is_written_too(
    server: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the report is stored with the last entries, a follow-up is left and the key given back; people may speak."""
    leaving = asyncio.Event()

    async def left(*_: Any) -> None:
        timeline = workflow.instance()._incident.timeline
        before = timeline.length
        leaving.set()
        await workflow.wait_condition(lambda: timeline.length > before)

    monkeypatch.setattr(workflows_incident, "leave_follow_up", left)
    monkeypatch.setattr(ledger_writer, "_PACE", timedelta(minutes=10))
    monkeypatch.setattr(serving, "runner", lambda **_: UnsandboxedWorkflowRunner())
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=datetime.now(UTC), environment=VAULT))
        await told.until(lambda s: len(s["findings"]) == 2 and all(page["settled"] for page in s["pages"]))
        await told.do("acknowledge")
        await told.do("false_alarm", reason="test")
        while not leaving.is_set():
            await asyncio.sleep(0.02)
        await told.handle.signal("note", {"by": "devops-lead", "text": "too late"})
        account = await told.handle.result()
    assert world.stored_with
    assert [entry.model_dump(mode="json") for entry in world.ledger] == account["timeline"]
    assert [entry.kind for entry in world.ledger][-2:] == ["report", "refused"]


async def test_a_record_that_was_whole_before_is_reported_once(
    server: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where something ran until all was written, the entry that says where the report is does not bring another."""
    quiet, whole = Incident._is_quiet, set[bool]()

    def busy_until_all_is_written(incident: Incident) -> bool:
        if incident._incident.state.ended and not incident._ledger._is_behind:
            whole.add(True)
        return bool(whole) and quiet(incident)

    monkeypatch.setattr(Incident, "_is_quiet", busy_until_all_is_written)
    monkeypatch.setattr(serving, "runner", lambda **_: UnsandboxedWorkflowRunner())
    account = await ended(server, world)
    assert world.reports == [len(account["timeline"]) - 1] == [len(world.ledger) - 1]
    assert world.stored_with == []


async def test_a_report_that_cannot_be_stored_holds_nothing_up(server: WorkflowEnvironment, world: World) -> None:
    """The incident ends all the same; the account and the record say why there is no report."""
    world.broken.add("report")
    account = await ended(server, world)
    assert account["state"]["status"] == "false-alarm"
    assert account["state"]["report"] == {"places": [], "reason": "NotFound: no bucket"}
    assert (world.ledger[-1].kind, world.ledger[-1].data) == ("report", {"reason": "NotFound: no bucket"})


async def test_retries_are_bounded(skipping: WorkflowEnvironment, world: World) -> None:
    """A store that fails again and again is given up within the hour."""
    world.broken.add("report slow")
    account = await ended(skipping, world)
    assert account["state"]["report"]["reason"] == "Transient: slow down"
    given_up = datetime.fromisoformat(account["timeline"][-1]["at"])
    assert given_up - datetime.fromisoformat(account["state"]["closed_at"]) < timedelta(minutes=50)


async def test_where_there_is_no_vault_no_report_is_stored(server: WorkflowEnvironment, world: World) -> None:
    """Without an evidence bucket nothing is tried, and the record says why there is no report."""
    account = await ended(server, world, environment=environment(kind="sandbox"))
    assert world.reports == []
    assert "no evidence bucket" in account["state"]["report"]["reason"]
    assert account["timeline"][-1]["kind"] == "report"


async def test_a_dry_run_leaves_no_report(server: WorkflowEnvironment, world: World) -> None:
    account = await ended(server, world, mode="dry-run")
    assert (world.reports, account["state"]["report"]) == ([], None)
