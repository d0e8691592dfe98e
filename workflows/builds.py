"""Builds of the workers, by Temporal's Worker Deployments: an incident keeps the build that it began with.

It is here as `temporal_client` is: the worker and the command both need it, and neither may import the other.
"""

import hashlib
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import temporalio
from temporalio.api.common.v1 import Payload
from temporalio.api.deployment.v1 import WorkerDeploymentInfo, WorkerDeploymentVersion
from temporalio.api.enums.v1 import TaskQueueType, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentVersionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    UpdateWorkerDeploymentVersionMetadataRequest,
)
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

import domain
from domain.values.ids import INCIDENTS_QUEUE, QUEUES, task_queue

PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""What a build id looks like: it goes into queries, which have no parameters."""

_CODE = "workflow-code"
_POLL_SEEN_WITHIN = timedelta(seconds=75)
_RPC_TIMEOUT = timedelta(seconds=5)
_NONE = frozenset({RPCStatusCode.NOT_FOUND, RPCStatusCode.UNIMPLEMENTED})


class Polled(NamedTuple):
    """Who asked a task queue for work lately: identities by build, None for workers without one."""

    current: str | None
    pollers: dict[str | None, set[str]]


def deployment_name(environment: str) -> str:
    """Name the deployment of an environment's workers: each environment has releases of its own."""
    return f"incident-{environment}"


def version(environment: str, build: str) -> WorkerDeploymentVersion:
    return WorkerDeploymentVersion(deployment_name=deployment_name(environment), build_id=build)


@cache
def code() -> str:
    """The digest of all code that must replay: what decides, in `domain/` and `workflows/`, and the SDK's version."""
    found = hashlib.sha256(temporalio.__version__.encode())
    for root in (Path(domain.__file__).parent, Path(__file__).parent):
        for file in sorted(root.rglob("*.py")):
            found.update(f"\0{root.name}/{file.relative_to(root).as_posix()}\0".encode() + file.read_bytes())
    return found.hexdigest()


async def deployment(client: Client, environment: str) -> WorkerDeploymentInfo | None:
    """Every build that ever polled; None before the first one. Temporal: `DescribeWorkerDeployment`."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=deployment_name(environment))
    try:
        answer = await client.workflow_service.describe_worker_deployment(request, timeout=_RPC_TIMEOUT)
    except RPCError as error:
        if error.status not in _NONE:
            raise
        return None
    return answer.worker_deployment_info


async def current(client: Client, environment: str) -> str | None:
    """The build that new incidents begin on; None while that is workers without a build."""
    found = await deployment(client, environment)
    return found.routing_config.current_deployment_version.build_id or None if found else None


async def code_of(client: Client, environment: str, build: str) -> str | None:
    """The digest of a build's code; None for a build that has not said. Temporal: `DescribeWorkerDeploymentVersion`."""
    request = DescribeWorkerDeploymentVersionRequest(
        namespace=client.namespace, deployment_version=version(environment, build)
    )
    try:
        answer = await client.workflow_service.describe_worker_deployment_version(request, timeout=_RPC_TIMEOUT)
    except RPCError as error:
        if error.status not in _NONE:
            raise
        return None
    entries = answer.worker_deployment_version_info.metadata.entries
    return json.loads(entries[_CODE].data) if _CODE in entries else None


async def keep_code(client: Client, environment: str, build: str) -> None:
    """Put our code's digest on a build that has polled. Temporal: `UpdateWorkerDeploymentVersionMetadata`."""
    request = UpdateWorkerDeploymentVersionMetadataRequest(
        namespace=client.namespace, deployment_version=version(environment, build), identity=client.identity
    )
    request.upsert_entries[_CODE].CopyFrom(
        Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(code()).encode())
    )
    await client.workflow_service.update_worker_deployment_version_metadata(request, timeout=_RPC_TIMEOUT)


async def promote(client: Client, environment: str, build: str) -> None:
    """Have new incidents begin on a build; a repeat changes nothing. Temporal: `SetWorkerDeploymentCurrentVersion`."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=deployment_name(environment),
        build_id=build,
        identity=client.identity,
    )
    await client.workflow_service.set_worker_deployment_current_version(request, timeout=_RPC_TIMEOUT)


def build_of(found: WorkflowExecutionDescription) -> str | None:
    """The build whose workers alone are given a workflow's tasks; None for one that goes to the current build."""
    info = found.raw_description.workflow_execution_info.versioning_info
    override = info.versioning_override.pinned.version.build_id
    return override or (info.deployment_version.build_id if info.behavior else None) or None


async def polled(client: Client, queue: str) -> Polled:
    """Who asked a task queue for work lately; a poll lasts a minute at most. Temporal: `DescribeTaskQueue`."""
    workflows = queue.endswith(INCIDENTS_QUEUE)
    kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW if workflows else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind),
        timeout=_RPC_TIMEOUT,
    )
    found: dict[str | None, set[str]] = defaultdict(set)
    for poller in answer.pollers:
        seen = datetime.now(UTC) - poller.last_access_time.ToDatetime(tzinfo=UTC)  # noqa: TID251 - Temporal has no clock to ask
        if seen < _POLL_SEEN_WITHIN:
            found[_build(poller)].add(poller.identity)
    return Polled(answer.versioning_info.current_deployment_version.build_id or None, found)


async def all_polled(client: Client, environment: str) -> dict[str, Polled]:
    """The same of every queue of an environment."""
    return {queue: await polled(client, task_queue(environment, queue)) for queue in QUEUES}


def _build(poller: PollerInfo) -> str | None:
    options = poller.deployment_options
    versioned = options.worker_versioning_mode == WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
    return options.build_id if versioned else None
