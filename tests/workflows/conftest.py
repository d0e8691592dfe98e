"""A time-skipping server for the clocks, and the real development server for everything else."""

import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.workflows.world import World
from workflows import attributes


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
    ) as env:
        await _register(env)
        yield env


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        search_attributes=attributes.ALL,
    ) as env:
        yield env


async def _register(env: WorkflowEnvironment) -> None:
    from temporalio.api.enums.v1 import IndexedValueType
    from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest

    kinds = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in attributes.ALL}
    await env.client.operator_service.add_search_attributes(AddSearchAttributesRequest(search_attributes=kinds))


@pytest.fixture
def world() -> World:
    return World()
