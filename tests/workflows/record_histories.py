"""Record the histories that `test_replay` replays: `python -m tests.workflows.record_histories`.

Plays whole incidents on the development server that comes with the `dev` extra, with made-up people and resources.
Record again when a workflow's commands are meant to differ: incidents that began before stay on their build. If they
are to be moved, the workflow needs `workflow.patched` and keeps the earlier histories beside new ones.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from domain.model.declaration import KeyHold
from domain.model.drill import DrillRun
from domain.model.scheduled import ScheduledRun
from domain.rules.run import RestoreRequest
from domain.values import ids
from tests.activities.scopes import environment
from tests.builders import declaration, with_notices
from tests.waiting import SERVER_STARTS
from tests.workflows.asking import approve, do_upkeep, incident_of, own
from tests.workflows.checking import check
from tests.workflows.conftest import binary
from tests.workflows.standing_in import stood_in
from tests.workflows.told import Told
from tests.workflows.world import World
from worker.command import leave
from workflows import search_attributes
from workflows.catalogue import WORKFLOWS

FOLDER = Path(__file__).parent / "histories"
IDENTITY = "recorder"
SPEED = 600
"""Twenty minutes of policy pass in two seconds."""
UNREAD = {
    "activityTaskScheduledEventAttributes": "input",
    "workflowExecutionUpdateCompletedEventAttributes": "outcome",
    "workflowExecutionCompletedEventAttributes": "result",
}
PLACE = environment(
    kind="sandbox",
    **{key: {} for key in ("services", "databases", "networks", "load_balancers", "health", "buckets", "web_acls")},
    maintenance=None,
    evidence={"bucket": "axis-evidence", "kms_key": "alias/evidence", "signing_key": "alias/ledger"},
)
"""Next to nothing: every activity's input holds it."""


async def outage_to_closed(told: Told, world: World) -> None:
    """Found, acknowledged, rolled back by two people's agreement, told outside, and closed."""
    await told.until(lambda s: len(s["findings"]) == 2)
    await told.do("acknowledge")
    await told.do("request_change", by="development-lead", step="rollback")
    await approve(told, await told.change_is("rollback", "awaiting-approval"))
    await told.change_is("rollback", "applied")
    await told.until(lambda s: s["notices"][0]["status"] == "sent")
    await told.do("mitigated", summary="rolled back")
    await told.do("resolve", summary="steady")
    await told.until(lambda s: all(n["status"] in {"sent", "skipped"} for n in s["notices"]))
    await told.do("complete_task", step="assess")
    await told.do("waive_task", step="review", reason="rehearsed")
    await told.do("close")


async def unanswered(told: Told, world: World) -> None:
    """Paged in vain until the CTO is, then acknowledged, refused what is too early, and a false alarm."""
    await told.until(lambda s: "cto" in [page["role"] for page in s["pages"]])
    await told.handle.signal("resolve", {"by": "cto", "summary": "too early"})
    await told.do("acknowledge", by="cto")
    await told.do("false_alarm", by="cto", reason="the monitor was wrong")


async def false_alarm(told: Told, world: World) -> None:
    """A duplicate alert, a change that waits for votes and is cancelled by the false alarm."""
    await told.handle.signal("alert", {"by": "monitoring", "text": "again"})
    await told.do("acknowledge")
    await told.do("request_change", step="promote")
    await told.change_is("promote", "awaiting-approval")
    await told.do("false_alarm", reason="the monitor was wrong")


async def applied_and_undone(told: Told, world: World) -> None:
    """A change that whoever asks for it decides, and its undoing."""
    await told.do("acknowledge")
    await own(told, "request_change", "scale-up", set={"count": 4})
    await told.change_is("scale-up", "applied")
    await own(told, "undo", "scale-up")
    await told.until(lambda s: [change["status"] for change in s["changes"]] == ["undone", "applied"])
    await told.do("false_alarm", reason="rehearsed")


async def stale(told: Told, world: World) -> None:
    """Somebody else is faster: planned again, and rejected then."""
    world.before_apply = lambda: setattr(world, "revision", "other")
    await told.do("acknowledge")
    await told.do("request_change", by="development-lead", step="rollback")
    await approve(told, await told.change_is("rollback", "awaiting-approval"))
    await told.until(lambda s: len(s["changes"]) > 1)
    await told.change_is("rollback", "awaiting-approval")
    await told.change("rollback", 2).signal("reject", {"by": "technical-manager", "reason": "look first"})
    await told.change_is("rollback", "rejected")
    await told.do("false_alarm", reason="rehearsed")


