"""The connection to Temporal, by Temporal's own configuration."""

import asyncio
from datetime import timedelta

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import PayloadCodec
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from codec.converter import encrypted
from worker.errors import SettingsError, UnreachableError
from workflows import builds, search_attributes, temporal_client

_CONNECT_TIMEOUT = timedelta(seconds=15)
_MAY_NOT = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED})
SEARCH_ATTRIBUTES: dict[str, IndexedValueType.ValueType] = {
    key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in search_attributes.ALL
}
_log = structlog.get_logger(__name__)


async def connect(interceptors: list[Interceptor], runtime: Runtime, codec: PayloadCodec | None = None) -> Client:
    """Connect by `temporal.toml` and `TEMPORAL_*`, and see that the namespace is there; encrypted by a codec, if any.

    Raises `UnreachableError` after 15 seconds at most, and `SettingsError` for settings that cannot be read.
    Temporal: `GetSystemInfo`, `DescribeNamespace`.
    """
    try:
        config = temporal_client.settings()
    except (RuntimeError, ValueError, OSError) as error:
        raise SettingsError(f"temporal.toml or TEMPORAL_*: {_one_line(error)}") from error
    address = config["target_host"]
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT.total_seconds()):
            client = await temporal_client.connect(
                config,
                _CONNECT_TIMEOUT,
                data_converter=encrypted(pydantic_data_converter, codec),
                interceptors=interceptors,
                runtime=runtime,
            )
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except TimeoutError as error:
        raise UnreachableError(f"Temporal is not reachable at {address}: no answer") from error
    except (RuntimeError, ValueError) as error:
        raise UnreachableError(f"Temporal is not reachable at {address}: {_one_line(error)}") from error
    except RPCError as error:
        raise UnreachableError(
            f"Temporal at {address} does not serve namespace {config.get('namespace', 'default')}: {_one_line(error)}"
        ) from error
    return client


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


async def register_search_attributes(client: Client) -> None:
    """Register the search attributes that are missing; a repeat, or another worker doing the same, changes nothing.

    Where registering is not the worker's to do (Temporal Cloud), one warning says what must be there.
    Temporal: `ListSearchAttributes`, `AddSearchAttributes`.
    """
    operator = client.operator_service
    try:
        known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
        missing = {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name not in known.custom_attributes}
        if missing:
            await operator.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            )
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:
            return
        if error.status not in _MAY_NOT:
            raise
        _log.warning("search attributes cannot be registered from here", needed=sorted(SEARCH_ATTRIBUTES))


async def is_polled(client: Client, queue: str) -> bool:
    """Whether the server shows us polling a queue (Temporal: `DescribeTaskQueue`)."""
    return any(client.identity in identities for identities in (await builds.polled(client, queue)).pollers.values())
