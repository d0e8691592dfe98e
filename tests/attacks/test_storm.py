"""A storm of alarms: whoever declares an incident gets one, however many do so at the same moment."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from starters.client import start_once
from tests.builders import declaration
from tests.starters import backstage

STORM = 300


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    env: WorkflowEnvironment = await backstage.server()
    async with env:
        yield env.client


async def test_declarations_of_one_instant_all_begin_in_two_attempts_each(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is refused, each has an id of its own, and none takes more than two starts to find it."""
    attempts = Counter[str]()
    create = start_once._create

    async def counted(client: Client, draft: dict[str, Any], incident: str, details: Any) -> bool:
        attempts[draft["title"]] += 1
        return await create(client, draft, incident, details)

    monkeypatch.setattr(start_once, "_create", counted)
    draft = declaration(key=None).model_dump(mode="json")
    few = asyncio.Semaphore(100)

    async def declare(number: int) -> str:
        async with few:
            started = await start_once.start(client, {**draft, "title": f"Alarm {number}"}, lambda _: "")
        assert started.created
        return started.incident

    begun = await asyncio.gather(*(declare(number) for number in range(STORM)))
    assert len(set(begun)) == STORM
    assert max(attempts.values()) <= 2
