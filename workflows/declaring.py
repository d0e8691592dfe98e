"""Declaring an incident from within a workflow, under an alert key or without. Of many that ask, one gets a key."""

from collections.abc import Callable
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.model.declaration import Declaration, KeyHold, KeyRelease
    from domain.rules.run import IncidentRun
    from domain.values import ids
    from domain.values.timestamps import stamp

from workflows import profiles, search_attributes

Handle = workflow.ChildWorkflowHandle[Any, RawValue]
"""Whoever polls the queue can end it with anything: `workflows.asking.read` says what it is."""


async def declare(made: Callable[[str], Declaration], details: str) -> tuple[str, Handle] | None:
    """Start an incident that lives on by itself: its id and its workflow; None while its key stands for an open one.

    `made` gives its declaration under an id.
    """
    names = ids.incident_ids(workflow.now(), workflow.random().randrange)
    while True:
        declaration = made(next(names))
        held = await hold(declaration)
        if declaration.key and held is None:
            return None
        try:
            return declaration.incident_id, await _start(declaration, details)
        except WorkflowAlreadyStartedError:
            if held is not None:  # the id is somebody else's, and the key must not stand for it
                await held.signal("release", KeyRelease(released=declaration.incident_id))
                await held


async def _start(declaration: Declaration, details: str) -> Handle:
    severity = declaration.severity
    memo = {"title": declaration.title, "declared_at": stamp(declaration.declared_at)}
    return await workflow.start_child_workflow(
        "Incident",
        IncidentRun(declaration=declaration),
        result_type=RawValue,
        id=declaration.incident_id,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        static_summary=profiles.short(declaration.title),
        static_details=details,
        priority=profiles.priority(severity),
        memo=memo | ({"key": declaration.holder} if declaration.holder else {}),
        search_attributes=search_attributes.pairs(declaration.runbook.id, severity.value, declaration.mode),
    )


async def hold(declaration: Declaration) -> Handle | None:
    """Have its alert's key stand for an incident until it is given back; None where it stands for one, or is none."""
    if declaration.holder is None:
        return None
    try:
        return await workflow.start_child_workflow(
            "IncidentKey",
            KeyHold(incident_id=declaration.incident_id),
            result_type=RawValue,
            id=declaration.holder,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            memo={"incident": declaration.incident_id},
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.info("the key is held already")
        return None


async def give_back(declaration: Declaration) -> None:
    """Let its key go, if it has one; a starter that finds it held by a closed incident takes it anyway."""
    if declaration.holder is None:
        return
    handle = workflow.get_external_workflow_handle(declaration.holder)
    try:
        await handle.signal("release", KeyRelease(released=declaration.incident_id))
    except ApplicationError:
        workflow.logger.info("the key is free already")
