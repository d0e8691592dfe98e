"""Duties over weeks: no worker, no release and no new run in between loses a reminder or sends one twice."""

import asyncio
from datetime import timedelta

from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from tests.builders import declaration
from tests.workflows.told import Told
from tests.workflows.world import World

DAY = timedelta(days=1)


def reminders(world: World) -> list[tuple[str, str]]:
    """Duty and role of every reminder of a duty on record."""
    return [
        (entry.data["step"], one["role"])
        for entry in world.ledger
        for one in entry.data.get("to", [])
        if entry.kind == "reminder" and entry.data["step"] in {"assessment", "statement"}
    ]


def mails(world: World) -> list[str]:
    """Whom mails about duties have reached, in order."""
    return [role for role, subject in world.pages if "ssess" in subject or "statement" in subject]


async def test_a_breach_from_suspicion_to_the_statement(server: WorkflowEnvironment, world: World) -> None:
    """Over forty fast policy days: two releases, days without any worker, several runs; each reminder exactly once.

    What falls due while nobody is there is done once a worker is back.
    """
    day = timedelta(seconds=0.4)
    started = await server.get_current_time()
    declared = declaration(declared_at=started, phi=True, speed=DAY / day, history_limit=40)
    async with world.workers(server.client, "release-1"):
        told = await Told.start(server.client, declared)
        for name in ("acknowledge", "mitigated", "resolve"):
            await told.do(name, by="privacy-officer", summary="s")
        runs = {(await told.handle.describe()).run_id}
    before = mails(world)
    while await server.get_current_time() < started + 6 * day:
        await asyncio.sleep(0.1)
    assert mails(world) == before
    async with world.workers(server.client, "release-2"):
        await told.until(lambda s: s["obligations"][0]["overdue"])
        runs.add((await told.handle.describe()).run_id)
        await told.do("record_fact", by="privacy-officer", fact="belief_at")
        await told.until(lambda s: s["obligations"][-1]["overdue"])
        while await server.get_current_time() < started + 40 * day:
            await asyncio.sleep(0.1)
        receipt = {"step": "statement", "reference": "OAIC receipt 4711", "justification": "the form was down"}
        await told.do("discharge_obligation", by="privacy-officer", **receipt)
        while len(runs) < 3:
            await told.do("note", text=f"run {len(runs)}")
            runs.add((await told.handle.describe()).run_id)
        state = await told.do("discharge_obligation", by="cto", step="statement")
        await told.until(lambda s: s["timeline"]["written"] == s["timeline"]["length"] and len(mails(world)) >= 10)
    assert reminders(world) == [
        ("assessment", "privacy-officer"),
        ("assessment", "privacy-officer"),
        ("assessment", "cto"),
        ("assessment", "privacy-officer"),
        ("assessment", "technical-manager"),
        ("assessment", "cto"),
        ("statement", "privacy-officer"),
        ("statement", "cto"),
        ("statement", "privacy-officer"),
        ("statement", "cto"),
    ]
    assert sorted(mails(world)) == sorted(role for _, role in reminders(world))
    ended = {e.data["step"]: e.at for e in world.ledger if e.kind == "obligation" and not e.data.get("missing")}
    assert ended["statement"] >= started + 40 * day
    assert {o["step"]: o["state"] for o in state["obligations"]} == {
        "assessment": "superseded",
        "officer-told": "discharged",
        "statement": "discharged",
    }
    assert state["obligations"][-1]["reference"] == "OAIC receipt 4711"
    assert [entry.seq for entry in world.ledger] == list(range(1, len(world.ledger) + 1))


async def test_an_open_duty_keeps_the_incident_open(server: WorkflowEnvironment, world: World) -> None:
    """Close and false alarm are refused with the duties that are open, and done once they have ended."""
    async with world.workers(server.client):
        told = await Told.start(server.client, declaration(declared_at=await server.get_current_time(), phi=True))
        await told.do("acknowledge", by="privacy-officer")
        await told.handle.signal("false_alarm", {"by": "cto", "reason": "a test"})
        await told.until(lambda s: s["timeline"]["length"] > 10)
        refused = [entry["text"] for entry in await told.timeline() if entry["kind"] == "refused"]
        assert refused == [
            "Refused false_alarm: obligations are open (discharge them, or sign that they are not required): assessment"
        ]
        for by in ("cto", "technical-manager"):
            await told.do("obligation_not_required", by=by, step="assessment", reason="a test record")
        await told.do("false_alarm", by="cto", reason="a test")
        account = await told.handle.result()
    assert account["state"]["obligations"][0]["state"] == "not-required"


async def test_what_is_left_to_do_outlives_the_incident(skipping: WorkflowEnvironment, world: World) -> None:
    """A closed incident's optional work goes on by itself: its owner is reminded each day until it is done."""
    started = await skipping.get_current_time()
    async with world.workers(skipping.client):
        told = await Told.start(skipping.client, declaration(declared_at=started))
        for name in ("acknowledge", "mitigated", "resolve"):
            await told.do(name, summary="s")
        for step in ("assess", "review"):
            await told.do("complete_task", step=step)
        await told.do("close")
        with skipping.auto_time_skipping_disabled():
            account = await told.handle.result()
        assert [t["status"] for t in account["state"]["tasks"] if t["step"] == "training"] == ["open"]
        work = skipping.client.get_workflow_handle(f"{told.handle.id}/follow-up")
        assert (await work.describe()).status is WorkflowExecutionStatus.RUNNING
        await skipping.sleep(13 * DAY + timedelta(hours=1))  # a reminder's timer begins when its task does
        state = await work.query("state", result_type=dict)
        assert state["waiting_for"] == ["devops-lead"]
        done = {"by": "devops-lead", "step": "training", "note": "held"}
        await work.execute_update("complete_task", done, result_type=dict)
        with skipping.auto_time_skipping_disabled():
            left = await work.result()
    assert {task["step"]: task["status"] for task in left["tasks"]}["training"] == "done"
    reminded = [role for role, subject in world.pages if "Overdue: Train" in subject]
    assert reminded == ["devops-lead"] * 4  # due after ten days, then each day
    assert [call.number for call in world.followed] == [*range(1, 10)]
    assert [call.kind for call in world.followed] == ["reminder", "delivery"] * 4 + ["task"]
