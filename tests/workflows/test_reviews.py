"""What was grave has its runbook reviewed once it is closed: upkeep, opened once, over with its owner's signature."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from domain.config.reviews import REVIEW
from domain.values.severity import Severity
from tests.builders import declaration, organisation
from tests.workflows import serving
from tests.workflows.test_report import VAULT
from tests.workflows.told import Told
from tests.workflows.world import World
from workflows import ledger_writer


async def closed(env: WorkflowEnvironment, number: int, **changes: Any) -> Told:
    """An outage of an organisation that reviews after a P0; it is over."""
    policies = organisation().severities
    grave = {Severity.P0: policies[Severity.P0].model_copy(update={"review": True})}
    people = organisation().model_copy(update={"severities": {**policies, **grave}})
    now = datetime.now(UTC)
    named = {"incident_id": f"inc-20261123-aaa{number}", "declared_at": now, "organisation": people}
    told = await Told.start(env.client, declaration(**named, **changes))
    await told.do("acknowledge")
    for step in ("mitigated", "resolve"):
        await told.do(step, summary="done")
    for step in ("assess", "review"):
        await told.do("complete_task", step=step)
    await told.do("close")
    await told.handle.result()
    return told


async def test_the_review_opens_once_the_incident_is_closed(server: WorkflowEnvironment, world: World) -> None:
    """It looks, pages nobody and ends with the task; the second outage meanwhile finds it open."""
    async with world.workers(server.client):
        first = await closed(server, 1)
        (link,) = (await first.state())["links"]
        review = Told(server.client, server.client.get_workflow_handle(link["incident"]))
        found = await review.until(lambda state: len(state["findings"]) == 1)
        second = await closed(server, 2)
        (held,) = (await second.state())["links"]
        await review.do("complete_task", by="devops-lead", step="review-system-outage", note="fit for use")
        await review.handle.result()
        ended = await review.state()
    assert (link["type"], link["key"], link["held"]) == (REVIEW, "review:system-outage", False)
    assert (held["incident"], held["held"]) == (None, True)
    assert (found["mode"], found["status"], found["findings"][0]["step"]) == (
        "upkeep",
        "declared",
        "look-system-outage",
    )
    assert (ended["status"], ended["pages"]) == ("closed", [])


async def test_the_last_entries_of_what_opens_a_review_are_written_with_its_report(
    server: WorkflowEnvironment, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the review came to is waited for: the record and the report of it are one activity, and one wake-up."""
    monkeypatch.setattr(ledger_writer, "_PACE", timedelta(minutes=10))
    monkeypatch.setattr(serving, "runner", lambda **_: UnsandboxedWorkflowRunner())
    async with world.workers(server.client):
        told = await closed(server, 1, environment=VAULT)
        (link,) = (await told.state())["links"]
        await server.client.get_workflow_handle(link["incident"]).terminate()
        length = (await told.state())["timeline"]["length"]
        events = (await told.handle.fetch_history()).events
    done = [event.activity_task_scheduled_event_attributes.activity_type.name for event in events]
    # the very last entry says where the report is
    written = [name for name in done if name in ("ledger.append", "report.store")]
    assert written == ["ledger.append", "report.store", "ledger.append"]
    assert world.stored_with == [length - 1]
