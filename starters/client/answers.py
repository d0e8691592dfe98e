"""What the command takes for an answer of our workers': of a query, of an update, or what a workflow ends with."""

from typing import Any

from temporalio.common import RawValue
from temporalio.converter import PayloadConverter

from codec.encoding import IN_THE_CLEAR, SEALED_BY
from starters.errors import RefusedError


def taken(workflow_id: str, answer: RawValue | None) -> Any:
    """The value of an answer. Raises `RefusedError` where it is none of our workers': any process may answer a query.

    With a key of the namespace (INCIDENT_CODEC_KEY) an answer must be sealed by the workflow that was asked. With a
    codec server, or without encryption, nothing tells, and it is taken.
    """
    if answer is None:
        return None
    marks = answer.payload.metadata
    if IN_THE_CLEAR in marks or marks.get(SEALED_BY, workflow_id.encode()) != workflow_id.encode():
        incident = workflow_id.split("/", maxsplit=1)[0]
        raise RefusedError(
            f"what answers for {workflow_id} is none of our workers: it is not sealed as theirs is, and is not shown. "
            f"What is on record: incident timeline {incident} --ledger"
        )
    return PayloadConverter.default.from_payload(answer.payload)
