"""The Incident workflow on a real server: who is told, what is refused, what survives."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from domain.model.declaration import KeyHold, KeyRelease
from domain.values import ids
from domain.values.severity import Severity
from tests.builders import CHAIN, LEADS, declaration, organisation, with_notices
from tests.workflows.told import Told
from tests.workflows.world import World

FIRST = sorted([*LEADS, "technical-manager"])


def now_declared(**changes: Any) -> Any:
    return declaration(declared_at=datetime.now(UTC), **changes)


async def test_unanswered_p0_pages_exactly_the_table(skipping: WorkflowEnvironment, world: World) -> None:
    """By themselves, the timers send the table's pages at their minutes and nothing else."""
    started = await skipping.get_current_time()
    async with world.workers(skipping.client):
        told = await Told.start(skipping.client, declaration(declared_at=started))
        await skipping.sleep(timedelta(minutes=41))
        state = await told.state()
    waves: dict[int, list[str]] = {}
    for page in state["pages"]:
        minute = round((datetime.fromisoformat(page["at"]) - started) / timedelta(minutes=1))
        waves.setdefault(minute, []).append(page["role"])
    expected = dict.fromkeys((0, 5, 10), FIRST)
    expected |= {minute: sorted([*FIRST, "cto"]) for minute in (15, 20, 25)}
    expected |= {minute: sorted([*LEADS, *CHAIN]) for minute in (30, 35, 40)}
    assert {minute: sorted(roles) for minute, roles in waves.items()} == expected
    assert sorted(role for role, _ in world.pages) == sorted(role for roles in expected.values() for role in roles)


async def test_acknowledged_p0_pages_the_chain_once_each(skipping: WorkflowEnvironment, world: World) -> None:
    """Acknowledged at 3 and never mitigated: cto at 30, ceo at 60, nobody else."""
    started = await skipping.get_current_time()
    async with world.workers(skipping.client):
        told = await Told.start(skipping.client, declaration(declared_at=started))
        await skipping.sleep(timedelta(minutes=3))
        await told.do("acknowledge")
        await skipping.sleep(timedelta(minutes=120))
        state = await told.state()
    assert sorted(role for role, _ in world.pages) == sorted([*FIRST, "cto", "ceo"])
    assert state["commander"] == "devops-lead"


async def test_a_commander_who_falls_silent_is_followed_by_who_acknowledges(
    skipping: WorkflowEnvironment, world: World
) -> None:
    """Where the policy asks for signs of life: the commander alone is paged at 33, and everybody from 38 on."""
    started = await skipping.get_current_time()
    people = organisation(sign_of_life="30m")
    async with world.workers(skipping.client):
        told = await Told.start(skipping.client, declaration(declared_at=started, organisation=people))
        await skipping.sleep(timedelta(minutes=3))
        await told.do("acknowledge")
        await skipping.sleep(timedelta(minutes=31))
        silent = [role for role, subject in world.pages if "no sign of life since" in subject]
        await skipping.sleep(timedelta(minutes=5))
        lapsed = await told.state()
        state = await told.do("acknowledge", by="security-lead")
        paged = len(world.pages)
        await skipping.sleep(timedelta(minutes=20))
    assert silent == ["devops-lead"]
    assert (lapsed["status"], lapsed["commander"]) == ("declared", "devops-lead")
    assert sorted(role for role, subject in world.pages if "no sign of life of devops-lead" in subject) == sorted(
        [*LEADS, *CHAIN]
    )
    assert (state["status"], state["commander"], len(world.pages)) == ("acknowledged", "security-lead", paged)


async def test_whom_a_wave_does_not_reach_is_paged_alone(server: WorkflowEnvironment, world: World) -> None:
    """The others are on record by the ids of their pages, and who was not has an activity of his own: each once."""
    world.unreached = {"cto", LEADS[1]}
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared())
        while len(delivered := [one for one in await told.timeline() if one["kind"] == "delivery"]) < len(FIRST):
            await asyncio.sleep(0.05)
        history = await told.handle.fetch_history()
    assert sorted(role for role, _ in world.pages) == FIRST
    assert len({one["data"]["number"] for one in delivered}) == len(FIRST)
    assert all(one["data"]["message_id"] for one in delivered)
    asked = [event.activity_task_scheduled_event_attributes.activity_type.name for event in history.events]
    assert [name for name in asked if name.startswith("people.")] == ["people.page_wave", "people.page"]


