"""Drills in Temporal: started once an environment, stopped, and waited for until their incident is declared."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.values.ids import drill_workflow_id, task_queue
from starters.client.answers import taken
from starters.client.connection import RPC_TIMEOUT, look, nobody_answers, worker_polls
from starters.client.incident_client import ask
from starters.errors import RefusedError, UnreachableError

Document = dict[str, Any]
Sign = Callable[[Document, str], Document]
"""Gives what is said with its proof, about one run of a drill."""

_LOOK_SECONDS = 0.3
_LONGEST_SECONDS = 600.0
_STOP_SECONDS = 60.0


async def start(client: Client, asked: Document) -> Document:
    """Start the drill of an environment and wait for its incident. Raises `RefusedError` when none comes of it."""
    name = drill_workflow_id(asked["environment"])
    try:
        run = await client.start_workflow(
            "Drill",
            asked,
            id=name,
            task_queue=task_queue(asked["environment"]),
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=f"Drill in {asked['environment']}",
            rpc_timeout=RPC_TIMEOUT,
        )
    except WorkflowAlreadyStartedError as error:
        raise RefusedError(
            f"a drill of {asked['environment']} is under way: incident drill stop --reason WHY ends it"
        ) from error
    if not await worker_polls(client, name):
        raise UnreachableError(f"the drill was created, but {await nobody_answers(client, name)}")
    until = asyncio.get_running_loop().time() + _LONGEST_SECONDS
    while asyncio.get_running_loop().time() < until:
        found = await look(client, name, run.result_run_id)
        if found is None or found.status is not WorkflowExecutionStatus.RUNNING:
            raise RefusedError(await _why(client, name))
        state: Document = await ask(client, name, "state")
        if state["incident"]:
            return state
        await asyncio.sleep(_LOOK_SECONDS)
    raise RefusedError(f"the fault is still being injected after {_LONGEST_SECONDS / 60:.0f} minutes: see {name}")


async def stop(
    client: Client, environment: str, incident: str | None, said: Document, sign: Sign | None = None
) -> Document:
    """End the drill that is under way, and wait until it has; of another incident than `incident` it is refused.

    `said` is who stops it and why; `sign` gives it with its proof, for this run of the drill, where one is asked for.
    Raises `RefusedError` where there is none, or nobody has proven to stop it, where its fault could not be withdrawn,
    and where it has not ended within a minute: it goes on to its end, and a repeat waits for it again.
    """
    name = drill_workflow_id(environment)
    found = await look(client, name)
    if found is None or found.status is not WorkflowExecutionStatus.RUNNING:
        raise RefusedError(f"no drill of {environment} is under way")
    state: Document = await ask(client, name, "state")
    if incident is not None and incident != state["incident"]:
        raise RefusedError(f"the drill of {environment} under way is {state['incident']}, not {incident}")
    handle = client.get_workflow_handle(name, run_id=found.run_id, result_type=RawValue)
    signed = await asyncio.to_thread(sign, said, str(found.run_id)) if sign and state.get("proofs") else said
    try:
        await handle.execute_update("stop", signed, rpc_timeout=RPC_TIMEOUT)
    except WorkflowUpdateFailedError as error:
        raise RefusedError(_said(error)) from error
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # else it has just ended
            raise
    try:
        result: Document = taken(name, await asyncio.wait_for(handle.result(), _STOP_SECONDS))
    except WorkflowFailureError as error:
        raise RefusedError(_said(error)) from error
    except TimeoutError as error:
        doing = (await ask(client, name, "state"))["doing"]
        told = f"the drill of {environment} was told to stop and is not over after a minute"
        raise RefusedError(f"{told}: {doing}. The same command waits on; see {name}") from error
    return result


async def _why(client: Client, name: str) -> str:
    try:
        result = taken(name, await client.get_workflow_handle(name, result_type=RawValue).result())
    except WorkflowFailureError as error:
        return _said(error)
    return str(result["reason"])


def _said(error: WorkflowFailureError | WorkflowUpdateFailedError) -> str:
    cause: BaseException = error.cause
    while cause.__cause__ is not None and not isinstance(cause, ApplicationError):
        cause = cause.__cause__
    return " ".join(str(getattr(cause, "message", cause)).split())
