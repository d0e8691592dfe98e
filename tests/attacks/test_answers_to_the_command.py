"""Who answers the command in the place of our workers: where it holds a key of the namespace, nobody believes him."""

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from starters.client import incident_client
from starters.client.answers import taken
from starters.client.replays import refuse_unless_replayed
from starters.errors import RefusedError
from tests.attacks.sealing import commanding, kms, sealing
from tests.attacks.test_strangers_answers import ROGUES, answering, doubted
from tests.builders import declaration
from tests.codec.kms import CountedKms
from tests.workflows.asking import begin
from tests.workflows.serving import hands
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows.asking import UNSEALED

__all__ = ["kms"]

_NONE_OF_OURS = "none of our workers"


@workflow.defn(name="Incident", sandboxed=False)
class Theirs:
    """Says of an incident whatever it was begun with, and ends with that or waits."""

    @workflow.init
    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    @workflow.run
    async def run(self, told: dict[str, Any]) -> dict[str, Any]:
        await workflow.wait_condition(lambda: told["ends"])
        return told

    @workflow.query
    def state(self) -> dict[str, Any]:
        said: dict[str, Any] = self._told["state"]
        return said

    @workflow.update
    def note(self, _said: RawValue) -> dict[str, Any]:
        return self.state()


async def test_an_incident_that_a_stranger_says_is_closed(
    server: WorkflowEnvironment, world: World, kms: CountedKms
) -> None:
    """By a result, a query and an update in the clear, and by what another of ours has said: none of it is shown."""
    command = commanding(server.client, kms)
    async with world.workers(sealing(server.client, kms)):
        told = await begin(sealing(server.client, kms))
        name = told.handle.id
        state = await incident_client.state(command, name)
        noted = await incident_client.send(command, name, "note", {"by": "devops-lead", "text": "it is ours"})
        assert noted["timeline"]["length"] > state["timeline"]["length"] - 1
        await told.handle.terminate("silence")
    closed = {**state, "status": "closed", "title": "all is well", "tasks": []}
    theirs = Worker(server.client, task_queue="his", workflows=[Theirs], workflow_runner=UnsandboxedWorkflowRunner())
    async with theirs:
        await server.client.execute_workflow(
            "Incident", {"ends": True, "state": closed, "timeline": []}, id=name, task_queue="his"
        )
        with pytest.raises(RefusedError, match=_NONE_OF_OURS):
            await incident_client.state(command, name)
        with pytest.raises(RefusedError, match=_NONE_OF_OURS):
            await incident_client.account(command, name)
        assert (await incident_client.state(server.client, name))["title"] == "all is well"  # nothing tells there
        await server.client.start_workflow("Incident", {"ends": False, "state": closed}, id=name, task_queue="his")
        with pytest.raises(RefusedError, match=_NONE_OF_OURS):
            await incident_client.state(command, name)
        with pytest.raises(RefusedError, match=_NONE_OF_OURS):
            await incident_client.send(command, name, "note", {"by": "devops-lead", "text": "who is there?"})
        left = await incident_client.states(server.client, f"WorkflowId = '{name}'")
        assert {one["title"] for one in left} <= {"all is well"}


async def test_what_is_sealed_by_another_is_no_answer(server: WorkflowEnvironment, kms: CountedKms) -> None:
    """A copy of what another workflow said, and what a client sealed, are refused as what came in the clear is."""
    codec = commanding(server.client, kms).data_converter.payload_codec
    assert codec is not None
    said = await sealing(server.client, kms).data_converter.encode([{"status": "closed"}])
    ours = RawValue((await codec.decode(said))[0])
    with pytest.raises(RefusedError, match=_NONE_OF_OURS):
        taken("inc-20261123-7f3k", ours)


@pytest.mark.parametrize("rogue", ["well made", "an error"])
async def test_a_release_replays_what_was_forged(
    server: WorkflowEnvironment, world: World, kms: CountedKms, rogue: str
) -> None:
    """By the command's own key too: a forged answer in a history is seen through as the workers do."""
    client = sealing(server.client, kms)
    async with world.incidents(client):
        async with hands(server.client, answering(ROGUES[rogue])):
            told = await Told.start(client, declaration(declared_at=datetime.now(UTC)))
            await doubted(told, 4, (UNSEALED,))
        await refuse_unless_replayed(commanding(server.client, kms), [told.handle.id], "the next")
