"""One incident from its start to its end, with scripted people who react at once to what they see."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

from temporalio.api.history.v1 import HistoryEvent
from temporalio.service import RPCError, RPCStatusCode

from benchmarks.outage import Said
from benchmarks.sides import Handle, Side


class Played(NamedTuple):
    """An incident that was played; `approved_at` is when the approval was sent, in Unix seconds."""

    workflow_id: str
    approved_at: float


async def play(side: Side, workflow_id: str) -> Played:
    """Play one incident to its end. People watch the history, which costs the worker nothing."""
    handle = await side.start(workflow_id)
    seen = _history(handle)
    await _answered(seen, side.first_answers)
    await _say(handle, [side.spoken(workflow_id, said) for said in side.opening])
    await _told(seen, side.tell)
    change = side.client.get_workflow_handle(side.change_id(workflow_id))
    approval = side.spoken(workflow_id, side.approval)
    approved_at = time.time()
    await _say(change, [approval])
    await _ended(seen)
    await _say(handle, [side.spoken(workflow_id, said) for said in side.closing])
    await handle.result()
    return Played(workflow_id, approved_at)


async def _history(handle: Handle) -> AsyncIterator[HistoryEvent]:
    """Every event of a workflow as it comes. A long poll that the server breaks off is taken up where it was."""
    seen = 0
    while True:
        try:
            position = 0
            async for event in handle.fetch_history_events(wait_new_event=True):
                position += 1
                if position > seen:
                    seen = position
                    yield event
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
        else:
            return


async def many(side: Side, workflow_ids: list[str], at_once: int) -> list[Played]:
    """Play incidents, so many at once; returns when the last has ended."""
    free = asyncio.Semaphore(at_once)

    async def one(workflow_id: str) -> Played:
        async with free:
            return await play(side, workflow_id)

    return await asyncio.gather(*(one(workflow_id) for workflow_id in workflow_ids))


async def _say(handle: Handle, sayings: list[Said]) -> None:
    for name, payload in sayings:
        await handle.signal(name, payload)


async def _answered(seen: AsyncIterator[HistoryEvent], answers: int) -> None:
    """Wait for so many activities to have answered."""
    async for event in seen:
        answers -= event.HasField("activity_task_completed_event_attributes")
        if answers <= 0:
            return
    raise RuntimeError("the workflow ended before its activities had answered")


async def _told(seen: AsyncIterator[HistoryEvent], name: str) -> None:
    """Wait until the change has told its incident something."""
    async for event in seen:
        if event.workflow_execution_signaled_event_attributes.signal_name == name:
            return
    raise RuntimeError(f"the workflow ended before it heard {name!r}")


async def _ended(seen: AsyncIterator[HistoryEvent]) -> None:
    """Wait until the incident knows that its change has ended: before that it refuses to be resolved.

    It knows once a workflow task is over that came after the end: signals which share that task are heard first.
    """
    ended = False
    async for event in seen:
        ended = ended or event.HasField("child_workflow_execution_completed_event_attributes")
        if ended and event.HasField("workflow_task_completed_event_attributes"):
            return
    raise RuntimeError("the workflow ended before its change")
