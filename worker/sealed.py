"""What Temporal brings to a workflow, where everything of ours is sealed: believed only from whoever is to give it.

Temporal lets any client complete an activity by its id, and any process poll a queue or continue as one of our
workflows. What comes so is made into what workflow code knows already: an answer is marked as in the clear, which
`workflows.asking` takes for a failed attempt; the error of an activity becomes one of kind `Unsealed`; a child that
answers for another has failed; and a run that is begun with a state by nobody of ours does not begin.
"""

from collections.abc import Iterator

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import (
    InitializeWorkflow,
    ResolveActivity,
    ResolveChildWorkflowExecution,
    WorkflowActivation,
)
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

from codec.encoding import IN_THE_CLEAR, KIND, SEALED_BY, answer_seal, kind_of
from worker.ends import unsealed

_BY_NOBODY = "this is sealed by none of ours"


class Seals:
    """Looks at what one run is told. The same history is always told the same, so a replay goes as the run did."""

    def __init__(self, workflow_id: str) -> None:
        self._workflow_id = workflow_id
        self._children: dict[int, str] = {}
        self._activities: dict[int, str] = {}

    def note(self, completion: WorkflowActivationCompletion) -> None:
        """Remember which children and activities the run has asked for."""
        for command in completion.successful.commands:
            if command.HasField("schedule_activity"):
                self._activities[command.schedule_activity.seq] = command.schedule_activity.activity_id
            elif command.HasField("start_child_workflow_execution"):
                child = command.start_child_workflow_execution
                self._children[child.seq] = child.workflow_id

    def look(self, act: WorkflowActivation) -> None:
        """Change what is told in the place of ours, as the module says."""
        for job in act.jobs:
            if job.HasField("resolve_activity") and not job.resolve_activity.is_local:
                asked = self._activities.pop(job.resolve_activity.seq, "")
                _look_at_answer(job.resolve_activity, answer_seal(self._workflow_id, asked))
            elif job.HasField("resolve_child_workflow_execution"):
                self._look_at_child(job.resolve_child_workflow_execution)

    def _look_at_child(self, told: ResolveChildWorkflowExecution) -> None:
        child = self._children.pop(told.seq, "")
        if told.result.HasField("completed") and not _is_sealed(told.result.completed.result, child.encode()):
            told.result.failed.failure.CopyFrom(_of_no_child(child))


def may_begin(started: InitializeWorkflow) -> bool:
    """Whether a run that another workflow has begun was begun by that one, or by itself in the run before."""
    begun = started.HasField("parent_workflow_info") or started.continued_from_execution_run_id
    own = [started.workflow_id, started.parent_workflow_info.workflow_id]
    return not begun or all(any(_is_sealed(one, name.encode()) for name in own if name) for one in started.arguments)


def _look_at_answer(told: ResolveActivity, seal: bytes) -> None:
    if told.result.HasField("completed") and not _is_sealed(told.result.completed.result, seal):
        told.result.completed.result.metadata[IN_THE_CLEAR] = b"true"
    elif told.result.HasField("failed"):
        failure = told.result.failed.failure
        if failure.HasField("cause") and _is_forged(failure.cause, seal):
            failure.cause.CopyFrom(unsealed(_BY_NOBODY))
        for inner in _causes(failure):
            if inner.HasField("cause") and _is_forged(inner.cause, seal):
                inner.ClearField("cause")  # the last attempt, behind a time that the server has kept itself


def _causes(failure: Failure) -> Iterator[Failure]:
    while failure.HasField("cause"):
        failure = failure.cause
        yield failure


def _is_forged(failure: Failure, seal: bytes) -> bool:
    """Whether an error that an activity gives is not of the one that was asked; times and cancels are the server's."""
    if failure.HasField("timeout_failure_info") or failure.HasField("canceled_failure_info"):
        return False
    attributes = failure.encoded_attributes
    info = failure.application_failure_info
    kind = kind_of(info.type, final=info.non_retryable)
    return not (_is_sealed(attributes, seal) and attributes.metadata.get(KIND) == kind)


def _is_sealed(payload: Payload, seal: bytes) -> bool:
    return payload.metadata.get(SEALED_BY) == seal and bool(seal)


def _of_no_child(child: str) -> Failure:
    failure = Failure(message="Child Workflow execution failed", cause=unsealed(_BY_NOBODY))
    failure.child_workflow_execution_failure_info.workflow_execution.workflow_id = child
    return failure
