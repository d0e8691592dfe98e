"""A time-skipping server for the clocks, and the real development server for everything else."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.waiting import SERVER_STARTS
from tests.workflows.world import World
from workflows import search_attributes


def binary(name: str) -> str:
    """A server that came with the `dev` extra, beside the interpreter or on the path."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed: install the dev extra"
    return found


@pytest_asyncio.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter,
        test_server_existing_path=binary("temporal-test-server"),
        test_server_startup_timeout=SERVER_STARTS,
    ) as env:
        await _register(env.client)
        yield env


@contextmanager
def development_server() -> Iterator[str]:
    """A development server that several tests share, by its address: it lives in a loop of its own."""

    async def start() -> WorkflowEnvironment:
        return await WorkflowEnvironment.start_local(
            dev_server_existing_path=binary("temporal"),
            dev_server_log_level="error",
            dev_server_startup_timeout=SERVER_STARTS,
        )

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        env = runner.run(start())
        yield env.client.service_client.config.target_host
        runner.run(env.shutdown())


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    """Where the development server that tests share is reached."""
    with development_server() as address:
        yield address


@pytest_asyncio.fixture
async def server(address: str) -> WorkflowEnvironment:
    """A namespace of a test's own: no other's workflow or worker is in it."""
    return await _namespace(address)


@pytest_asyncio.fixture
async def fresh(address: str) -> WorkflowEnvironment:
    """Another namespace: where a test goes on when the first one is lost."""
    return await _namespace(address)


async def _namespace(address: str) -> WorkflowEnvironment:
    namespace = f"test-{uuid4()}"
    client = await Client.connect(address, namespace=namespace, data_converter=pydantic_data_converter)
    asked = RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=Duration(seconds=86400))
    await client.workflow_service.register_namespace(asked)
    await _register(client)
    return WorkflowEnvironment.from_client(client)


async def _register(client: Client) -> None:
    kinds = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in search_attributes.ALL}
    asked = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=kinds)
    await client.operator_service.add_search_attributes(asked)


@pytest.fixture
def world() -> World:
    return World()
