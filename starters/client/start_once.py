"""Starting an incident exactly once: ids that are never used twice, and keys that stand for one open incident.

A key is held by a workflow of its own, which needs no worker: its memo names the incident. Whoever finds a
key held completes the start that a dead starter left, so that one of them, and only one, creates it.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import Any, NamedTuple

import click
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import RawValue, SearchAttributePair
from temporalio.common import WorkflowIDConflictPolicy as Conflict
from temporalio.common import WorkflowIDReusePolicy as Reuse
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.values import ids
from domain.values.severity import Severity
from domain.values.status import FINAL
from domain.values.timestamps import stamp
from starters.client.connection import RPC_TIMEOUT, look
from starters.client.notes import noted
from starters.errors import RefusedError
from workflows import search_attributes
from workflows.profiles import priority

Document = dict[str, Any]

_SUMMARY_BYTES = 300
"""How much of a title goes into the summary: Temporal takes no long ones. It is cut between two characters."""

_PUT_OFF = timedelta(seconds=5)
"""More than the server itself puts a run off that follows another at once."""


class Started(NamedTuple):
    """Which incident it is, and whether this start created it."""

    incident: str
    created: bool


class _Hold(NamedTuple):
    """The run of a key's workflow, and what its memo names: anybody can have begun it."""

    incident: str
    run_id: str


async def start(client: Client, declaration: Document, details: Callable[[Document], str]) -> Started:
    """Create the incident, or find the open one of its key.

    A second call with the same key while that incident is open records a duplicate alert on it. Without a
    key every call creates one, and so does one that cannot read whom the key stands for, with a warning on stderr.
    `declaration.incident_id` is replaced by a free one; `details` gets it.
    """
    names = ids.incident_ids(datetime.fromisoformat(declaration["declared_at"]), randbelow)
    if declaration["key"] is not None:
        try:
            return await _keyed(client, declaration, names, details)
        except RefusedError as error:
            click.echo(f"Warning: declared without its key, as {error}", err=True)
    keyless = {**declaration, "key": None}
    while not await _create(client, keyless, candidate := next(names), details):
        pass
    return Started(candidate, created=True)


async def _keyed(
    client: Client, declaration: Document, names: Iterator[str], details: Callable[[Document], str]
) -> Started:
    """Create the incident of a key, or find the open one. Raises `RefusedError` where a memo cannot be decrypted."""
    while True:
        hold = await _hold(client, declaration, next(names))
        if hold is None:
            continue
        if ids.is_incident_id(hold.incident):
            if await _create(client, declaration, hold.incident, details):
                return Started(hold.incident, created=True)
            if await _alerted(client, declaration, hold.incident):
                return Started(hold.incident, created=False)
        await _let_go(client, declaration, hold)


async def _create(client: Client, draft: Document, incident: str, details: Callable[[Document], str]) -> bool:
    """Start the workflow of an incident; False when that id is, or ever was, in use."""
    declaration = {**draft, "incident_id": incident}
    title, severity = declaration["title"], declaration["severity"]
    declared_at = stamp(datetime.fromisoformat(declaration["declared_at"]))
    memo = {"title": title, "declared_at": declared_at, "key": _key(declaration)}
    known = search_attributes.pairs(declaration["runbook"]["id"], severity, declaration["mode"])
    try:
        await client.start_workflow(
            "Incident",
            _as_written({"declaration": declaration}),
            id=incident,
            task_queue=ids.task_queue(declaration["environment"]["name"]),
            id_conflict_policy=Conflict.FAIL,
            id_reuse_policy=Reuse.REJECT_DUPLICATE,
            memo=memo,
            search_attributes=known.updated(SearchAttributePair(search_attributes.INCIDENT_STATUS, "declared")),
            static_summary=title.encode()[:_SUMMARY_BYTES].decode(errors="ignore"),
            static_details=details(declaration),
            priority=priority(Severity(severity)),
            rpc_timeout=RPC_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        return False
    return True


async def _hold(client: Client, declaration: Document, candidate: str) -> _Hold | None:
    """Take the key for a candidate, or read whom it stands for; None when it was let go in between."""
    try:
        taken = await client.start_workflow(
            "IncidentKey",
            {"incident_id": candidate},
            id=_key_id(declaration),
            task_queue=ids.task_queue(declaration["environment"]["name"]),
            id_conflict_policy=Conflict.FAIL,
            id_reuse_policy=Reuse.ALLOW_DUPLICATE,
            memo={"incident": candidate},
            rpc_timeout=RPC_TIMEOUT,
        )
    except WorkflowAlreadyStartedError as held:
        found = await look(client, held.workflow_id, held.run_id)
        if found is None or found.status is not WorkflowExecutionStatus.RUNNING:
            return None
        return _Hold(str(await noted(found, "incident")), found.run_id)
    return _Hold(candidate, taken.result_run_id or "")


async def _alerted(client: Client, declaration: Document, incident: str) -> bool:
    """Record a duplicate alert; False when the incident has ended, is not live, or answers for another key.

    One that is closed may still be sending its last notices: nobody would look at an alert on it, nor on a dry run. A
    workflow of another type, or on another queue than the environment's, is no incident, whatever anybody has called
    it; one that the server is to start later hears nothing till then.
    """
    found = await look(client, incident)
    if found is None or found.status is not WorkflowExecutionStatus.RUNNING:
        return False
    place = ids.task_queue(declaration["environment"]["name"])
    if (found.workflow_type, found.task_queue) != ("Incident", place):
        return False
    known = found.typed_search_attributes
    if known.get(search_attributes.INCIDENT_STATUS) in FINAL or known.get(search_attributes.INCIDENT_MODE) != "live":
        return False
    if _is_put_off(found):
        return False
    if await noted(found, "key") != _key(declaration):
        return False
    alert = {"by": declaration["declared_by"], "text": declaration["title"]}
    try:
        await client.get_workflow_handle(incident).signal("alert", alert, rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


def _is_put_off(found: WorkflowExecutionDescription) -> bool:
    """Whether it was begun with a delay that is not over; one without is none where this machine's clock is behind."""
    soon = max(datetime.now(UTC), found.start_time + _PUT_OFF)
    return found.execution_time is not None and found.execution_time > soon


async def _let_go(client: Client, declaration: Document, hold: _Hold) -> None:
    """End exactly this hold; one that somebody else ended, or took anew, is left alone."""
    handle = client.get_workflow_handle(_key_id(declaration), run_id=hold.run_id)
    try:
        await handle.terminate(reason=f"{hold.incident} no longer answers for this key", rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


def _key(declaration: Document) -> str | None:
    return None if declaration["key"] is None else _key_id(declaration)


def _key_id(declaration: Document) -> str:
    return ids.key_workflow_id(declaration["environment"]["name"], declaration["key"])


def _as_written(document: Document) -> RawValue:
    """Make a payload of JSON in which keys keep their order, as files have it: the SDK's own converter sorts them."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=text.encode()))
