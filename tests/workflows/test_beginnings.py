"""Who begins a workflow of ours as none of ours does: it ends at once, and the hands take note."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from domain.config.approval import ApprovalRule
from domain.model.records import ChangeRecord
from domain.rules.change_messages import ChangeRequest
from domain.rules.live import LiveIncident
from domain.rules.run import FollowUpRun, IncidentRun
from domain.values import ids
from tests.builders import declaration, organisation
from tests.workflows.world import World

OWN = declaration().incident_id


def change() -> ChangeRequest:
    record = ChangeRecord(
        step="rollback",
        generation=1,
        workflow_id=f"{OWN}/rollback/1",
        action="test.rollback",
        requested_by="devops-lead",
        requested_at=datetime.now(UTC),
    )
    return ChangeRequest(
        about=LiveIncident.declared(declaration()).state.about,
        organisation=organisation(),
        record=record,
        rule=ApprovalRule(quorum=0),
        approve_within=timedelta(minutes=10),
        commander=None,
    )


def of_another() -> IncidentRun:
    return IncidentRun(declaration=declaration(declared_at=datetime.now(UTC)))


def left_by_nobody() -> FollowUpRun:
    return FollowUpRun(state=LiveIncident.declared(declaration()).state)


@pytest.mark.parametrize(
    ("kind", "made", "name", "what", "why"),
    [
        ("Change", change, f"{OWN}/rollback/1", "a change", "is begun by its incident"),
        ("Incident", of_another, f"{OWN}/z", "an incident", "under its own name"),
        ("FollowUp", left_by_nobody, f"{OWN}/follow-up", "follow-up work", "is left by its incident"),
    ],
)
async def test_what_nobody_of_ours_begins_ends(
    server: WorkflowEnvironment, world: World, kind: str, made: Any, name: str, what: str, why: str
) -> None:
    async with world.workers(server.client):
        with pytest.raises(WorkflowFailureError) as ended:
            await server.client.execute_workflow(kind, made(), id=name, task_queue=ids.INCIDENTS_QUEUE)
    assert why in str(ended.value.cause)
    assert world.strange == [what]
    assert (world.pages, world.ledger, world.acted) == ([], [], [])
