"""Of very much that is said at once a part is heard at a time; what came before an end is heard before it."""

import asyncio
from typing import ClassVar
from uuid import uuid4

from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.rules.change_messages import Nothing
from workflows.message_handlers import Hears
from workflows.uncancelled import wait_condition

SAID = 600


@workflow.defn(name="Counts", sandboxed=False)
class Counts(Hears):
    """Counts what it has heard by the time that all of it is heard."""

    messages: ClassVar = {"said": Nothing}

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def learn(self, name: str, message: Nothing) -> str | None:  # noqa: ARG002 - it is counted
        self._count += 1
        return None

    @workflow.run
    async def run(self) -> list[int]:
        await wait_condition(lambda: self._count > 0)
        first = self._count
        await self.all_heard()
        return [first, self._count]


async def test_all_that_was_said_is_waited_for(server: WorkflowEnvironment) -> None:
    """In its first task a part is heard; what stood behind it counts before what follows."""
    handle = await server.client.start_workflow("Counts", id=str(uuid4()), task_queue="counts")
    for _ in range(0, SAID, 50):
        await asyncio.gather(*(handle.signal("said", {}) for _ in range(50)))
    async with Worker(
        server.client, task_queue="counts", workflows=[Counts], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        first, heard = await handle.result()
    assert first < SAID
    assert heard == SAID
