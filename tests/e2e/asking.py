"""Asking workflows without a command's start-up, for tests that look again and again."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import boto3
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from codec.converter import encrypted
from codec.data_keys import DataKeys
from codec.payload_codec import EnvelopeCodec
from starters.client import incident_client

_ANSWER = timedelta(seconds=5)
_SECONDS = 60
T = TypeVar("T")


def _converter(variables: Mapping[str, str]) -> DataConverter:
    """As the sandbox speaks: in the clear, or encrypted under its key."""
    if not (key := variables.get("INCIDENT_CODEC_KEY")):
        return pydantic_data_converter
    session = boto3.Session(
        variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name=variables["AWS_REGION"]
    )
    kms = session.client("kms", endpoint_url=variables["AWS_ENDPOINT_URL"])
    return encrypted(pydantic_data_converter, EnvelopeCodec(DataKeys(kms, (key,))))


class Asking:
    """A client in a thread of its own; `variables` are those by which a sandbox's Temporal is reached."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="asking", daemon=True).start()
        self.client = self.run(
            Client.connect(
                variables["TEMPORAL_ADDRESS"],
                namespace=variables["TEMPORAL_NAMESPACE"],
                data_converter=_converter(variables),
            )
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something with the client's event loop and wait for what comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SECONDS)

    def query(self, workflow: str, name: str) -> Any | None:
        """Ask a workflow a question; None while no worker answers, or one is catching up, as after a kill."""
        handle: WorkflowHandle[Any, Any] = self.client.get_workflow_handle(workflow)
        try:
            return self.run(handle.query(name, rpc_timeout=_ANSWER))
        except (RPCError, WorkflowQueryFailedError):
            return None

    def update(self, workflow: str, name: str, **payload: Any) -> Any:
        """Send a command as an update, as the command line does, and wait for its answer."""
        return self.run(incident_client._update(self.client, workflow, name, payload))
