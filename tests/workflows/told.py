"""A running incident, as a test asks it for things."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from domain.model.declaration import Declaration
from domain.rules.run import IncidentRun
from domain.values import ids
from domain.values.errors import ASK_AGAIN


class Told:
    """A running incident and what a test asks of it."""

    def __init__(self, client: Client, handle: WorkflowHandle[Any, Any]) -> None:
        self.client = client
        self.handle = handle

    @classmethod
    async def start(cls, client: Client, declaration: Declaration) -> "Told":
        handle = await client.start_workflow(
            "Incident",
            IncidentRun(declaration=declaration),
            id=declaration.incident_id,
            task_queue=ids.INCIDENTS_QUEUE,
            result_type=dict,
        )
        return cls(client, handle)

    async def do(self, name: str, **payload: Any) -> dict[str, Any]:
        while True:
            try:
                command = {"by": "devops-lead", **payload}
                answer: dict[str, Any] = await self.handle.execute_update(name, command, result_type=dict)
            except RPCError as error:
                if error.status is not RPCStatusCode.FAILED_PRECONDITION:  # just carrying on as a new run
                    raise
            else:
                return answer

    async def ask(self, question: str) -> Any:
        while True:
            try:
                return await self.handle.query(question)
            except WorkflowQueryFailedError as error:
                if error.message != ASK_AGAIN:
                    raise

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("state")
        return found

    async def timeline(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = await self.ask("timeline")
        return entries

    def change(self, step: str, generation: int = 1) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(f"{self.handle.id}/{step}/{generation}")

    async def until(self, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Poll the state until it is so; the test's own timeout bounds it."""
        while not condition(state := await self.state()):
            await asyncio.sleep(0.02)
        return state

    async def change_is(self, step: str, status: str) -> dict[str, Any]:
        """Wait until the newest change of a step has a status; return it."""

        def newest(state: dict[str, Any]) -> dict[str, Any] | None:
            found = [change for change in state["changes"] if change["step"] == step]
            return found[-1] if found and found[-1]["status"] == status else None

        found = newest(await self.until(newest))
        assert found is not None
        return found
