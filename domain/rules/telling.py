"""What every entry of the timeline tells beside its own event: the deadlines that have changed since the entry before.

Clocks run, are met and are moved in many rules. So that the timeline alone tells each of them, an entry's `data` holds
`clocks`, `due` (of tasks) and `notices` as far as they differ from what the entries before have told.
"""

from typing import Any

from domain.model.declaration import Declaration
from domain.model.state import LEDGER_CLOCK, IncidentState


def opening(declaration: Declaration, state: IncidentState) -> dict[str, Any]:
    """What the first entry tells of an incident: everything about it that no later one repeats."""
    return {
        "incident": declaration.incident_id,
        "title": declaration.title,
        "description": declaration.description,
        "type": declaration.runbook.id,
        "type_title": declaration.runbook.title,
        "severity": declaration.severity.value,
        "mode": declaration.mode,
        "environment": declaration.environment.name,
        "runbook_version": declaration.runbook.version,
        "runbook_digest": declaration.runbook_digest,
        "phi": declaration.phi,
        "aware_at": (declaration.aware_at or declaration.declared_at).isoformat().replace("+00:00", "Z"),
        "opened_by": declaration.opened_by,
        "tasks": [
            {"step": t.step, "title": t.title, "owner": t.owner, "phase": t.phase, "required": t.required}
            for t in state.tasks
        ],
        "to_tell": [{"step": notice.step, "action": notice.action} for notice in state.notices],
    }


def news(state: IncidentState) -> dict[str, Any]:
    """What no entry has told yet, as JSON values by kind; from now on it counts as told.

    The ledger's own clock runs with every write and is left out. A clock that is not there any more is null.
    """
    told: dict[str, Any] = {
        "clocks": _clocks(state),
        "due": _due(state),
        "notices": _notices(state),
    }
    return {kind: changed for kind, changed in told.items() if changed}


def _clocks(state: IncidentState) -> dict[str, Any]:
    now = {name: clock for name, clock in state.clocks.items() if name != LEDGER_CLOCK}
    told = state.told.clocks
    changed: dict[str, Any] = {name: None for name in told if name not in now}
    for name, clock in now.items():
        if told.get(name) != clock:
            changed[name] = clock.model_dump(mode="json")
    state.told.clocks = {name: clock.model_copy() for name, clock in now.items()}
    return changed


def _due(state: IncidentState) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for task in state.tasks:
        if task.due_at is not None and state.told.due.get(task.step) != task.due_at:
            state.told.due[task.step] = task.due_at
            changed[task.step] = task.model_dump(mode="json")["due_at"]
    return changed


def _notices(state: IncidentState) -> dict[str, Any]:
    """Notices that wait with a date, were sent, failed or skipped; one that is being sent is told when it is out."""
    changed: dict[str, Any] = {}
    for notice in state.notices:
        if notice.status != "sending" and state.told.notices.get(notice.step) != notice:
            known = state.told.notices.get(notice.step)
            state.told.notices[notice.step] = notice.model_copy()
            if known is not None or notice.due_at is not None:
                changed[notice.step] = notice.model_dump(mode="json", exclude={"step", "sequence"})
    return changed
