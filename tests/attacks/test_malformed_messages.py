"""What does not decode is a refusal on record, by signal and by update, and no log repeats it."""

import logging
from contextlib import suppress
from typing import Any

import pytest
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.testing import WorkflowEnvironment

from domain.model.declaration import KeyHold, KeyRelease
from domain.model.drill import DrillRun
from domain.values import ids
from tests.attacks.stranger import MALFORMED, SECRET, failed_tasks, raw
from tests.workflows.asking import approve, ask, begin, refused
from tests.workflows.told import Told
from tests.workflows.world import World

_INTERNAL = ("change_progress", "alert", "end_drill")


async def _refuse_all(told: Told, workflow_id: str, signal: str, update: str) -> None:
    """Send everything malformed; each update is answered by a refusal."""
    handle = told.client.get_workflow_handle(workflow_id)
    for inputs in MALFORMED.values():
        await handle.signal(signal, args=inputs)
        with pytest.raises(WorkflowUpdateFailedError) as turned_away:
            await handle.execute_update(update, args=inputs)
        assert SECRET not in str(turned_away.value.cause)


async def test_on_an_incident(server: WorkflowEnvironment, world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Each malformed note is refused on record with a reason that repeats nothing, and a true one is taken."""
    async with world.workers(server.client):
        told = await begin(server)
        await _refuse_all(told, told.handle.id, "note", "note")
        reasons = await refused(told, len(MALFORMED))
        await told.do("note", text="well-formed")
        entries = await told.timeline()
        assert await failed_tasks(server.client, told.handle.id) == []
    assert len(reasons) == len(MALFORMED)
    assert "well-formed" in [entry["text"] for entry in entries if entry["kind"] == "note"]
    assert SECRET not in str(entries)
    assert SECRET not in caplog.text


async def test_on_a_change(server: WorkflowEnvironment, world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Each malformed vote is refused on its incident's record, and the true one applies the change."""
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told)
        await _refuse_all(told, change["workflow_id"], "reject", "reject")
        reasons = await refused(told, len(MALFORMED))
        await approve(told, change)
        await told.change_is("rollback", "applied")
        assert await failed_tasks(server.client, told.handle.id, change["workflow_id"]) == []
    assert len(reasons) == len(MALFORMED)
    assert len(world.acted) == 1
    assert SECRET not in caplog.text


async def test_among_our_own_workflows(server: WorkflowEnvironment, world: World) -> None:
    """What our workflows say to each other is read in the same way: malformed, it changes nothing and stops nothing."""
    async with world.workers(server.client):
        told = await begin(server)
        change = await ask(told)
        handle, sent = told.client.get_workflow_handle(change["workflow_id"]), ["no JSON", "two inputs", "a text"]
        for name in sent:
            for signal in _INTERNAL:
                await told.handle.signal(signal, args=MALFORMED[name])
            for signal in ("commander_is", "evidence_begun", "tell_by_signal"):
                await handle.signal(signal, args=MALFORMED[name])
        # of the six, one says all by its name: a text is as good as nothing to it
        await refused(told, len(sent) * 6 - 1)
        await approve(told, change)
        await told.change_is("rollback", "applied")
        assert await failed_tasks(server.client, told.handle.id, change["workflow_id"]) == []


async def test_on_a_key_and_on_a_drill(server: WorkflowEnvironment, world: World) -> None:
    """Where there is no record, what is refused is counted, and the true message still does what it says."""
    world.drills.live = ["inc-1"]
    async with world.workers(server.client):
        key = await server.client.start_workflow(
            "IncidentKey", KeyHold(incident_id="inc-1"), id="key/1", task_queue=ids.INCIDENTS_QUEUE
        )
        run = DrillRun(environment="sandbox", days=1)
        drill = await server.client.start_workflow("Drill", run, id="drill/sandbox", task_queue=ids.INCIDENTS_QUEUE)
        for inputs in MALFORMED.values():
            await key.signal("release", args=inputs)
            await drill.signal("stop", args=inputs)
        await key.signal("no-such-thing", "x")
        assert (await key.query("state"))["refused"] == len(MALFORMED) + 1
        assert (await drill.query("state"))["refused"] == len(MALFORMED)
        await key.signal("release", KeyRelease(released="inc-1"))
        assert await key.result() == "inc-1"
        await drill.execute_update("stop", {"by": "cto", "reason": "enough"})
        assert (await drill.result())["outcome"] == "stopped"
        assert await failed_tasks(server.client, "key/1", "drill/sandbox") == []


async def test_a_query_with_rubbish(server: WorkflowEnvironment, world: World) -> None:
    """A query that cannot be read fails for whoever asks at most, and for nobody else."""
    async with world.workers(server.client):
        told = await begin(server)
        for inputs in MALFORMED.values():
            with suppress(WorkflowQueryFailedError):
                await told.handle.query("state", args=[*inputs, *inputs])
        with pytest.raises(WorkflowQueryFailedError):
            await told.handle.query("no-such-query")
        assert (await told.state())["status"] == "acknowledged"
        assert await failed_tasks(server.client, told.handle.id) == []


@pytest.mark.parametrize("kind", ["Incident", "Change", "FollowUp", "IncidentKey", "Restore", "Scheduled", "Drill"])
async def test_what_no_workflow_is_started_with(
    server: WorkflowEnvironment, world: World, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A workflow that is started with what cannot be read fails at once, instead of trying for ever."""
    caplog.set_level(logging.DEBUG)
    inputs: list[list[Any]] = [MALFORMED["no JSON"], [raw(b"{}"), raw(b"{}")], [], MALFORMED["a list"]]
    async with world.workers(server.client):
        for number, given in enumerate(inputs):
            handle = await server.client.start_workflow(
                kind, args=given, id=f"{kind}-{number}", task_queue=ids.INCIDENTS_QUEUE
            )
            with pytest.raises(WorkflowFailureError):
                await handle.result()
            assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED
    assert SECRET not in caplog.text


async def test_a_place_in_a_trace(server: WorkflowEnvironment, world: World) -> None:
    """A header that no trace can be read from is left out: the message is heard."""
    client = server.client
    traced = Client(
        client.service_client,
        namespace=client.namespace,
        data_converter=client.data_converter,
        interceptors=[TracingInterceptor()],
    )
    async with world.workers(traced):
        told = await begin(server)
        for header in (b"{", b"[1]", b'{"traceparent": {}}'):
            asked = SignalWorkflowExecutionRequest(namespace=server.client.namespace, signal_name="note")
            asked.workflow_execution.workflow_id = told.handle.id
            asked.input.payloads.append(raw(b'{"by": "cto", "text": "heard"}').payload)
            asked.header.fields["_tracer-data"].CopyFrom(raw(header).payload)
            await server.client.workflow_service.signal_workflow_execution(asked)
        await told.do("note", text="the last")
        assert [one["text"] for one in await told.timeline() if one["kind"] == "note"] == ["heard"] * 3 + ["the last"]
        assert await failed_tasks(server.client, told.handle.id) == []
