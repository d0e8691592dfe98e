"""Releases amid incidents: what is open on which build, the build that new incidents begin on, and moving to it."""

from collections import defaultdict
from typing import NamedTuple

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus as Status
from temporalio.api.workflow.v1 import VersioningOverride, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus

from domain.values import ids
from starters.client import incident_client
from starters.client.connection import RPC_TIMEOUT, look
from starters.client.notes import noted
from starters.client.replays import refuse_other_code, refuse_unless_replayed
from starters.errors import RefusedError
from workflows import builds

_BUILD = "TemporalWorkerDeploymentVersion"
_WAITING = ("Drill", "Scheduled")
"""Workflows that wait for an incident which they have declared, and end with it."""
_STATES = {
    Status.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: "current",
    Status.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: "current",
    Status.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: "draining",
    Status.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED: "drained",
}


class Build(NamedTuple):
    """One build. `state`: new (not promoted yet), current, draining, drained; for workers without one, unversioned.

    `not_polled` are the queues on which no worker of it polls. `open` counts every workflow that is.
    """

    build: str | None
    state: str
    workers: int
    not_polled: list[str]
    incidents: list[str]
    open: int

    @property
    def can_be_stopped(self) -> bool:
        """Whether nothing is left to do on it; the server looks every few minutes."""
        return self.state == "drained" and not self.open


async def status(client: Client, environment: str) -> list[Build]:
    """The builds, newest first; workers without a build come last, and only where there are any, or work for them."""
    found = await builds.deployment(client, environment)
    summaries = sorted(found.version_summaries, key=lambda one: one.create_time.ToNanoseconds()) if found else []
    states: dict[str | None, str] = {
        one.deployment_version.build_id: _STATES.get(one.status, "new") for one in reversed(summaries)
    }
    polled, work = await builds.all_polled(client, environment), await _open_by_build(client, environment)
    states |= {build: "drained" for build in work if build is not None and build not in states}
    if None in work or any(one.pollers.get(None) for one in polled.values()):
        states[None] = "unversioned"

    def told(build: str | None, state: str) -> Build:
        workers = {name for one in polled.values() for name in one.pollers.get(build, ())}
        silent = [queue for queue, one in polled.items() if not one.pollers.get(build)]
        incidents = sorted(name for name, kind in work[build].items() if kind == "Incident")
        return Build(build, state, len(workers), silent, incidents, len(work[build]))

    return [told(build, state) for build, state in states.items()]


async def promote(client: Client, environment: str, build: str) -> str | None:
    """Have new incidents begin on a build, and return the one that they began on before.

    Raises `RefusedError` unless its workers poll every queue. What workers without a build began goes on with this
    build's code at its next task: it is replayed first, and refused as in `move`.
    """
    await _refuse_unpolled(client, environment, build)
    before = await builds.current(client, environment)
    if loose := list((await _open_by_build(client, environment))[None]):
        await refuse_other_code(client, environment, build)
        await refuse_unless_replayed(client, loose, build)
    await builds.promote(client, environment, build)
    return before


async def move(client: Client, incident: str) -> tuple[str, list[str]]:
    """Move an incident and all that is open of it to the current build; returns the build and what was moved.

    Each history is replayed before anything is done. Raises `RefusedError`, with nothing moved, when one does not. An
    event that came in between is looked at too: what does not replay then goes back to where it was.
    A repeat moves nothing. Temporal: `UpdateWorkflowExecutionOptions`.
    """
    found = await incident_client.find(client, incident)
    environment = ids.environment_of_queue(found.task_queue)
    build = await builds.current(client, environment)
    if build is None:
        raise RefusedError("no build is current: incident deploy promote BUILD")
    todo = [one for one in await _parts(client, found) if builds.build_of(one) != build]
    if not todo:
        return build, []
    await refuse_other_code(client, environment, build)
    await _refuse_unpolled(client, environment, build)
    names = [one.id for one in todo]
    await refuse_unless_replayed(client, names, build)
    pinned = VersioningOverride.PinnedOverride(
        behavior=VersioningOverride.PINNED_OVERRIDE_BEHAVIOR_PINNED, version=builds.version(environment, build)
    )
    for one in todo:
        await _override(client, one, VersioningOverride(pinned=pinned))
    try:
        await refuse_unless_replayed(client, names, build)
    except RefusedError:
        for one in todo:
            before = one.raw_description.workflow_execution_info.versioning_info
            await _override(client, one, before.versioning_override if before.HasField("versioning_override") else None)
        raise
    return build, names


async def _parts(client: Client, found: WorkflowExecutionDescription) -> list[WorkflowExecutionDescription]:
    """The incident, its changes and its follow-up, the key that it holds, the drill and the run that wait for it."""
    opened = _open(ids.environment_of_queue(found.task_queue))
    names = [one.id async for one in client.list_workflows(f"{opened} AND WorkflowId STARTS_WITH '{found.id}/'")]
    names += [str(name) for name in [await noted(found, "key")] if name]
    parts = [found, *[one for name in names if (one := await look(client, name))]]
    above = found
    while above.parent_id and (parent := await look(client, above.parent_id)) and parent.workflow_type in _WAITING:
        parts.append(above := parent)
    return [one for one in parts if one.status is WorkflowExecutionStatus.RUNNING and await _is_of(one, found)]


async def _is_of(one: WorkflowExecutionDescription, incident: WorkflowExecutionDescription) -> bool:
    """A key may stand for another incident by now; and the incident that opened this one is not part of it."""
    if one.workflow_type == "IncidentKey":
        return bool(await noted(one, "incident") == incident.id)
    return one.workflow_type in _WAITING or one.id.split("/")[0] == incident.id


def _open(environment: str) -> str:
    return f"ExecutionStatus = 'Running' AND TaskQueue = '{ids.task_queue(environment)}'"


async def _open_by_build(client: Client, environment: str) -> dict[str | None, dict[str, str]]:
    """The types of the open workflows, by build and id. Temporal: `ListWorkflowExecutions`."""
    found: dict[str | None, dict[str, str]] = defaultdict(dict)
    async for one in client.list_workflows(_open(environment)):
        version = next((str(pair.value) for pair in one.typed_search_attributes if pair.key.name == _BUILD), "")
        deployment, _, build = version.partition(":")
        found[build if deployment == builds.deployment_name(environment) else None][one.id] = one.workflow_type
    return found


async def _refuse_unpolled(client: Client, environment: str, build: str) -> None:
    polled = await builds.all_polled(client, environment)
    silent = [queue for queue, one in polled.items() if not one.pollers.get(build)]
    if silent:
        raise RefusedError(f"no worker of build {build} polls {', '.join(silent)}: start it first")


async def _override(client: Client, one: WorkflowExecutionDescription, to: VersioningOverride | None) -> None:
    await client.workflow_service.update_workflow_execution_options(
        UpdateWorkflowExecutionOptionsRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=one.id, run_id=one.run_id),
            workflow_execution_options=WorkflowExecutionOptions(versioning_override=to),
            update_mask=FieldMask(paths=["versioning_override"]),
            identity=client.identity,
        ),
        timeout=RPC_TIMEOUT,
    )
