"""Upkeep to test with: one thing looked at, one person who is asked for a code, one task for a lead."""

from typing import Any

from domain.config.runbook import Runbook
from domain.model.declaration import Declaration, Nominal
from domain.values import codes
from domain.values.severity import Severity
from tests.builders import T0, declaration, runbook

CODE = "7QXKD-3MRFA"


def upkeep_runbook() -> Runbook:
    """A probe that opens incidents under keys, a code for the CTO to say back, a task."""
    steps = [
        {"id": "names", "probe": "test.health", "title": "Names", "opens": "maintenance", "key": "drift:staging"},
        {"id": "ask-cto", "notice": "test.tell", "title": "A code to the CTO"},
        {
            "id": "confirm-cto",
            "task": "Say the code that came by text message",
            "owner": "cto",
            "due": "3d",
            "code_of": "ask-cto",
            "opens": "maintenance",
            "key": "contact:cto",
            "opens_as": "cto does not answer",
            "tells": "What hangs on cto:\n- Levels of the chain: 2",
        },
        {"id": "review", "task": "Review the runbook", "owner": "technical-manager", "due": "14d"},
    ]
    phases = [{"id": "upkeep", "title": "Upkeep", "steps": steps}]
    return runbook(id="upkeep", title="Upkeep", severities=["P3"], on_call=["devops-lead"], phases=phases)


def maintenance() -> Runbook:
    """Where what upkeep finds is seen to."""
    steps = [{"id": "mend", "task": "Mend it", "owner": "devops-lead"}]
    phases = [{"id": "work", "title": "Work", "steps": steps}]
    return runbook(id="maintenance", title="Maintenance", severities=["P3"], phases=phases)


def upkeep(**changes: Any) -> Declaration:
    """A run of a schedule, as it is declared."""
    fields: dict[str, Any] = {
        "incident_id": "inc-20261123-7f3k",
        "severity": Severity.P3,
        "mode": "upkeep",
        "declared_by": "orchestrator",
        "runbook": upkeep_runbook(),
        "related": {"maintenance": maintenance()},
        "scheduled": Nominal(schedule="nightly", at=T0),
    }
    return declaration(**{**fields, **changes})


def sent(incident: str) -> str:
    """The digest of the code that the notice sent."""
    return codes.digest(CODE, codes.about(incident, 1))
