"""Starting an incident exactly once: ids that are never used twice, and keys that stand for one open incident.

A key is held by a workflow of its own, which needs no worker: its memo names the incident. Whoever finds a
key held completes the start that a dead starter left, so that one of them, and only one, creates it.
"""

from collections.abc import Callable
from typing import NamedTuple

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributePair
from temporalio.common import WorkflowIDConflictPolicy as Conflict
from temporalio.common import WorkflowIDReusePolicy as Reuse
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.model.declaration import Alert, Declaration, KeyHold
from domain.rules.run import IncidentRun
from domain.values import ids
from domain.values.status import FINAL
from domain.values.timestamps import stamp
from starters.client.connection import RPC_TIMEOUT, look
from starters.errors import RefusedError
from workflows import search_attributes
from workflows.profiles import priority

_ATTEMPTS = 200
_SUMMARY_BYTES = 300
"""How much of a title goes into the summary: Temporal takes no long ones. It is cut between two characters."""


class Started(NamedTuple):
    """Which incident it is, and whether this start created it."""

    incident: str
    created: bool


class _Hold(NamedTuple):
    incident: str
    run_id: str


async def start(client: Client, declaration: Declaration, details: Callable[[Declaration], str]) -> Started:
    """Create the incident, or find the open one of its key.

    A second call with the same key while that incident is open records a duplicate alert on it. Without a
    key every call creates one. `declaration.incident_id` is replaced by a free one; `details` gets it.
    """
    for attempt in range(_ATTEMPTS):
        candidate = ids.incident_id(declaration.declared_at, attempt)
        if declaration.key is None:
            if await _create(client, declaration, candidate, details):
                return Started(candidate, created=True)
            continue
        hold = await _hold(client, declaration.key, candidate)
        if hold is None:
            continue
        if await _create(client, declaration, hold.incident, details):
            return Started(hold.incident, created=True)
        if await _alerted(client, declaration, hold.incident):
            return Started(hold.incident, created=False)
        await _let_go(client, declaration.key, hold)
    raise RefusedError(f"no free incident id within {_ATTEMPTS} attempts; try again")


async def _create(client: Client, draft: Declaration, incident: str, details: Callable[[Declaration], str]) -> bool:
    """Start the workflow of an incident; False when that id is, or ever was, in use."""
    declaration = draft.model_copy(update={"incident_id": incident})
    memo = {"title": declaration.title, "declared_at": stamp(declaration.declared_at), "key": _key(declaration)}
    known = search_attributes.pairs(declaration.runbook.id, declaration.severity.value, declaration.mode)
    try:
        await client.start_workflow(
            "Incident",
            IncidentRun(declaration=declaration),
            id=incident,
            task_queue=ids.INCIDENTS_QUEUE,
            id_conflict_policy=Conflict.FAIL,
            id_reuse_policy=Reuse.REJECT_DUPLICATE,
            memo=memo,
            search_attributes=known.updated(SearchAttributePair(search_attributes.INCIDENT_STATUS, "declared")),
            static_summary=declaration.title.encode()[:_SUMMARY_BYTES].decode(errors="ignore"),
            static_details=details(declaration),
            priority=priority(declaration.severity),
            rpc_timeout=RPC_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        return False
    return True


async def _hold(client: Client, key: str, candidate: str) -> _Hold | None:
    """Take the key for a candidate, or read whom it stands for; None when it was let go in between."""
    try:
        taken = await client.start_workflow(
            "IncidentKey",
            KeyHold(incident_id=candidate),
            id=ids.key_workflow_id(key),
            task_queue=ids.INCIDENTS_QUEUE,
            id_conflict_policy=Conflict.FAIL,
            id_reuse_policy=Reuse.ALLOW_DUPLICATE,
            memo={"incident": candidate},
            rpc_timeout=RPC_TIMEOUT,
        )
    except WorkflowAlreadyStartedError as held:
        found = await look(client, held.workflow_id, held.run_id)
        if found is None or found.status is not WorkflowExecutionStatus.RUNNING:
            return None
        return _Hold(str(await found.memo_value("incident")), found.run_id)
    return _Hold(candidate, taken.result_run_id or "")


async def _alerted(client: Client, declaration: Declaration, incident: str) -> bool:
    """Record a duplicate alert; False when the incident has ended, or answers for another key.

    One that is closed may still be sending its last notices: nobody would look at an alert on it.
    """
    found = await look(client, incident)
    if found is None or found.status is not WorkflowExecutionStatus.RUNNING:
        return False
    if found.typed_search_attributes.get(search_attributes.INCIDENT_STATUS) in FINAL:
        return False
    if await found.memo_value("key", None) != _key(declaration):
        return False
    alert = Alert(by=declaration.declared_by, text=declaration.title)
    try:
        await client.get_workflow_handle(incident).signal("alert", alert, rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


async def _let_go(client: Client, key: str, hold: _Hold) -> None:
    """End exactly this hold; one that somebody else ended, or took anew, is left alone."""
    handle = client.get_workflow_handle(ids.key_workflow_id(key), run_id=hold.run_id)
    try:
        await handle.terminate(reason=f"{hold.incident} no longer answers for this key", rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def _key(declaration: Declaration) -> str | None:
    return None if declaration.key is None else ids.key_workflow_id(declaration.key)
