"""The way to Temporal, by Temporal's own configuration; every failure on it becomes one line."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Concatenate, NamedTuple, ParamSpec, TypeVar
from urllib.parse import quote

import click
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from codec.converter import encrypted
from starters.client import encryption
from starters.errors import RefusedError, UnreachableError
from workflows import builds, temporal_client

if TYPE_CHECKING:
    from temporalio.client import Interceptor

P = ParamSpec("P")
T = TypeVar("T")

RPC_TIMEOUT = timedelta(seconds=5)
"""How long the server may take for what it answers by itself."""

_CONNECT_TIMEOUT = timedelta(seconds=5)
_LOST = {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}
_SHUT = {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED}


async def connect() -> Client:
    """Connect within seconds, by `temporal.toml` and `TEMPORAL_*`; raises `UnreachableError`."""
    try:
        config = temporal_client.settings()
    except (RuntimeError, ValueError, OSError) as error:
        raise click.UsageError(f"Temporal's configuration: {error}") from error
    address = config["target_host"]
    try:
        return await temporal_client.connect(
            config, _CONNECT_TIMEOUT, interceptors=_interceptors(), data_converter=_converter()
        )
    except (RuntimeError, OSError) as error:  # TimeoutError is an OSError
        raise UnreachableError(f"Temporal is not reachable at {address}") from error
    except ValueError as error:
        raise click.UsageError(f"Temporal's configuration: {error}") from error


def run(work: Callable[Concatenate[Client, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Connect, do the work, and turn what Temporal answers into the errors of the command's contract."""

    async def connected() -> T:
        client = await connect()
        try:
            return await work(client, *args, **kwargs)
        except RPCError as error:
            raise _explained(error, client) from error

    return asyncio.run(connected())


async def look(client: Client, workflow_id: str, run_id: str | None = None) -> WorkflowExecutionDescription | None:
    """Describe a workflow; None where there is none of this id."""
    try:
        return await client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status not in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT} or namespace_missing(error):
            raise
        return None


class _Serving(NamedTuple):
    """Which build serves a workflow, or what begins now on a task queue, and whether it polls."""

    queue: str
    build: str | None
    polls: bool


async def worker_polls(client: Client, workflow_id: str | None = None, *, queue: str = "") -> bool:
    """Tell whether a worker asked lately for the tasks of this workflow, or for what begins now on a task queue."""
    return (await _serving(client, workflow_id, queue)).polls


async def _serving(client: Client, workflow_id: str | None, queue: str) -> _Serving:
    found = await look(client, workflow_id) if workflow_id else None
    queue = found.task_queue if found else queue
    if not queue:
        return _Serving(queue, None, polls=False)
    polled = await builds.polled(client, queue)
    build = (builds.build_of(found) if found else None) or polled.current
    return _Serving(queue, build, polls=bool(polled.pollers.get(build)))


async def nobody_answers(client: Client, workflow_id: str | None = None, *, queue: str = "") -> UnreachableError:
    """Say why an answer did not come: no worker at all, or none that answers."""
    queue, build, polls = await _serving(client, workflow_id, queue)
    where = f"task queue {queue!r} of namespace {client.namespace!r}"
    if polls:
        return UnreachableError(f"the workers on {where} do not answer; what was asked may still be done")
    return UnreachableError(f"no worker {f'of build {build} ' if build else ''}is polling {where}")


def ui(client: Client, workflow_id: str) -> str:
    """Where Temporal's UI shows a workflow: `TEMPORAL_UI`, else port 8233 of the server's host."""
    host = client.service_client.config.target_host.rsplit(":", 1)[0]
    base = os.environ.get("TEMPORAL_UI") or f"http://{host}:8233"
    return f"{base.rstrip('/')}/namespaces/{client.namespace}/workflows/{quote(workflow_id, safe='')}"


def namespace_missing(error: RPCError) -> bool:
    """Tell a namespace that is not there from a workflow that is not there."""
    return any(detail.type_url.endswith("NamespaceNotFoundFailure") for detail in error.grpc_status.details)


def _explained(error: RPCError, client: Client) -> Exception:
    address = client.service_client.config.target_host
    if error.status in _LOST:
        return UnreachableError(f"Temporal is not reachable at {address}")
    if error.status in _SHUT:
        return UnreachableError(f"Temporal at {address} denies access to namespace {client.namespace!r}")
    if namespace_missing(error):
        return UnreachableError(f"Temporal at {address} has no namespace {client.namespace!r}")
    return RefusedError(f"Temporal refuses: {error.message}")


def _converter() -> DataConverter:
    return encrypted(DataConverter.default, encryption.codec())


def _interceptors() -> "list[Interceptor]":
    if not temporal_client.is_traced():
        return []
    from workflows.tracing import interceptors

    return interceptors("incident-starter")
