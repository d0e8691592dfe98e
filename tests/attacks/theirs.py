"""Whoever reaches Temporal's port: he has a plain client, runs a worker of his own, and knows every shape."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.model.activity_io import About
from domain.values.ids import task_queue
from domain.values.severity import Severity
from starters.files.organisation_folder import load_environment, load_organisation
from tests.e2e.house import House

QUEUE = "a-strangers"
NEVER = "inc-20200101-evil"


@workflow.defn(name="Theirs", sandboxed=False)
class Theirs:
    """Has an activity of ours done, once."""

    @workflow.run
    async def run(self, queue: str, name: str, asked: dict[str, Any]) -> Any:
        return await workflow.execute_activity(
            name,
            asked,
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@workflow.defn(name="TheirIncident", sandboxed=False)
class TheirIncident:
    """Begins a change as its own, under the name of an incident that does not run."""

    @workflow.run
    async def run(self, queue: str, change: str, request: dict[str, Any]) -> Any:
        return await workflow.execute_child_workflow("Change", request, id=change, task_queue=queue)


def _whose(asked: dict[str, Any]) -> str:
    """The id that the workflow has that may ask for this."""
    incident = str(asked["about"]["incident"] if "about" in asked else asked["incident"])
    if "number" in asked:
        return f"{incident}/follow-up"
    return f"{incident}/{asked['step']}/{asked['generation']}" if "generation" in asked else incident


class Stranger:
    """Whoever reaches Temporal's port, and nothing else."""

    def __init__(self, house: House) -> None:
        self.house = house
        folder = Path(house.variables["INCIDENT_RUNBOOKS"])
        self.place = load_environment(folder, house.variables["INCIDENT_ENVIRONMENT"])
        self.people = load_organisation(folder)

    def about(self, incident: str = NEVER, **more: Any) -> dict[str, Any]:
        fields = {
            "incident": incident,
            "type": "system-outage",
            "title": "Read this\r\nBcc: everybody",
            "severity": Severity.P0,
            "mode": "live",
            "declared_at": datetime.now(UTC),
            "environment": self.place.name,
        }
        return About.model_validate(fields | more).model_dump(mode="json")

    def worker(self) -> Worker:
        """One of his own, for workflows of his own."""
        runner = UnsandboxedWorkflowRunner()
        client = self.house.asking.client
        return Worker(client, task_queue=QUEUE, workflows=[Theirs, TheirIncident], workflow_runner=runner)

    def does(self, queue: str, name: str, under: str | None = None, /, **asked: Any) -> Any:
        """What an activity answers, as asked by a workflow of his under this id, or under the one that may ask."""

        async def work() -> Any:
            async with self.worker():
                return await self.house.asking.client.execute_workflow(
                    "Theirs",
                    args=[task_queue(self.place.name, queue), name, asked],
                    id=under or _whose(asked),
                    task_queue=QUEUE,
                )

        return self.house.asking.run(work())

    def refused(self, queue: str, name: str, under: str | None = None, /, **asked: Any) -> str:
        """Why it was not done: the error of the activity itself."""
        with pytest.raises(WorkflowFailureError) as failed:
            self.does(queue, name, under, **asked)
        error: BaseException = failed.value
        while error.__cause__ is not None:
            error = error.__cause__
        return str(error)