async def signed(told: Told, world: World) -> None:
    """Where everybody proves who they are: an unsigned vote is refused, and a signed one counts."""
    proof = {"good": True}
    await told.do("acknowledge", proof=proof)
    await told.do("request_change", by="development-lead", step="rollback", proof=proof)
    digest = (await told.change_is("rollback", "awaiting-approval"))["plan"]["digest"]
    vote = {"by": "technical-manager", "digest": digest}
    await told.change("rollback").signal("approve", vote)
    await told.change("rollback").execute_update("approve", {**vote, "proof": proof})
    await told.change_is("rollback", "applied")
    await told.do("note", text="steady")
    await told.do("false_alarm", reason="rehearsed", proof=proof)


Play = Callable[[Told, World], Awaitable[None]]
PLAYS: dict[str, tuple[Play, dict[str, Any]]] = {
    "outage-to-closed": (outage_to_closed, {"runbook": with_notices(), "speed": SPEED, "key": "alarm-1"}),
    "unanswered": (unanswered, {"speed": SPEED}),
    "false-alarm": (false_alarm, {}),
    "applied-and-undone": (applied_and_undone, {}),
    "stale": (stale, {}),
    "stood-in": (stood_in, {}),
    "signed": (signed, {"environment": PLACE.model_copy(update={"kind": "staging"})}),
}


@asynccontextmanager
async def served(client: Client, world: World) -> AsyncIterator[None]:
    """Workers for every queue, which leave no trace of this machine."""
    async with AsyncExitStack() as workers:
        for queue in ids.QUEUES:
            workflows = WORKFLOWS if queue == ids.INCIDENTS_QUEUE else ()
            await workers.enter_async_context(
                Worker(
                    client,
                    task_queue=queue,
                    workflows=workflows,
                    activities=[*world.activities(), check],
                    activity_executor=ThreadPoolExecutor(1),
                    identity=IDENTITY,
                    build_id=IDENTITY,
                )
            )
        yield


SCHEDULED = "scheduled"
DRILL = ids.drill_workflow_id("staging")
RESTORED = "restored"
"""The incident that was lost and went on: its own history, its change's, and that of who restored it."""


async def record(name: str, client: Client) -> None:
    """Play one incident to its end and keep its history, its changes' and its key's."""
    play, fields = PLAYS[name]
    world = World()
    fields = {"incident_id": f"inc-20261123-{name}", "environment": PLACE, **fields}
    declared = declaration(declared_at=datetime.now(UTC), **fields)
    async with served(client, world):
        if declared.key:
            hold = KeyHold(incident_id=declared.incident_id)
            key = ids.key_workflow_id(PLACE.name, declared.key)
            await client.start_workflow("IncidentKey", hold, id=key, task_queue=ids.INCIDENTS_QUEUE)
        told = await Told.start(client, declared)
        await play(told, world)
        account = await told.handle.result()
        await keep(client, declared.incident_id, name)
        for change in account["state"]["changes"]:
            await client.get_workflow_handle(change["workflow_id"]).result()
            await keep(client, change["workflow_id"], f"{name}.{change['step']}-{change['generation']}")
        if any(task["status"] == "open" for task in account["state"]["tasks"]) and play is outage_to_closed:
            await finish_work(client, declared.incident_id)
            await keep(client, ids.follow_up_workflow_id(declared.incident_id), f"{name}.follow-up")
        if declared.key:
            await keep(client, key, f"{name}.key")


