"""Signs of life come while pages can go out, as far as Temporal and the workers of `notify` go, and no longer."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from tests.worker.processes import WAIT_SECONDS, worker_process
from worker import heartbeat

NAMESPACE = "incident/sandbox"
DOWN = RPCError("no connection", RPCStatusCode.UNAVAILABLE, b"")


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


async def signs(endpoint: str) -> list[str]:
    session = boto3.Session("testing", "testing", region_name="ap-southeast-2")
    cloudwatch: Any = session.client("cloudwatch", endpoint_url=endpoint)
    found = await asyncio.to_thread(cloudwatch.list_metrics, Namespace=NAMESPACE)
    return [one["MetricName"] for one in found["Metrics"]]


async def test_only_who_serves_pages_gives_signs(server: WorkflowEnvironment, endpoint: str) -> None:
    """In the namespace that the worker is given; one of other queues gives none, or nobody would hear of it."""
    given = {"AWS_ENDPOINT_URL": endpoint, "INCIDENT_HEARTBEAT_NAMESPACE": NAMESPACE}
    given["TEMPORAL_ADDRESS"] = server.client.service_client.config.target_host
    async with worker_process("--queues", "diagnose", **given) as worker:
        await worker.event("worker ready")
        worker.send_signal(signal.SIGTERM)
        assert (await worker.ended())[0] == 0
    assert await signs(endpoint) == []
    async with worker_process("--queues", "notify", **given) as worker, asyncio.timeout(WAIT_SECONDS):
        while not await signs(endpoint):
            await asyncio.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        assert (await worker.ended())[0] == 0
    assert await signs(endpoint) == ["NotifyPolled"]


async def test_no_sign_without_temporal_or_pollers_and_again_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor while AWS refuses it; none of these ends the worker, or the next sign."""
    looks: Iterator[RPCError | bool] = iter([True, DOWN, False, True, True])
    put: list[int] = []
    done = asyncio.Event()

    async def polled(*_: Any) -> bool:
        seen = next(looks, None)
        if seen is None:
            done.set()
            return False
        if isinstance(seen, RPCError):
            raise seen
        return seen

    def sign(*_: Any) -> None:
        put.append(len(put))
        if len(put) == 2:
            raise ConnectionError("AWS does not answer")

    monkeypatch.setattr(heartbeat, "is_polled", polled)
    monkeypatch.setattr(heartbeat, "sign", sign)
    nobody: Any = None
    beating = asyncio.create_task(heartbeat.beat(nobody, nobody, NAMESPACE, "notify", every=timedelta(0)))
    await asyncio.wait_for(done.wait(), WAIT_SECONDS)
    assert (len(put), beating.done()) == (3, False)
    beating.cancel()
