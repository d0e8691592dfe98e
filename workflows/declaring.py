"""Declaring an incident from within a workflow, under an alert key or without. Of many that ask, one gets a key.

Anybody can have a key stand for what is no incident, so that is believed of what the record has open alone.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from domain.model.declaration import Declaration, KeyHold, KeyRelease
    from domain.model.restoring import Restorable, RestorableCall
    from domain.rules.run import IncidentRun
    from domain.values import ids
    from domain.values.timestamps import stamp

from workflows import failures, profiles, search_attributes
from workflows.asking import ask

Handle = workflow.ChildWorkflowHandle[Any, RawValue]
"""Whoever polls the queue can end it with anything: `workflows.asking.read` says what it is."""

_AGAIN = timedelta(seconds=30)
"""Until an incident that has the key is on record, or one that has ended has given it back."""


async def declare(made: Callable[[str], Declaration], details: str) -> tuple[str, Handle] | None:
    """Start an incident that lives on by itself: its id and its workflow; None while its key stands for an open one.

    `made` gives its declaration under an id. Where the key is held, and the record knows no open incident of it or does
    not answer, it is declared without.
    """
    names = ids.incident_ids(workflow.now(), workflow.random().randrange)
    doubted = 0
    while True:
        declaration = made(next(names))
        if doubted > 1:
            declaration = declaration.model_copy(update={"key": None})
        held = await hold(declaration)
        if declaration.key and held is None:
            if await _is_open(declaration):
                return None
            doubted += 1
            if doubted == 1:
                await workflow.sleep(_AGAIN, summary="look again who has the key")
            continue
        try:
            return declaration.incident_id, await _start(declaration, details)
        except WorkflowAlreadyStartedError:
            if held is not None:  # the id is somebody else's, and the key must not stand for it
                await held.signal("release", KeyRelease(released=declaration.incident_id))
                await held


async def _is_open(declaration: Declaration) -> bool:
    """Whether an incident of its key is open by the record, live or of its own mode: a dry run stands for nothing."""
    options = profiles.with_profile(profiles.WHO_HOLDS, declaration.severity, "Who has the key")
    try:
        found = await ask("ledger.restorable", list[Restorable], options, RestorableCall(key=declaration.holder))
    except ActivityError as error:
        workflow.logger.warning("nobody knows who has the key: %s", failures.reason(error))
        return False
    return any(one.mode in {"live", declaration.mode} for one in found)


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