async def record_restored(client: Client) -> None:
    """Lose an incident whose change waits for a second vote, restore it, and keep what its second life did."""
    world, incident = World(), f"inc-20261123-{RESTORED}"
    declared = declaration(declared_at=datetime.now(UTC), incident_id=incident, environment=PLACE)
    async with served(client, world):
        told = await Told.start(client, declared)
        await told.do("acknowledge")
        await told.do("request_change", by="technical-manager", step="promote")
        await approve(told, await told.change_is("promote", "awaiting-approval"), by="cto")
        await told.until(lambda s: s["changes"][0]["approvals"])
        await told.until(is_written)
        for lost in (told.change("promote"), told.handle):
            await lost.terminate()
        told.handle = client.get_workflow_handle(incident)
        restore = ids.restore_workflow_id(RESTORED)
        await client.execute_workflow("Restore", RestoreRequest(), id=restore, task_queue=ids.INCIDENTS_QUEUE)
        await told.until(is_written)  # by then its change has begun anew too
        await approve(told, await told.change_is("promote", "awaiting-approval"), by="devops-lead")
        await told.change_is("promote", "applied")
        await told.do("false_alarm", reason="rehearsed")
        await told.handle.result()
        await client.get_workflow_handle(f"{incident}/promote/1").result()
        for workflow_id, name in ((incident, ""), (f"{incident}/promote/1", ".promote-1"), (restore, ".restore")):
            await keep(client, workflow_id, f"{RESTORED}{name}")


async def record_scheduled(client: Client) -> None:
    """A run of a schedule, and the upkeep that it declared, whose id is in its file's name."""
    world = World()
    run = ScheduledRun(schedule="nightly", environment="staging", declares="drift")
    async with served(client, world):
        scheduled = await client.start_workflow("Scheduled", run, id=SCHEDULED, task_queue=ids.INCIDENTS_QUEUE)
        told = await incident_of(client, scheduled)
        await do_upkeep(told)
        await scheduled.result()
        await keep(client, SCHEDULED, f"{SCHEDULED}.run")
        await keep(client, told.handle.id, f"{SCHEDULED}.{told.handle.id}")


async def record_drill(client: Client) -> None:
    """A drill, from the fault that is injected to its withdrawal, and the incident that it declared."""
    world = World()
    async with served(client, world):
        run = DrillRun(environment="staging", by="cto")
        drill = await client.start_workflow("Drill", run, id=DRILL, task_queue=ids.INCIDENTS_QUEUE)
        while (incident := (await drill.query("state"))["incident"]) is None:
            await asyncio.sleep(0.02)
        told = Told(client, client.get_workflow_handle(incident))
        await told.do("acknowledge")
        await told.until(is_written)
        await drill.execute_update("stop", {"by": "cto", "reason": "rehearsed"})
        await drill.result()
        await told.handle.result()
        await keep(client, DRILL, "drill.run")
        await keep(client, incident, f"drill.{incident}")


def is_written(state: dict[str, Any]) -> bool:
    return bool(state["timeline"]["written"] == state["timeline"]["length"])


async def finish_work(client: Client, incident: str) -> None:
    """Do what a closed incident left to do."""
    work = client.get_workflow_handle(ids.follow_up_workflow_id(incident), result_type=dict)
    await work.execute_update("complete_task", {"by": "devops-lead", "step": "training"}, result_type=dict)
    await work.result()


async def keep(client: Client, workflow_id: str, name: str) -> None:
    """Write down what a replay looks at: neither what was handed out, nor traces that name the recorder's files."""
    history = json.loads((await client.get_workflow_handle(workflow_id).fetch_history()).to_json())
    for event in history["events"]:
        for kind, field in UNREAD.items():
            event.get(kind, {}).pop(field, None)
    text = json.dumps(without_traces(history), separators=(",", ":"), sort_keys=True)
    await asyncio.to_thread((FOLDER / f"{name}.json").write_text, text + "\n", encoding="utf-8")


def without_traces(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_traces(inner) for key, inner in value.items() if key != "stackTrace"}
    return [without_traces(inner) for inner in value] if isinstance(value, list) else value


async def main() -> None:
    """Replace every recorded history."""
    await asyncio.to_thread(FOLDER.mkdir, exist_ok=True)
    for old in await asyncio.to_thread(lambda: list(FOLDER.glob("*.json"))):
        await asyncio.to_thread(old.unlink)
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        identity=IDENTITY,
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        dev_server_startup_timeout=SERVER_STARTS,
        search_attributes=search_attributes.ALL,
    ) as env:
        for name in PLAYS:
            await record(name, env.client)
        await record_restored(env.client)
        await record_scheduled(env.client)
        await record_drill(env.client)


if __name__ == "__main__":
    asyncio.run(main())
    leave(0)
