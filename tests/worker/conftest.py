from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.waiting import SERVER_STARTS
from tests.workflows.conftest import binary, development_server


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the development server that a module's tests share is reached."""
    with development_server() as address:
        yield address


@pytest_asyncio.fixture
async def server(address: str) -> WorkflowEnvironment:
    """A module's server, of which each test has a client."""
    return WorkflowEnvironment.from_client(await Client.connect(address, data_converter=pydantic_data_converter))


@pytest_asyncio.fixture
async def bare_server() -> AsyncIterator[WorkflowEnvironment]:
    """A development server that knows nothing of ours yet."""
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        dev_server_startup_timeout=SERVER_STARTS,
    ) as env:
        yield env
