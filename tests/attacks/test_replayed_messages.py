"""What ours have sealed is copied out of a history and said again, or elsewhere: it is heard once, and as meant."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import RawValue
from temporalio.converter import WorkflowSerializationContext
from temporalio.testing import WorkflowEnvironment

from domain.model.declaration import KeyHold, KeyRelease
from domain.values import ids
from tests.attacks.sealing import first, kms, sealing, signalled
from tests.attacks.stranger import failed_tasks, flood
from tests.builders import declaration
from tests.codec.kms import CountedKms
from tests.workflows.asking import approve, ask, begin
from tests.workflows.told import Told
from tests.workflows.world import World

__all__ = ["kms"]


async def test_news_that_is_said_again_and_again(server: WorkflowEnvironment, world: World, kms: CountedKms) -> None:
    """Forty times, and once more after the end: nobody is paged by it, no entry is written, and the change goes on."""
    client = sealing(server.client, kms)
    async with world.workers(client):
        told = await begin(client)
        change = await ask(told)
        said = RawValue(await first(server.client, told.handle.id, signalled))
        before = await told.do("note", text="now it is copied")
        await flood(server.client, told.handle.id, "change_progress", said, 40)
        after = await told.do("note", text="all of it was heard")
        assert after["timeline"]["length"] == before["timeline"]["length"] + 1
        assert after["pages"] == before["pages"]
        await approve(told, change)
        ended = await told.change_is("rollback", "applied")
        await server.client.get_workflow_handle(told.handle.id).signal("change_progress", said)
        assert (await told.do("note", text="the last"))["changes"] == [ended]
        assert await failed_tasks(server.client, told.handle.id) == []


async def test_news_of_before_after_a_new_run(server: WorkflowEnvironment, world: World, kms: CountedKms) -> None:
    """The change was ended and is begun anew, the incident carries on as a new run: it hears news, and no copy."""
    client = sealing(server.client, kms)
    async with world.workers(client):
        declared = declaration(declared_at=datetime.now(UTC), history_limit=60)
        told = await Told.start(client, declared)
        await told.do("acknowledge")
        change = await ask(told)
        said = RawValue(await first(server.client, told.handle.id, signalled))
        world.acting.clear()
        await approve(told, change)
        while not world.past.intents:
            await asyncio.sleep(0.02)
        await told.change("rollback").terminate("by hand")
        await told.until(lambda state: state["changes"][0]["lost"] == 1 and not state["changes"][0]["adrift"])
        run = (await told.handle.describe()).run_id
        while (await told.handle.describe()).run_id == run:
            await told.do("note", text="more")
        stranger = server.client.get_workflow_handle(told.handle.id)
        await stranger.signal("change_progress", said)
        assert (await told.do("note", text="heard"))["changes"][0]["status"] == "applying"
        world.acting.set()
        await told.change_is("rollback", "applied")
        assert await failed_tasks(server.client, told.handle.id) == []


async def test_what_a_key_was_begun_with_gives_no_key_back(
    server: WorkflowEnvironment, world: World, kms: CountedKms
) -> None:
    """It is sealed by the incident that the key stands for; said as a release it is refused, and the key stands."""
    client = sealing(server.client, kms)
    async with world.workers(client):
        told = await Told.start(client, declaration(declared_at=datetime.now(UTC), key="alarm"))
        of_the_incident = WorkflowSerializationContext(namespace=client.namespace, workflow_id=told.handle.id)
        sealed = client.data_converter.with_context(of_the_incident)
        (begun,) = await sealed.encode([KeyHold(incident_id=told.handle.id)])
        name = ids.key_workflow_id(declaration().environment.name, "alarm")
        await server.client.start_workflow("IncidentKey", RawValue(begun), id=name, task_queue=ids.INCIDENTS_QUEUE)
        key = client.get_workflow_handle(name)
        await server.client.get_workflow_handle(key.id).signal("release", RawValue(begun))
        assert await key.query("state") == {"incident": told.handle.id, "refused": 1}
        assert (await key.describe()).status is WorkflowExecutionStatus.RUNNING
        await told.do("false_alarm", reason="nothing")
        assert await key.result() == told.handle.id
        assert await failed_tasks(server.client, key.id) == []


def test_neither_is_read_as_the_other() -> None:
    """Each says by the name of its field what it is for."""
    hold, release = KeyHold(incident_id="inc-1"), KeyRelease(released="inc-1")
    with pytest.raises(ValidationError):
        KeyRelease.model_validate(hold.model_dump())
    with pytest.raises(ValidationError):
        KeyHold.model_validate(release.model_dump())
