"""Changes that do not get under way: people are told, and it is tried on. A plan, and evidence until it is begun."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from domain.config.organisation import COMMANDER
from domain.config.runbook import ChangeStep
from domain.model.change_events import Delayed
from domain.model.event_kinds import Happening
from domain.model.records import DONE, ChangeRecord, ChangeStatus
from domain.model.state import IncidentState
from domain.rules import paging
from domain.values.timestamps import stamp

_PATIENCE = timedelta(minutes=5)
_FLOOR = timedelta(seconds=15)
"""Real time: AWS does not answer faster with a sandbox's policy clocks."""
_WAITS = {"evidence": "evidence is not being preserved yet", "plan": "there is no plan yet"}
_BEGUN = frozenset({ChangeStatus.VERIFYING, ChangeStatus.PARTLY_APPLIED, ChangeStatus.UNDONE, *DONE})


def _kind(state: IncidentState, change: ChangeRecord) -> str:
    step = state.declaration.runbook.step(change.step)
    preserves = isinstance(step, ChangeStep) and step.evidence and change.undo_of is None
    return "evidence" if preserves else "plan"


def _due_at(state: IncidentState, change: ChangeRecord) -> datetime:
    return change.requested_at + max(state.scaled(_PATIENCE), _FLOOR)


def _waiting(state: IncidentState) -> Iterator[ChangeRecord]:
    """The changes that are not under way. One that waits for votes has a clock of its own; a dry run pages nobody."""
    for change in state.changes_in_flight() if state.live else ():
        status = change.status
        applying = status is ChangeStatus.APPLYING and _kind(state, change) == "evidence"
        if status is ChangeStatus.PLANNING or applying:
            yield change


def _untold(state: IncidentState) -> Iterator[ChangeRecord]:
    return (change for change in _waiting(state) if change.workflow_id not in state.delayed)


def upcoming(state: IncidentState) -> list[tuple[datetime, str]]:
    """When people are told of a change that is not under way by then."""
    return [(_due_at(state, change), f"{_kind(state, change)}:{change.step} overdue") for change in _untold(state)]


def tell(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Put it on record once for each change, and page: of evidence always, of a plan while the symptoms last."""
    for change in list(_untold(state)):
        if (due := _due_at(state, change)) <= now:
            what = _WAITS[kind := _kind(state, change)]
            event = Delayed(step=change.step, workflow_id=change.workflow_id, title=change.title, what=what)
            yield Happening(event, cause=paging.deadline(f"{kind}:{change.step} overdue", due))
            if kind == "evidence" or state.responding:
                yield from _page(state, f"{what}: {change.title}")


def failed(state: IncidentState, change: ChangeRecord) -> Iterator[Happening]:
    """Page where a change that has ended leaves evidence that was not preserved, or is not known to be whole."""
    if change.status is ChangeStatus.FAILED and _kind(state, change) == "evidence":
        yield from _page(state, f"evidence failed: {change.title}: {change.reason}")


def _page(state: IncidentState, reason: str) -> Iterator[Happening]:
    """Page whoever commands, and whoever is on call first while nobody does."""
    roles = [COMMANDER] if state.commander else state.declaration.runbook.on_call[:1]
    yield from paging.page_roles(state, roles, reason)


def clocks(state: IncidentState) -> list[dict[str, Any]]:
    """The clocks of evidence, one for each of its steps that was asked for, and of plans that are waited for."""
    latest = {change.step: change for change in state.changes if change.undo_of is None}
    evidence = [change for change in latest.values() if _kind(state, change) == "evidence"] if state.live else []
    plans = [change for change in _waiting(state) if change not in evidence]
    return [
        {
            "name": f"{_kind(state, change)}:{change.step}",
            "started_at": stamp(change.requested_at),
            "due_at": stamp(_due_at(state, change)),
            "state": _state(state, change),
            "ended_at": stamp(change.ended_at),
        }
        for change in [*evidence, *plans]
    ]


def _state(state: IncidentState, change: ChangeRecord) -> str:
    if change.workflow_id in state.delayed or change.status is ChangeStatus.FAILED:
        return "breached"
    if change.status in _BEGUN:
        return "met"
    return "running" if change.in_flight else "cancelled"