async def test_from_report_to_closed(server: WorkflowEnvironment, world: World) -> None:
    """An outage goes from the first page over an approved rollback to closed, all of it on one chain."""
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared())
        await told.until(lambda s: len(s["findings"]) == 2)
        await told.do("acknowledge")
        await told.do("request_change", step="rollback")
        change = await told.change_is("rollback", "awaiting-approval")
        vote = {"by": "technical-manager", "digest": change["plan"]["digest"], "unheard_of": 1}
        await told.change("rollback").signal("approve", vote)
        await told.change_is("rollback", "applied")
        await told.do("mitigated", summary="rolled back")
        await told.do("resolve", summary="steady")
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await told.do("close")
        assert "assess, review" in str(refused.value.cause)
        await told.do("complete_task", step="assess")
        await told.do("waive_task", step="review", reason="drill")
        await told.do("close")
        account = await told.handle.result()
    assert world.revision == "good"
    assert len(world.acted) == 1
    assert account["state"]["status"] == "closed"
    kinds = [entry["kind"] for entry in account["timeline"]]
    for kind in ("declared", "page", "finding", "suggestion", "approval", "change", "mitigated", "resolved", "closed"):
        assert kind in kinds
    assert account["state"]["timeline"]["length"] == len(account["timeline"])


async def test_probe_without_source_is_unknown(server: WorkflowEnvironment, world: World) -> None:
    """A probe that fails says so and stops nothing; a denied one pages once in a P0."""
    world.broken.add("test.health")
    world.denied.add("test.deployments")
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared())
        state = await told.until(lambda s: len(s["findings"]) == 2 and len(s["pages"]) > 4)
    assert {finding["status"] for finding in state["findings"]} == {"unknown"}
    assert any("source is broken" in finding["summary"] for finding in state["findings"])
    assert {page["role"] for page in state["pages"] if "denies" in page["reason"]} == {*LEADS, "technical-manager"}


async def test_refused_signals_are_on_record(server: WorkflowEnvironment, world: World) -> None:
    """What a signal cannot do is recorded as refused: by nobody known, too early, unreadable, unknown."""
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared())
        await told.handle.signal("resolve", {"by": "devops-lead", "summary": "too early"})
        await told.handle.signal("acknowledge", {"by": "a-stranger"})
        await told.handle.signal("note", {"by": "devops-lead"})
        await told.handle.signal("acknowledge", "garbage")
        await told.handle.signal("acknowledge")
        await told.handle.signal("no-such-command", {"by": "devops-lead"})
        await told.until(lambda s: s["timeline"]["length"] >= 7)
        refused = [entry["text"] for entry in await told.timeline() if entry["kind"] == "refused"]
        assert (await told.state())["status"] == "declared"
    assert len(refused) == 6
    assert any("text" in text for text in refused)
    assert any("a-stranger" in text for text in refused)
    assert any("no-such-command" in text for text in refused)


async def test_updates_are_refused_with_a_reason(server: WorkflowEnvironment, world: World) -> None:
    """An update that cannot be done answers with type Refused and why."""
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared())
        cases: list[tuple[str, dict[str, Any], str]] = [
            ("mitigated", {"summary": "x"}, "nobody has acknowledged"),
            ("close", {}, "declared"),
            ("note", {}, "text"),
            ("request_change", {"step": "scale-up"}, "needs count"),
            ("request_change", {"step": "rollback", "set": {"service": "x"}}, "does not ask"),
            ("request_change", {"step": "nothing"}, "rollback, scale-up, promote"),
            ("reclassify", {"severity": "P1", "reason": "r"}, "lowered by cto or ceo"),
            ("undo", {"step": "rollback"}, "nothing of"),
            ("acknowledge", {"by": "insurer"}, "no contact"),
        ]
        for name, payload, why in cases:
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await told.do(name, **payload)
            cause = refused.value.cause
            assert isinstance(cause, ApplicationError)
            assert cause.type == "Refused"
            assert why in cause.message


async def test_duplicates_and_reopening(server: WorkflowEnvironment, world: World) -> None:
    """A duplicate alert is counted; one on a resolved incident reopens it and asks for an acknowledgement again."""
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared())
        await told.handle.signal("alert", {"by": "monitoring", "text": "again"})
        await told.do("acknowledge")
        await told.do("mitigated", summary="m")
        await told.do("resolve", summary="r")
        await told.handle.signal("alert", {"by": "monitoring", "text": "and again"})
        state = await told.until(lambda s: s["alerts"] == 3)
    assert state["status"] == "declared"
    assert state["acknowledged_at"] is None
    assert [page["reason"] for page in state["pages"]][-4:] == ["reopened"] * 4


