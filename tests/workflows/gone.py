"""A development server that goes away for a week: its database stays, and its schedules are where it left them."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import History
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.waiting import SERVER_STARTS
from tests.workflows.conftest import binary
from workflows import search_attributes

ASLEEP = ("--dynamic-config-value", "worker.perNamespaceWorkerCount=0")
"""With this a server takes schedules and does nothing about them."""
_SCHEDULER = "temporal-sys-scheduler-workflow"
"""What a schedule is on the server: a workflow, whose argument is a `StartScheduleArgs`."""
_STATE, _PROCESSED, _RESULT = 4, 3, 5
"""Fields of `StartScheduleArgs`, and of its `InternalState`: `last_processed_time` and `last_completion_result`
(temporalio/temporal, temporal/server/api/schedule/v1/message.proto)."""


@asynccontextmanager
async def server_on(database: Path, *arguments: str) -> AsyncIterator[WorkflowEnvironment]:
    """The server, on a database that outlives it."""
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        search_attributes=list(search_attributes.ALL),
        dev_server_existing_path=binary("temporal"),
        dev_server_database_filename=str(database),
        dev_server_extra_args=arguments,
        dev_server_log_level="error",
        dev_server_startup_timeout=SERVER_STARTS,
    ) as env:
        yield env


def stopped_at(at: datetime, database: Path, last: Sequence[Payload]) -> None:
    """Have a server that is down, and slept before, have stopped `at` an instant, after a run that left `last`.

    The schedule's workflow begins with the state that the server gives it when it continues it as new: until when it
    has done what was due, and what came of it last. Where that was a week ago, the server finds out when it is back.
    """
    processed = Timestamp(seconds=int(at.timestamp())).SerializeToString()
    state = _field(_PROCESSED, processed) + _field(_RESULT, Payloads(payloads=last).SerializeToString())
    with closing(sqlite3.connect(database)) as opened, opened:
        nodes: list[tuple[int, bytes]] = opened.execute("SELECT rowid, data FROM history_node").fetchall()
        histories = [(row, History.FromString(data)) for row, data in nodes]
        ((row, history),) = [(row, one) for row, one in histories if _begins(one).workflow_type.name == _SCHEDULER]
        # a field that comes twice is merged
        _begins(history).input.payloads[0].data += _field(_STATE, state)
        opened.execute("UPDATE history_node SET data = ? WHERE rowid = ?", (history.SerializeToString(), row))


def _begins(history: History) -> Any:
    return history.events[0].workflow_execution_started_event_attributes


def _field(number: int, content: bytes) -> bytes:
    """A field of protocol buffers that holds a message or bytes."""
    size, length = len(content), b""
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content
