"""Talking with incidents and changes: commands, questions, and the account that a closed one left."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import click
from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.values import ids
from domain.values.errors import ASK_AGAIN
from domain.values.status import FINAL, Status
from starters.client.answers import taken
from starters.client.connection import RPC_TIMEOUT, look, namespace_missing, nobody_answers, worker_polls
from starters.errors import RefusedError, UnreachableError

Document = dict[str, Any]

_ANSWER = timedelta(seconds=10)
_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 2
_SILENT = 3
"""So many of a task queue that do not answer, and none that does, are taken for all of it: it may be a stranger's."""

_CARRYING_ON_SECONDS = (0.1, 0.3, 0.9)
_ENDING_SECONDS = 60
_LOOK_SECONDS = 0.2
_ALIVE = {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW, WorkflowExecutionStatus.COMPLETED}
_UNANSWERED = {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION}


class Account(NamedTuple):
    """An incident's document and its whole timeline, oldest entry first."""

    state: Document
    timeline: list[Document]


async def find(client: Client, incident: str) -> WorkflowExecutionDescription:
    """Look an incident up; an id that names none is refused."""
    found = await look(client, incident)
    if found is None or found.workflow_type != "Incident":
        raise RefusedError(f"there is no incident {incident!r}")
    return found


async def send(client: Client, workflow_id: str, command: str, payload: Document) -> Document:
    """Send a command as an update and return the new state.

    Raises `RefusedError` with the reason when it is refused. A command that nobody answered in time may
    still be done later; sending it again is then refused or harmless.
    """
    answer: Document = await _answer(client, workflow_id, _update(client, workflow_id, command, payload))
    return answer


async def send_work(client: Client, incident: str, command: str, payload: Document) -> Document:
    """Send a command about work; once the incident is closed, to the follow-up that it left.

    That begins once its report is stored: while the incident comes to its end it is waited for, a minute at most.
    """
    try:
        return await send(client, incident, command, payload)
    except RefusedError:
        follow_up, until = ids.follow_up_workflow_id(incident), time.monotonic() + _ENDING_SECONDS
        while not await _runs(client, follow_up):
            if time.monotonic() > until or not (await _runs(client, incident) and await _leaves_work(client, incident)):
                raise
            await asyncio.sleep(_LOOK_SECONDS)
    return await send(client, follow_up, command, payload)


async def _leaves_work(client: Client, incident: str) -> bool:
    """Whether it is closed, and there is something to do for whom it leaves: a drill leaves nothing."""
    found = await state(client, incident)
    is_open = any(task["status"] == "open" for task in found["tasks"])
    return bool(found["status"] == Status.CLOSED and found["mode"] not in {"drill", "dry-run"} and is_open)


async def _runs(client: Client, workflow_id: str) -> bool:
    found = await look(client, workflow_id)
    return found is not None and found.status is WorkflowExecutionStatus.RUNNING


async def ask(client: Client, workflow_id: str, query: str) -> Any:
    """Ask a workflow a question; raises `UnreachableError` when no worker answers within seconds."""
    return await _answer(client, workflow_id, _query(client, workflow_id, query))


async def state(client: Client, incident: str) -> Document:
    """An incident's document; one that has ended needs no worker for it, but for the work that it left.

    `ended_from_outside` stands in that of an open one whose workflow somebody has ended: the watcher pages about it.
    """
    left = await _left(client, incident)
    document: Document = left.state if left else await ask(client, incident, "state")
    if document["status"] not in FINAL and (await find(client, incident)).status not in _ALIVE:
        document = {**document, "ended_from_outside": True}
    return document


async def states(client: Client, query: str) -> list[Document]:
    """The documents of the incidents that a query finds, by id.

    One for which nothing of ours answers is left out, and named on stderr: anybody may start one. Raises the error of
    the first where none answers.
    """
    listed = {one.id: one.task_queue async for one in client.list_workflows(query)}
    found: list[Document] = []
    failed: dict[str, RefusedError | UnreachableError] = {}
    silent: dict[str, list[RefusedError | UnreachableError]] = defaultdict(list)
    answering: set[str] = set()
    for name, queue in sorted(listed.items()):
        if queue not in answering and len(silent[queue]) > _SILENT:
            failed[name] = silent[queue][-1]
            continue
        try:
            found.append(await state(client, name))
            answering.add(queue)
        except (RefusedError, UnreachableError) as error:
            failed[name] = error
            silent[queue].append(error)
    if failed and not found:
        raise next(iter(failed.values()))
    for name, why in failed.items():
        click.echo(f"Warning: {name} is left out: {why.message}", err=True)
    return found


