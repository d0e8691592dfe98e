"""Whether this code can go on with what other code began: histories replayed before anything is moved."""

from collections.abc import Iterable

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from codec.converter import encrypted
from codec.seals import SealingCodec
from starters.client.encryption import Keyed
from starters.errors import RefusedError
from worker.runner import runner  # what a worker believes of a history, a replay has to
from workflows import builds
from workflows.catalogue import WORKFLOWS


async def refuse_other_code(client: Client, environment: str, build: str) -> None:
    """Raise `RefusedError` unless the build has exactly the code of this command: a replay says nothing of another."""
    if await builds.code_of(client, environment, build) != builds.code():
        raise RefusedError(
            f"this command is not of build {build}, so that it cannot try its code: call that build's own"
        )


async def refuse_unless_replayed(client: Client, workflow_ids: Iterable[str], build: str) -> None:
    """Raise `RefusedError` for the first workflow whose history this code does not replay, with the error in one line.

    Temporal: `GetWorkflowExecutionHistory`. Nothing is changed.
    """
    converter = encrypted(pydantic_data_converter, client.data_converter.payload_codec)
    replayer = Replayer(
        workflows=WORKFLOWS,
        namespace=client.namespace,
        data_converter=converter,
        workflow_runner=runner(share_workflows=True, sealed=isinstance(converter.payload_codec, SealingCodec | Keyed)),
    )
    for workflow_id in workflow_ids:
        history = await client.get_workflow_handle(workflow_id).fetch_history()
        if not any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in history.events):
            continue  # no code has run yet
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            raise RefusedError(f"build {build} cannot go on with {workflow_id}: {_one_line(result.replay_failure)}")


def _one_line(failure: Exception) -> str:
    """The core's message alone: the rest of the error is a dump of its structures."""
    text = str(failure)
    found = text.partition('message: "')[2].partition('", source:')[0] or text
    return " ".join(found.replace('\\"', '"').split())
