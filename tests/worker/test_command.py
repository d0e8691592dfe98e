import asyncio
import contextlib
import json
import signal
import socket
import urllib.request

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.testing import WorkflowEnvironment

from domain.values.ids import task_queue
from tests.forked import ROOT, forked
from tests.worker.processes import WorkerProcess, environment, worker_process
from worker import run
from worker.connect import SEARCH_ATTRIBUTES
from worker.errors import SettingsError
from worker.settings import Settings
from workflows import search_attributes


def _address(env: WorkflowEnvironment) -> str:
    return env.client.service_client.config.target_host


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serves_until_told_to_stop(server: WorkflowEnvironment, number: signal.Signals) -> None:
    """One process polls every queue on which something runs, says so once, and drains at a signal: exit 0."""
    async with worker_process(TEMPORAL_ADDRESS=_address(server)) as worker:
        ready = await worker.event("worker ready")
        assert [queue for queue in ready["queues"] if queue != "forensics"] == [
            "incidents",
            "diagnose",
            "remediate",
            "notify",
        ]
        assert await _polls(worker, server, "incidents", TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
        assert await _polls(worker, server, "notify", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
        worker.send_signal(number)
        code, out, _ = await worker.ended()
    assert (code, out) == (0, "")


async def test_registers_what_workflows_need(bare_server: WorkflowEnvironment) -> None:
    """A server that knows no search attribute knows ours once a worker has started; the next worker changes nothing."""
    for _ in range(2):
        async with worker_process("--queues", "incidents", TEMPORAL_ADDRESS=_address(bare_server)) as worker:
            await worker.event("worker ready")
    known = await bare_server.client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace="default")
    )
    assert {name: known.custom_attributes[name] for name in SEARCH_ATTRIBUTES} == SEARCH_ATTRIBUTES
    assert {key.name: int(key.indexed_value_type) for key in search_attributes.ALL} == SEARCH_ATTRIBUTES


@pytest.mark.parametrize("asked", [("--queues", "diagnose", "notify"), ("--queues", "diagnose", "--queues", "notify")])
async def test_serves_the_queues_asked_for(server: WorkflowEnvironment, asked: tuple[str, ...]) -> None:
    """Queues can be told apart into processes; `--json` prints one document on stdout when they are polled."""
    async with worker_process(*asked, "--json", TEMPORAL_ADDRESS=_address(server)) as worker:
        await worker.event("worker ready")
        worker.send_signal(signal.SIGTERM)
        code, out, _ = await worker.ended()
    assert code == 0
    assert json.loads(out) == {"ready": True, "queues": ["diagnose", "notify"]}
    assert await _polls(worker, server, "diagnose", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
    assert not await _polls(worker, server, "remediate", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)


async def test_metrics(server: WorkflowEnvironment) -> None:
    """With an address configured, Prometheus finds the worker's metrics there, in seconds."""
    port = _free_port()
    async with worker_process(
        "--queues",
        "incidents",
        TEMPORAL_ADDRESS=_address(server),
        INCIDENT_METRICS_ADDRESS=f"127.0.0.1:{port}",
    ) as worker:
        await worker.event("worker ready")
        page = await asyncio.to_thread(_read, f"http://127.0.0.1:{port}/metrics")
    assert "temporal_request_latency_seconds_bucket" in page
    assert 'task_queue="sandbox-incidents"' in page


async def test_unreachable() -> None:
    """A worker that cannot reach Temporal says where it looked, in one line, and exits 3."""
    with socket.socket() as deaf:  # bound and not listening: nobody answers there, and nobody else can
        deaf.bind(("127.0.0.1", 0))
        async with worker_process(TEMPORAL_ADDRESS=f"127.0.0.1:{deaf.getsockname()[1]}") as worker:
            code, out, err = await worker.ended()
    assert (code, out) == (3, "")
    assert err.startswith("incident worker: Temporal is not reachable at 127.0.0.1:")
    assert err.count("\n") == 1


async def test_unknown_namespace(server: WorkflowEnvironment) -> None:
    """A namespace that the server does not have is told by name."""
    async with worker_process(TEMPORAL_ADDRESS=_address(server), TEMPORAL_NAMESPACE="elsewhere") as worker:
        code, _, err = await worker.ended()
    assert code == 3
    assert "elsewhere" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "told"),
    [
        (("--queues", "nonsense"), {}, "INCIDENT_QUEUES: 'nonsense'"),
        (("nonsense",), {}, "unexpected argument 'nonsense'"),
        ((), {"INCIDENT_ENVIRONMENT": ""}, "INCIDENT_ENVIRONMENT"),
        ((), {"INCIDENT_ENVIRONMENT": "nowhere"}, "unknown environment 'nowhere'"),
        ((), {"INCIDENT_ENVIRONMENT": "production"}, "environments/production.yaml:"),
        ((), {"INCIDENT_SHUTDOWN_GRACE": "soon"}, "INCIDENT_SHUTDOWN_GRACE"),
        ((), {"INCIDENT_METRICS_ADDRESS": "nowhere:9464"}, "INCIDENT_METRICS_ADDRESS"),
        (("--queues", "diagnose"), {"AWS_REGION": ""}, "AWS_REGION"),
        ((), {"TEMPORAL_TLS_CLIENT_CERT_PATH": "missing.pem"}, "TEMPORAL_"),
    ],
)
def test_settings_that_cannot_be_served(arguments: tuple[str, ...], variables: dict[str, str], told: str) -> None:
    """Settings that cannot be served exit 2 and name what to change, without a traceback."""
    given = environment(**({"AWS_CONFIG_FILE": "/dev/null"} | variables))
    [done] = forked(ROOT).run(("worker", *arguments), given, ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_queue_without_work_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose queues have nothing to run says so instead of idling."""
    monkeypatch.setattr(run, "activities", lambda *_: {})
    with pytest.raises(SettingsError, match="INCIDENT_QUEUES: no action runs on forensics yet"):
        await run.serve(Settings(queues=("forensics",), environment="sandbox"), [])


async def _polls(worker: WorkerProcess, env: WorkflowEnvironment, queue: str, kind: TaskQueueType.ValueType) -> bool:
    """Tell whether it is this worker that polls, or did of late: others have served the same queues."""
    answer = await env.client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace="default", task_queue=TaskQueue(name=task_queue("sandbox", queue)), task_queue_type=kind
        )
    )
    return any(poller.identity.startswith(f"{worker.pid}@") for poller in answer.pollers)


def _read(url: str) -> str:
    with contextlib.closing(urllib.request.urlopen(url, timeout=5)) as answer:  # noqa: S310 - a fixed local address
        text: str = answer.read().decode()
        return text
