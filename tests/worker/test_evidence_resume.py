import asyncio
import json
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer
from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.declared import Declared
from activities.ledger.table import Table
from domain.config.runbook import ChangeStep
from domain.model.records import ChangeRecord
from domain.rules.change_messages import ChangeRequest
from domain.values.ids import change_workflow_id, task_queue
from starters.files.shipped import shipped_folder
from tests.activities.evidence_worlds import DECLARED, LOGS, VAULT, evidence_scope, furnish, log
from tests.activities.world import WorldClients
from tests.builders import T0, organisation
from tests.house import about, on_record, runbook_of
from tests.worker.processes import worker_process
from worker.folder import Folder

SCOPE = evidence_scope()
SCOPE = SCOPE.model_copy(update={"environment": SCOPE.environment.model_copy(update={"kind": "sandbox"})})
GIVEN = {"bucket": "audit-logs", "since": "24h"}
OBJECTS = 800
HALF = 600
PART = 500  # lines: after the first part of the manifest, before the second
UNDER_WAY = 50
WAIT_SECONDS = 100


class Traffic:
    """What S3 was asked of the window's objects: `read` from the source, `stored` in the vault, `refused` there."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        put, get = S3Response.put_object, S3Response.get_object

        def put_object(response: Any) -> Any:
            try:
                answer = put(response)
            except Exception:
                self._count("refused")
                raise
            if "/evidence/" in response.uri:
                self._count("stored")
            return answer

        def get_object(response: Any) -> Any:
            if "/app/" in response.uri and "versionId" in response.uri:
                self._count("read")
            return get(response)

        monkeypatch.setattr(S3Response, "put_object", put_object)
        monkeypatch.setattr(S3Response, "get_object", get_object)

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    async def until(self, what: str, count: int) -> None:
        give_up = time.monotonic() + WAIT_SECONDS
        while self.counts[what] < count:
            assert time.monotonic() < give_up, f"only {self.counts} after {WAIT_SECONDS} s"
            await asyncio.sleep(0.01)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@workflow.defn(sandboxed=False)
class _Asks:
    """Stands for the incident, which begins its change and lets it live by itself."""

    @workflow.run
    async def run(self, request: ChangeRequest) -> None:
        await workflow.start_child_workflow(
            "Change",
            request,
            id=request.record.workflow_id,
            task_queue=task_queue(request.about.environment),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        )


async def asked(server: WorkflowEnvironment) -> WorkflowHandle[Any, Any]:
    """Ask for the preservation, as an incident does when it is declared."""
    workflow_id = change_workflow_id(SCOPE.incident, "preserve-logs", 1)
    request = ChangeRequest(
        about=about(SCOPE),
        organisation=organisation(),
        record=ChangeRecord(
            step="preserve-logs",
            generation=1,
            workflow_id=workflow_id,
            action="s3.preserve_logs",
            title="Preserve the audit logs",
            requested_by="orchestrator",
            requested_at=T0,
            params=GIVEN,
        ),
        rule=None,
        approve_within=timedelta(minutes=10),
        commander=None,
        evidence=True,
    )
    parent = Worker(server.client, task_queue="parents", workflows=[_Asks], workflow_runner=UnsandboxedWorkflowRunner())
    async with parent:
        await server.client.execute_workflow(_Asks.run, request, id=SCOPE.incident, task_queue="parents")
    return server.client.get_workflow_handle(workflow_id, result_type=dict)


def written(folder: Path) -> Path:
    """The files of a worker in the scope's environment."""
    (folder / "environments").mkdir(parents=True)
    shutil.copy(shipped_folder() / "organisation.yaml", folder)
    place = SCOPE.environment.model_dump(mode="json", by_alias=True, exclude_none=True)
    (folder / "environments" / f"{SCOPE.environment.name}.yaml").write_text(yaml.safe_dump(place))
    return folder


def declared(clients: WorldClients, folder: Path) -> None:
    """Put on record that the incident is there, under a runbook that keeps the logs."""
    step = {"id": "preserve-logs", "change": "s3.preserve_logs", "title": "Preserve", "with": GIVEN, "evidence": True}
    runbook = runbook_of(ChangeStep.model_validate(step))
    house = Folder(folder, SCOPE.environment.name)
    Declared(house, Table(clients, SCOPE.environment.ledger_table)).know(runbook)
    on_record(clients, SCOPE, runbook)


@pytest.mark.slow
async def test_killed_halfway_it_goes_on_where_it_was(
    bare_server: WorkflowEnvironment, aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The worker dies amid 800 objects: each is stored once, few are read twice, and the manifest names them all."""
    clients = WorldClients()
    furnish(clients)
    moment = DECLARED - timedelta(hours=2)
    wanted = {log(f"app/{number:05}", f"line {number}".encode(), moment): number for number in range(OBJECTS)}
    traffic = Traffic()
    traffic.watch(monkeypatch)
    folder = written(tmp_path / "clinic")
    declared(clients, folder)
    variables = {
        "TEMPORAL_ADDRESS": bare_server.client.service_client.config.target_host,
        "AWS_ENDPOINT_URL": aws,
        "INCIDENT_ENVIRONMENT": SCOPE.environment.name,
        "INCIDENT_RUNBOOKS": str(folder),
    }
    async with worker_process("--queues", "incidents", "--json", **variables) as workflows:
        await workflows.event("worker ready")
        async with worker_process("--queues", "forensics", "--json", **variables) as first:
            await first.event("worker ready")
            change = await asked(bare_server)
            await traffic.until("stored", HALF)
            first.send_signal(signal.SIGKILL)
            await first.ended()
        at_death = traffic.counts.copy()
        async with worker_process("--queues", "forensics", "--json", **variables) as second:
            await second.event("worker ready")
            async with asyncio.timeout(WAIT_SECONDS):
                ended = await change.result()
    assert ended["status"] == "applied", ended["reason"]
    assert f"{OBJECTS} versions" in ended["reason"]
    assert traffic.counts["stored"] == OBJECTS
    assert traffic.counts["read"] - at_death["read"] <= OBJECTS - PART + UNDER_WAY
    content = clients.inner.client("s3").get_object(Bucket=VAULT, Key=ended["plan"]["after"]["manifest"])["Body"].read()
    assert ended["reason"].endswith(sha256(content).hexdigest())
    lines = {line["source_version"]: line for line in map(json.loads, content.splitlines()[1:])}
    assert lines.keys() == wanted.keys()
    for version, number in wanted.items():
        assert lines[version]["source"] == f"arn:aws:s3:::{LOGS}/app/{number:05}"
        assert lines[version]["sha256"] == sha256(f"line {number}".encode()).hexdigest()
