"""Who begins a workflow of ours, under which id: anybody may begin one, and what it seals from then on is believed."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.model.activity_io import Stranger
    from domain.rules.change_messages import ChangeRequest
    from domain.rules.run import IncidentRun
    from domain.values import ids

from workflows import failures
from workflows.asking import note


async def refuse_another_incident(run: IncidentRun) -> None:
    """Raise a refusal, of which the hands take note, unless an incident is begun under its own name."""
    if run.declaration is not None and run.declaration.incident_id != workflow.info().workflow_id:
        await note(Stranger(what="an incident", begun=True))
        raise failures.refused("an incident is begun under its own name")


async def refuse_another_change(request: ChangeRequest) -> None:
    """Raise a refusal, of which the hands take note, unless a change is begun by its incident, under its own name."""
    info, record, incident = workflow.info(), request.record, request.about.incident
    begun_by = info.parent.workflow_id if info.parent else None
    own = ids.change_workflow_id(incident, record.step, record.generation)
    if (begun_by, info.workflow_id, record.workflow_id) != (incident, own, own):
        await note(Stranger(what="a change", begun=True))
        raise failures.refused("a change is begun by its incident, under its own name")


async def refuse_another_follow_up() -> None:
    """Raise a refusal of work that no incident has left, of which the hands take note."""
    await note(Stranger(what="follow-up work", begun=True))
    raise failures.refused("follow-up work is left by its incident, or restored by the incident's id")
