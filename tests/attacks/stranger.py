"""What a stranger with a plain client does, and what is looked at afterwards: every task of every run."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.common import RawValue

SECRET = "Patient Zero"
"""Stands in what cannot be read: no log and no entry may repeat it."""

_CAUSE = WorkflowTaskFailedCause
_PENDING = {
    _CAUSE.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    _CAUSE.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_UPDATE,
    _CAUSE.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
}
"""The server's own: something came in while the run ended, and is handled first; or more came in during one task than
the server holds back (a hundred messages), and it hands the task out anew. Our code's failures have other causes."""


def raw(data: bytes, encoding: bytes = b"json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding}, data=data))


_SAID = f'{{"by": "devops-lead", "text": "{SECRET}"}}'.encode()
MALFORMED: dict[str, list[RawValue]] = {
    "no JSON": [raw(_SAID[:-1])],
    "two inputs": [raw(_SAID), raw(_SAID)],
    "none": [],
    "null": [raw(b"", b"binary/null")],
    "bytes": [raw(_SAID, b"binary/plain")],
    "protobuf": [raw(_SAID, b"json/protobuf")],
    "a codec's": [raw(_SAID, b"binary/encrypted")],
    "no encoding": [RawValue(Payload(data=_SAID))],
    "a lone surrogate": [raw(_SAID[:-2] + b'\\ud800"}')],
    "no UTF-8": [raw(_SAID[:-2] + b'\xff\xfe"}')],
    "depth 5,000": [raw(b'{"by": "devops-lead", "text": "x", "proof": ' + b"[" * 5000 + b"]" * 5000 + b"}")],
    "depth 100": [raw(b'{"by": "devops-lead", "text": "x", "proof": ' + b"[" * 100 + b"]" * 100 + b"}")],
    "5,000 digits": [raw(b'{"by": "devops-lead", "text": "x", "proof": ' + b"9" * 5000 + b"}")],
    "4,000 digits": [raw(b'{"by": "devops-lead", "text": "x", "proof": ' + b"9" * 4000 + b"}")],
    "no number": [raw(b'{"by": "devops-lead", "text": "x", "proof": NaN}')],
    "infinite": [raw(b'{"by": "devops-lead", "text": "x", "proof": 1e400}')],
    "a list": [raw(b"[" + _SAID + b"]")],
    "a text": [raw(f'"{SECRET}"'.encode())],
    "1 MB": [raw(b'{"by": "devops-lead", "text": "' + SECRET.encode() * 80_000 + b'"}')],
    "a long name": [raw(b'{"by": "' + b"x" * 5000 + b'", "text": "x"}')],
    "somebody's": [raw(b'{"by": {"' + SECRET.encode() + b'": 1}, "text": "x"}')],
}


async def runs(client: Client, workflow_id: str, run_id: str | None = None) -> AsyncIterator[list[HistoryEvent]]:
    """The history of each run of a workflow, from this one or the newest one back to the first."""
    first = (await client.get_workflow_handle(workflow_id).describe()).raw_description
    info = first.workflow_execution_info
    run: str | None = run_id or info.first_run_id or info.execution.run_id
    while run:
        events = list((await client.get_workflow_handle(workflow_id, run_id=run).fetch_history()).events)
        yield events
        run = events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id or None


async def failed_tasks(client: Client, *workflow_ids: str) -> list[str]:
    """Why tasks of these workflows failed, in all their runs."""
    failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    found = []
    for workflow_id in workflow_ids:
        async for events in runs(client, workflow_id):
            attributes = [one.workflow_task_failed_event_attributes for one in events if one.event_type == failed]
            found += [
                f"{workflow_id}: {_CAUSE.Name(one.cause)}: {one.failure.message}"
                for one in attributes
                if one.cause not in _PENDING
            ]
    return found


async def lengths(client: Client, workflow_id: str) -> list[int]:
    """How many events each run of a workflow has."""
    return [len(events) async for events in runs(client, workflow_id)]


async def flood(client: Client, workflow_id: str, name: str, payload: Any, times: int, at_once: int = 50) -> None:
    """Send the same signal again and again."""
    handle = client.get_workflow_handle(workflow_id)
    for start in range(0, times, at_once):
        await asyncio.gather(*(handle.signal(name, payload) for _ in range(start, min(start + at_once, times))))