async def account(client: Client, incident: str) -> Account:
    """An incident's document and timeline; one that has ended needs no worker for them."""
    left = await _left(client, incident)
    return left or Account(await ask(client, incident, "state"), await ask(client, incident, "timeline"))


async def final(client: Client, incident: str) -> Document:
    """Wait until an incident is closed or a false alarm and return its document; gives up when no worker answers."""
    while True:
        document = await state(client, incident)
        if document["status"] in FINAL:
            return document
        found = await find(client, incident)
        if found.status not in _ALIVE:
            how = found.status.name.lower().replace("_", " ") if found.status else "gone"
            raise RefusedError(f"the workflow of {incident} is {how}")
        await asyncio.sleep(_LOOK_SECONDS)


def change_of(document: Document, step: str) -> str:
    """The workflow of the latest change of a step; a step that nobody has asked for yet is refused."""
    asked: list[str] = [change["workflow_id"] for change in document["changes"] if change["step"] == step]
    if not asked:
        raise RefusedError(
            f"nobody has asked for {step!r} in {document['id']} yet: incident change {document['id']} {step}"
        )
    return asked[-1]


async def _update(client: Client, workflow_id: str, command: str, payload: Document) -> Any:
    """Send one update. A workflow that is just carrying on as a new run turns it away: the new run takes it."""
    handle, name = client.get_workflow_handle(workflow_id), str(uuid4())
    for wait in _CARRYING_ON_SECONDS:
        try:
            return await _updated(handle, command, payload, name)
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
        await asyncio.sleep(wait)
    return await _updated(handle, command, payload, name)


async def _updated(handle: WorkflowHandle[Any, Any], command: str, payload: Document, name: str) -> Any:
    answer = await handle.execute_update(command, payload, id=name, result_type=RawValue, rpc_timeout=_ANSWER)
    return taken(handle.id, answer)


async def _query(client: Client, workflow_id: str, query: str) -> Any:
    """Ask once; a worker that is just catching up asks to be asked again."""
    handle = client.get_workflow_handle(workflow_id)
    for wait in _CARRYING_ON_SECONDS:
        try:
            return taken(workflow_id, await handle.query(query, result_type=RawValue, rpc_timeout=_ANSWER))
        except WorkflowQueryFailedError as error:
            if error.message != ASK_AGAIN:
                raise
        await asyncio.sleep(wait)
    return taken(workflow_id, await handle.query(query, result_type=RawValue, rpc_timeout=_ANSWER))


async def _answer(client: Client, workflow_id: str, call: Coroutine[Any, Any, Any]) -> Any:
    """What a workflow answers; a refusal, an unknown id and silence become the errors of the command's contract."""
    try:
        return await _in_time(client, workflow_id, call)
    except WorkflowUpdateFailedError as error:
        text = error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
        raise RefusedError(" ".join(text.split())) from error
    except WorkflowQueryFailedError as error:
        raise RefusedError(f"{workflow_id} does not answer: {error.message}") from error
    except (RPCTimeoutOrCancelledError, TimeoutError) as error:
        raise await nobody_answers(client, workflow_id) from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and not namespace_missing(error):
            await find(client, workflow_id.split("/", maxsplit=1)[0])
            raise RefusedError(f"{workflow_id} has ended, or never began") from error
        if error.status in _UNANSWERED:
            raise await nobody_answers(client, workflow_id) from error
        raise


async def _in_time(client: Client, workflow_id: str, call: Coroutine[Any, Any, Any]) -> Any:
    """Wait for an answer of the workers; not for long where none polls. Raises `TimeoutError` at the end."""
    task = asyncio.create_task(call)
    answered, _ = await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
    if not answered and not await worker_polls(client, workflow_id):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise await nobody_answers(client, workflow_id)
    async with asyncio.timeout(_ANSWER.total_seconds()):
        return await task


async def _left(client: Client, incident: str) -> Account | None:
    """What a completed incident has left, with its open work as its follow-up has it now, if anybody can say."""
    found = await find(client, incident)
    if found.status is not WorkflowExecutionStatus.COMPLETED:
        return None
    handle = client.get_workflow_handle(incident, run_id=found.run_id, result_type=RawValue)
    left = taken(incident, await handle.result(rpc_timeout=RPC_TIMEOUT))
    document: Document = left["state"]
    if document["status"] == "closed" and any(task["status"] == "open" for task in document["tasks"]):
        with suppress(RefusedError, UnreachableError):
            document |= await ask(client, ids.follow_up_workflow_id(incident), "state")
    return Account(document, left["timeline"])
