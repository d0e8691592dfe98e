"""The two sides of every comparison, spoken to in the same words: our incident, and the bare workflow."""

from abc import ABC, abstractmethod
from typing import Any

from temporalio.client import Client, WorkflowHandle

from benchmarks import outage
from benchmarks.bare import PREFIX, TELL, Shape, child_id
from benchmarks.outage import Said
from benchmarks.working import WorkerProcess
from domain.rules.run import IncidentRun
from domain.values import ids

Handle = WorkflowHandle[Any, Any]


class Side(ABC):
    """What a play needs to know of a side. `first_answers` activities are waited for before people speak."""

    name: str
    tell: str
    first_answers: int
    opening: list[Said]
    approval: Said
    closing: list[Said]

    def __init__(self, client: Client, worker: WorkerProcess) -> None:
        self.client = client
        self.worker = worker

    @abstractmethod
    async def start(self, workflow_id: str) -> Handle:
        """Start one incident of this side."""

    def spoken(self, workflow_id: str, said: Said) -> Said:  # noqa: ARG002 - the same to all
        """What is said to one incident."""
        return said

    @abstractmethod
    def change_id(self, workflow_id: str) -> str:
        """Name the workflow that waits for the approval."""


class OurSide(Side):
    """The incident as it is shipped."""

    name = "ours"
    tell = "change_progress"

    def __init__(self, client: Client, worker: WorkerProcess) -> None:
        super().__init__(client, worker)
        runbook = outage.declaration("none").runbook
        self.first_answers = outage.probes(runbook)
        self.opening, self.closing = outage.opening(), outage.closing(runbook)
        self.approval = outage.approval(runbook)

    async def start(self, workflow_id: str, **changes: Any) -> Handle:
        run = IncidentRun(declaration=outage.declaration(workflow_id, **changes))
        return await self.client.start_workflow(
            "Incident", run, id=workflow_id, task_queue=ids.task_queue(outage.ENVIRONMENT), result_type=dict
        )

    def change_id(self, workflow_id: str) -> str:
        return ids.change_workflow_id(workflow_id, outage.CHANGE, 1)


class BareSide(Side):
    """The workflow of the same shape that does nothing; it hears as many signals of about the same size."""

    name = "bare"
    tell = TELL

    def __init__(self, client: Client, worker: WorkerProcess, shape: Shape) -> None:
        super().__init__(client, worker)
        self._shape = shape
        runbook = outage.declaration("none").runbook
        self.first_answers = outage.probes(runbook)
        self.opening = [_go(said) for said in outage.opening()]
        self.approval = _go(outage.approval(runbook))
        self.closing = [_go(said) for said in outage.closing(runbook)]

    async def start(self, workflow_id: str, shape: Shape | None = None) -> Handle:
        return await self.client.start_workflow(
            "Bare",
            shape or self._shape,
            id=workflow_id,
            task_queue=PREFIX + ids.task_queue(outage.ENVIRONMENT),
            result_type=str,
        )

    def change_id(self, workflow_id: str) -> str:
        return child_id(workflow_id)


def _go(said: Said) -> tuple[str, Any]:
    return "go", "x" * len(str(said[1]))
