"""A connection as ours have it where everything is sealed, and payloads as they stand in a history."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

from codec.converter import encrypted
from codec.data_keys import DataKeys
from codec.payload_codec import EnvelopeCodec
from starters.client import encryption
from tests.attacks.stranger import runs
from tests.codec.kms import CountedKms


@pytest.fixture(scope="module")
def kms() -> Iterator[CountedKms]:
    with mock_aws():
        yield CountedKms()


def sealing(client: Client, kms: CountedKms, *keys: str) -> Client:
    """The same connection as ours have it: with the codec, under data keys of its own."""
    codec = EnvelopeCodec(DataKeys(kms, keys or ("alias/new",)))
    told: dict[str, Any] = {**client.config(), "data_converter": encrypted(pydantic_data_converter, codec)}
    return Client(**told)


def commanding(client: Client, kms: CountedKms) -> Client:
    """The same connection as the command has it, with a key of the namespace."""
    codec = encryption.Keyed(["alias/new"])
    codec._codec = EnvelopeCodec(DataKeys(kms, ("alias/new",)))
    told: dict[str, Any] = {**client.config(), "data_converter": encrypted(DataConverter.default, codec)}
    return Client(**told)


def completed(event: HistoryEvent) -> Payload | None:
    results = event.activity_task_completed_event_attributes.result.payloads
    return results[0] if results else None


def signalled(event: HistoryEvent) -> Payload | None:
    said = event.workflow_execution_signaled_event_attributes
    return said.input.payloads[0] if said.signal_name == "change_progress" else None


async def first(client: Client, workflow_id: str, wanted: Callable[[HistoryEvent], Payload | None]) -> Payload:
    """The first payload of its kind in a history, as it stands there."""
    while True:
        async for events in runs(client, workflow_id):
            for event in events:
                if (found := wanted(event)) is not None:
                    return found
