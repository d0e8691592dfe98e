import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.worker import starter
from tests.worker.processes import worker_process
from worker import run

_SENT = b'{"MessageId": "m-1"}'

_LOOK_SECONDS, _SOON_SECONDS = 0.05, 2.0
_ENDS = (EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED)


class SlowAws(ThreadingHTTPServer):
    """Answers nothing before it is let go; then every SMS is sent, and everything else refused."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = threading.Event()
        self.let_go = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: SlowAws

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        texts = self.headers.get("X-Amz-Target", "").endswith(".SendTextMessage")
        self.server.asked.set()
        self.server.let_go.wait()
        self.send_response(200 if texts else 400)
        self.send_header("Content-Length", str(len(_SENT)))
        self.end_headers()
        self.wfile.write(_SENT)

    def log_message(self, *_args: object) -> None:
        """Say nothing on stderr."""


@contextmanager
def slow_aws() -> Iterator[SlowAws]:
    with SlowAws() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.let_go.set()
            server.shutdown()


async def _beats(incident: WorkflowHandle[Any, Any]) -> None:
    """Wait until the server has heard of a running activity twice within 2 of the 3 to 5 seconds that it has."""
    heard: dict[str, float] = {}
    while True:
        for one in (await incident.describe()).raw_description.pending_activities:
            at = one.last_heartbeat_time.ToMilliseconds() / 1000
            if at and 0 < at - heard.get(one.activity_id, at) < _SOON_SECONDS:
                return
            heard[one.activity_id] = at or heard.get(one.activity_id, 0)
        await asyncio.sleep(_LOOK_SECONDS)


async def test_running_activities_end_within_the_grace(bare_server: WorkflowEnvironment) -> None:
    """A page that is on its way beats; when the worker is told to stop it still goes out, once, and is on record."""
    incident = bare_server.client.get_workflow_handle("inc-20261123-7f3k")
    address = bare_server.client.service_client.config.target_host
    with slow_aws() as aws:
        async with worker_process(TEMPORAL_ADDRESS=address, AWS_ENDPOINT_URL=aws.url) as worker:
            await worker.event("worker ready")
            await starter.start(address, "elbv2.target_health")
            assert await asyncio.to_thread(aws.asked.wait, 30)
            await asyncio.wait_for(_beats(incident), 30)
            worker.send_signal(signal.SIGTERM)
            await worker.event("worker stopping")
            aws.let_go.set()
            code, _, _ = await worker.ended()
    assert code == 0
    history = await incident.fetch_history()
    pages = {
        event.event_id
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name.startswith("people.page")
    }
    ended = [
        (event.event_type, event.activity_task_completed_event_attributes.scheduled_event_id)
        for event in history.events
        if event.event_type in _ENDS
    ]
    done = {scheduled for kind, scheduled in ended if kind == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED}
    assert done & pages
    started = [
        event.activity_task_started_event_attributes
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    ]
    assert all(one.attempt == 1 for one in started if one.scheduled_event_id in pages)


class Working:
    """A worker that works until it is told to stop, and may die of that."""

    def __init__(self, death: Exception | None = None) -> None:
        self.told = asyncio.Event()
        self._death = death

    async def run(self) -> None:
        await self.told.wait()
        if self._death is not None:
            raise self._death

    async def shutdown(self) -> None:
        self.told.set()


async def test_no_new_work_is_taken_while_something_else_ends() -> None:
    """The watch may take a while to end; its worker is told to stop before that, and once."""
    one = Working()
    async with run._running([cast("Worker", one)], timedelta(seconds=5)) as running:
        assert running.drain() is running.drain()
        await asyncio.wait_for(one.told.wait(), 5)
    assert running.ends[0].done()


async def test_what_a_worker_died_of_is_raised() -> None:
    with pytest.raises(ConnectionError, match="the server is gone"):
        async with run._running([cast("Worker", Working(ConnectionError("the server is gone")))], timedelta()):
            pass
