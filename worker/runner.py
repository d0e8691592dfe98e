"""How workflow code is run: in Temporal's sandbox, only on what a workflow task has started, and without detours."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic_core import from_json
from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import (
    InitializeWorkflow,
    WorkflowActivation,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import StorageDriverStoreContext, WorkflowSerializationContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from codec.encoding import ANOTHER_KEY, ENCODING, IN_THE_CLEAR
from domain.values.errors import ASK_AGAIN, ErrorKind
from worker.ends import make_legible
from worker.sealed import Seals, may_begin

_PURE = ("pydantic", "pydantic_core", "domain", "structlog", "opentelemetry", "codec.encoding")
_OURS = "workflows"
_TRACE = "_tracer-data"  # the header of `temporalio.contrib.opentelemetry.TracingInterceptor`
_NO_KEY = "what it was started with is encrypted under a key that this worker was not given: INCIDENT_CODEC_KEY"
_NO_STORE = StorageDriverStoreContext(target=None)


@dataclass(frozen=True)
class StartedTasksRunner(SandboxedWorkflowRunner):
    """The sandboxed runner, without a fault of the SDK's core (seen in temporalio 1.15, 1.23, 1.30 and 1.35).

    A worker that does not have an incident in its cache, as one that has just been started, answers a query by
    replaying the history that came with it. Where that ends with events of a workflow task that nobody has started,
    the core has them handled too, at the time of the task before, and keeps what came of it. The task itself then
    goes on from there: what it asks for is not what a replay asks for, and the incident is stuck. Here such news is
    refused: the query fails with `ASK_AGAIN`, nothing is kept, and the task finds the incident as it was; where other
    queries waited too, after its timeout.
    """

    sealed: bool = False

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        inner = super().create_instance(det)
        return Attentive(inner, tuple(det.defn.arg_types or ()), Seals(det.info.workflow_id) if self.sealed else None)


class Attentive(WorkflowInstance):
    """Compares each activation with the one before: a task that was started has a time of its own.

    It also answers itself what the SDK asks for every payload that goes in or out: the context in which a converter
    or codec sees it. The SDK enters the sandbox for each answer, which took a sixth of a worker's CPU. Every payload
    has its workflow's: our converter does not look at contexts, and our codec seals by who sends.

    A workflow that is started with what it does not take fails, where the SDK would try its first task for ever; a
    message's place in a trace that cannot be read is left out, and an error that cannot be read is replaced, where the
    SDK would fail the task. What is encrypted under a key that this worker does not have is left to one that has it.
    Where everything is sealed, `seals` looks at what comes in first.
    """

    def __init__(self, inner: WorkflowInstance, takes: tuple[type, ...] = (), seals: Seals | None = None) -> None:
        self._inner = inner
        self._takes = takes
        self._seals = seals
        self._begun = True
        self._last: tuple[int, int] = (0, 0)

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        at, length = act.timestamp.ToNanoseconds(), act.history_length
        if any(job.WhichOneof("variant") not in {"query_workflow", "remove_from_cache"} for job in act.jobs):
            last_at, last_length = self._last
            self._last = (at, length)
            if at == last_at and length > last_length and not act.is_replaying:
                return _put_off(act.run_id, ASK_AGAIN)
        for job in act.jobs:
            _leave_out_illegible(job)
            make_legible(job)
            if job.HasField("initialize_workflow") and self._seals is not None:
                self._begun = may_begin(job.initialize_workflow)  # in a replay too: his own tasks may have come first
            if job.HasField("initialize_workflow") and not act.is_replaying:
                if any(self._is_for_others(one) for one in job.initialize_workflow.arguments):
                    return _put_off(act.run_id, _NO_KEY)
                self._begun = self._begun and self._can_read(job.initialize_workflow)
        if not self._begun:
            return _failed(act)
        if self._seals is None:
            return self._inner.activate(act)
        self._seals.look(act)
        completion = self._inner.activate(act)
        self._seals.note(completion)
        return completion

    def _is_for_others(self, argument: Payload) -> bool:
        """Whether it is encrypted, and another worker may be able to read it."""
        if self._seals is None:
            return argument.metadata.get("encoding") == ENCODING
        return argument.metadata.get(IN_THE_CLEAR) == ANOTHER_KEY

    def _can_read(self, started: InitializeWorkflow) -> bool:
        """Whether the workflow takes what it is started with. Read twice, as the SDK would log what it cannot read."""
        if len(started.arguments) != len(self._takes):
            return False
        try:
            pydantic_data_converter.payload_converter.from_payloads(started.arguments, list(self._takes))
        except Exception:  # noqa: BLE001 - whatever it is, it cannot be read
            return False
        return True

    @cached_property
    def _context(self) -> WorkflowSerializationContext:
        info = self._inner.get_info()
        return WorkflowSerializationContext(namespace=info.namespace, workflow_id=info.workflow_id)

    def get_serialization_context(self, command_info: Any) -> WorkflowSerializationContext:  # noqa: ARG002 - see above
        return self._context

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:  # noqa: ARG002 - see above
        return _NO_STORE

    def get_info(self) -> Any:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()


def _leave_out_illegible(job: WorkflowActivationJob) -> None:
    headers = getattr(getattr(job, job.WhichOneof("variant") or "", None), "headers", None)
    if headers and _TRACE in headers:
        try:
            place = from_json(headers[_TRACE].data)
        except ValueError:
            place = None
        if not isinstance(place, dict) or not all(isinstance(one, str) for one in place.values()):
            del headers[_TRACE]


def _failed(act: WorkflowActivation) -> WorkflowActivationCompletion:
    """The end of a workflow that never began; nothing is left to do for its eviction."""
    completion = WorkflowActivationCompletion(run_id=act.run_id)
    completion.successful.SetInParent()
    if any(job.HasField("remove_from_cache") for job in act.jobs):
        return completion
    failure = completion.successful.commands.add().fail_workflow_execution.failure
    failure.message = "a workflow of this kind is not started with that"
    failure.application_failure_info.type = ErrorKind.REFUSED.value
    failure.application_failure_info.non_retryable = True
    return completion


def _put_off(run_id: str, why: str) -> WorkflowActivationCompletion:
    """The task fails and is tried again, here or by another worker; the workflow is as it was."""
    completion = WorkflowActivationCompletion(run_id=run_id)
    completion.failed.failure.message = why
    completion.failed.failure.application_failure_info.SetInParent()
    return completion


def runner(*, share_workflows: bool = False, sealed: bool = False) -> StartedTasksRunner:
    """The runner of our workflows; pure modules are shared with it instead of being loaded for each workflow.

    `sealed` is for a client with our codec: what ours have not sealed is not believed.

    With `share_workflows` the modules of `workflows/` are shared too, which saves a worker most of what a new incident
    costs before its first line runs. Then nothing stops them from calling what does not replay, such as
    `datetime.now()`: tests run them in the full sandbox, which does.
    """
    shared = (*_PURE, _OURS) if share_workflows else _PURE
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*shared)
    return StartedTasksRunner(restrictions=restrictions, sealed=sealed)
