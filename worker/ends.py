"""How an activity or a child has ended, where the SDK could not read that and would fail the task for ever."""

from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.values.errors import ErrorKind

_ENDS = {"resolve_activity", "resolve_child_workflow_execution"}


def unsealed(why: str) -> Failure:
    """An error in the place of one that none of ours has given."""
    failure = Failure(message=why)
    failure.application_failure_info.type = ErrorKind.UNSEALED.value
    return failure


def make_legible(job: WorkflowActivationJob) -> None:
    """Put an error that can be read in the place of one that cannot.

    The outer error is the server's own. What is behind it anybody may have given: details, the last heartbeat before a
    time was up, a category that there is not. It is read twice, as the SDK would fail the task.
    """
    kind = job.WhichOneof("variant") or ""
    if kind not in _ENDS:
        return
    result = getattr(job, kind).result
    if result.HasField("failed") and not _can_read(result.failed.failure):
        result.failed.failure.cause.CopyFrom(unsealed("the error that was given cannot be read"))
    elif result.HasField("cancelled") and not _can_read(result.cancelled.failure):
        result.cancelled.failure.cause.Clear()
        result.cancelled.failure.cause.canceled_failure_info.SetInParent()


def _can_read(failure: Failure) -> bool:
    converter = pydantic_data_converter
    try:
        converter.failure_converter.from_failure(failure, converter.payload_converter)
    except Exception:  # noqa: BLE001 - whatever it is, it cannot be read
        return False
    return True
