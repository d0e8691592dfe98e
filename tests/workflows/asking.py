"""Asking a running incident for changes and voting on them, as tests do."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.model.activity_io import PlanRequest
from domain.rules.live import LiveIncident
from tests.builders import declaration
from tests.upkeep import CODE
from tests.workflows.told import Told
from tests.workflows.world import World

MANAGER = "technical-manager"


async def begin(env: WorkflowEnvironment | Client) -> Told:
    """An acknowledged incident that the DevOps lead commands."""
    client = env if isinstance(env, Client) else env.client
    told = await Told.start(client, declaration(declared_at=datetime.now(UTC)))
    await told.do("acknowledge")
    return told


async def ask(told: Told, step: str = "rollback", by: str = "development-lead", **settings: Any) -> dict[str, Any]:
    """Ask for a change and wait until it waits for votes."""
    await told.do("request_change", by=by, step=step, set=settings)
    return await told.change_is(step, "awaiting-approval")


async def approve(told: Told, change: dict[str, Any], by: str = MANAGER) -> dict[str, Any]:
    vote = {"by": by, "digest": change["plan"]["digest"]}
    handle = told.client.get_workflow_handle(change["workflow_id"])
    answer: dict[str, Any] = await handle.execute_update("approve", vote, result_type=dict)
    return answer


async def own(told: Told, command: str, step: str, by: str = "devops-lead", **given: Any) -> None:
    """Ask for a change that needs nobody else, and approve its plan as whoever asks for it."""
    await told.do(command, by=by, step=step, **given)
    await approve(told, await told.change_is(step, "awaiting-approval"), by=by)


async def refused(told: Told, count: int = 1) -> list[str]:
    """The refusals on the incident's timeline, once there are so many."""
    while len(found := [entry["text"] for entry in await told.timeline() if entry["kind"] == "refused"]) < count:
        await asyncio.sleep(0.02)
    return found


def digest_of_rollback(world: World) -> str:
    """The digest that the rollback's plan will have as the world stands."""
    about = LiveIncident.declared(declaration()).state.about
    call = PlanRequest(about=about, step="rollback", generation=1, params={}, requested_by="devops-lead")
    return world.plan("test.rollback", call).plan.digest


async def incident_of(client: Client, run: WorkflowHandle[Any, Any]) -> Told:
    """The incident that a run of a schedule has declared."""
    while True:
        described = await run.describe()
        for child in described.raw_description.pending_children:
            if child.workflow_type_name == "Incident" and child.run_id:  # before, it is only asked for
                return Told(client, client.get_workflow_handle(child.workflow_id))
        await asyncio.sleep(0.02)


async def do_upkeep(told: Told) -> None:
    """Do all that the upkeep asks of people."""
    await told.until(lambda state: state["notices"][0]["status"] == "sent")
    await told.do("complete_task", by="cto", step="confirm-cto", code=CODE)
    await told.do("complete_task", by="technical-manager", step="review")