async def test_false_alarm_is_final(server: WorkflowEnvironment, world: World) -> None:
    """A false alarm cancels what waits for approval, ends the workflow and applies nothing."""
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared())
        await told.do("request_change", step="rollback")
        await told.change_is("rollback", "awaiting-approval")
        await told.do("false_alarm", reason="test alarm")
        account = await told.handle.result()
        assert (await told.change("rollback").result())["status"] == "cancelled"
    assert account["state"]["status"] == "false-alarm"
    assert world.acted == []


async def test_dry_run_plans_and_ends(server: WorkflowEnvironment, world: World) -> None:
    """A dry run probes and plans, pages nobody, tells nobody, applies nothing, and ends by itself."""
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared(mode="dry-run", runbook=with_notices()))
        account = await told.handle.result()
    assert {change["step"]: change["status"] for change in account["state"]["changes"]} == {
        "rollback": "planned",
        "promote": "planned",
    }
    assert len(account["state"]["findings"]) == 2
    assert (world.pages, world.notices, world.acted) == ([], [], [])


async def test_notices_are_sent_once_and_in_order(skipping: WorkflowEnvironment, world: World) -> None:
    """Each notice goes out at its moment, once; one that is not needed says why."""
    started = await skipping.get_current_time()
    async with world.workers(skipping.client):
        told = await Told.start(skipping.client, declaration(declared_at=started, runbook=with_notices()))
        await told.do("acknowledge")
        await skipping.sleep(timedelta(minutes=12))
        await told.do("mitigated", summary="m")
        await told.until(lambda s: "sent" in [n["status"] for n in s["notices"] if n["step"] == "monitoring"])
        await told.do("resolve", summary="r")
        await told.until(lambda s: all(n["status"] in {"sent", "skipped"} for n in s["notices"]))
    assert world.notices == [("investigating", 1), ("monitoring", 2), ("resolved", 3)]


async def test_state_survives_continue_as_new(server: WorkflowEnvironment, world: World) -> None:
    """Carried on as new, an incident keeps its clocks, its changes and its chain."""
    low = declaration(declared_at=datetime.now(UTC), history_limit=60)
    async with world.workers(server.client):
        told = await Told.start(server.client, low)
        await told.do("acknowledge")
        await told.do("request_change", step="rollback")
        change = await told.change_is("rollback", "awaiting-approval")
        for number in range(30):
            await told.do("note", text=f"note {number}")
        await told.change("rollback").signal("approve", {"by": "technical-manager", "digest": change["plan"]["digest"]})
        state = await told.change_is("rollback", "applied")
        first = await server.client.get_workflow_handle(told.handle.id).describe()
        assert first.run_id != told.handle.first_execution_run_id
        timeline = await told.timeline()
    assert state["approvals"][0]["by"] == "technical-manager"
    assert [entry["seq"] for entry in timeline] == list(range(1, len(timeline) + 1))
    assert sum(entry["kind"] == "note" for entry in timeline) == 30


async def test_severity_rises(server: WorkflowEnvironment, world: World) -> None:
    """Raised to P0, the chain is engaged at once while the acknowledgement stands."""
    async with world.workers(server.client):
        told = await Told.start(server.client, now_declared(severity=Severity.P1))
        await told.do("acknowledge")
        await told.do("reclassify", severity="P0", reason="down")
        state = await told.until(lambda s: len(s["pages"]) == 2)
    assert [page["role"] for page in state["pages"]] == ["devops-lead", "technical-manager"]
    assert state["acknowledged_at"]


async def test_the_key_is_given_back_by_its_holder_alone(server: WorkflowEnvironment, world: World) -> None:
    """A closed incident frees its key; the late release of an earlier incident frees nothing of a new one's."""
    declared = now_declared(key="alarm-1")
    async with world.workers(server.client):
        key = await server.client.start_workflow(
            "IncidentKey",
            KeyHold(incident_id=declared.incident_id),
            id=ids.key_workflow_id("production", "alarm-1"),
            task_queue=ids.INCIDENTS_QUEUE,
            result_type=str,
        )
        await key.signal("release", KeyRelease(released="inc-20261122-0000"))
        told = await Told.start(server.client, declared)
        await told.do("acknowledge")
        assert (await key.describe()).status == WorkflowExecutionStatus.RUNNING
        await told.do("false_alarm", reason="test")
        assert await key.result() == declared.incident_id
