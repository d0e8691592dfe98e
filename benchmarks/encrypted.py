"""What encryption and seals cost: the incident with the codec against the same one without, in turns."""

import hashlib
import os
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks import latency, throughput
from benchmarks.figures import Figure, compared, percentile
from benchmarks.sides import OurSide
from benchmarks.stage import Size, Stage
from benchmarks.working import WorkerProcess
from codec.converter import encrypted
from codec.data_keys import DataKeys
from codec.payload_codec import EnvelopeCodec
from worker.connect import SEARCH_ATTRIBUTES

NAMESPACE = "encrypted"
_KEY = "arn:aws:kms:ap-southeast-2:123456789012:key/benchmark"


class MemoryKms:
    """A KMS of every process here: what it wraps follows from the wrapped bytes, so each unwraps the others'."""

    def generate_data_key(self, **_: Any) -> dict[str, Any]:
        return self.decrypt(CiphertextBlob=os.urandom(32))

    def decrypt(self, *, CiphertextBlob: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803 - KMS's name
        plain = hashlib.sha256(b"benchmark" + CiphertextBlob).digest()
        return {"KeyId": _KEY, "CiphertextBlob": CiphertextBlob, "Plaintext": plain}


async def connect(address: str) -> Client:
    """A client of the encrypted namespace, with our codec."""
    converter = encrypted(pydantic_data_converter, EnvelopeCodec(DataKeys(MemoryKms(), (_KEY,))))
    return await Client.connect(address, namespace=NAMESPACE, data_converter=converter)


async def run(stage: Stage, size: Size) -> list[Figure]:
    """Tell incidents a second, worker CPU an incident, and from the approval to the first call, one at a time."""
    await _register(stage)
    worker = WorkerProcess(stage.server.address, ours=True, connected=connect)
    try:
        await worker.ready()
        sealed = OurSide(await connect(stage.server.address), worker)
        return await _compared(sealed, stage.ours, size)
    finally:
        worker.stop()


async def _compared(sealed: OurSide, clear: OurSide, size: Size) -> list[Figure]:
    incidents, approvals = (2, 1) if size.quick else (throughput.INCIDENTS, latency.IDLE)
    bursts, waits = [], []
    for _ in range(size.pairs):
        bursts.append((await throughput.burst(sealed, incidents), await throughput.burst(clear, incidents)))
        waits.append((await latency.idle(sealed, approvals), await latency.idle(clear, approvals)))
    rates = [(ours[0], base[0]) for ours, base in bursts]
    cpu = [(ours[1] * 1000, base[1] * 1000) for ours, base in bursts]
    slow = {at: [(percentile(a, at) * 1000, percentile(b, at) * 1000) for a, b in waits] for at in (50, 99)}
    return [
        compared("encrypted", "incidents a second", "1/s", rates, None, at_most=False),
        compared("encrypted", "worker CPU an incident", "ms", cpu, None, at_most=True),
        *(
            compared("encrypted", f"approval to first call, idle, p{at}", "ms", pairs, None, at_most=True)
            for at, pairs in slow.items()
        ),
    ]


async def _register(stage: Stage) -> None:
    client = stage.ours.client
    asked = RegisterNamespaceRequest(namespace=NAMESPACE, workflow_execution_retention_period=Duration(seconds=86400))
    await client.workflow_service.register_namespace(asked)
    attributes = AddSearchAttributesRequest(namespace=NAMESPACE, search_attributes=SEARCH_ATTRIBUTES)
    await client.operator_service.add_search_attributes(attributes)
