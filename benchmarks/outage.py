"""The outage that is played: the shipped runbook, and what its scripted people say and when."""

from datetime import UTC, datetime
from typing import Any

from benchmarks import memory
from domain.config.runbook import ChangeStep, ProbeStep, Runbook, TaskStep
from domain.model.declaration import Declaration
from domain.values.severity import Severity
from starters.files.loading import load_runbook
from starters.files.organisation_folder import load_environment, load_organisation
from starters.files.shipped import shipped_folder

ENVIRONMENT = "sandbox"
CHANGE = "rollback"
LEAD, REQUESTER, APPROVER = "devops-lead", "development-lead", "technical-manager"
Said = tuple[str, dict[str, Any]]


def declaration(incident: str, **changes: Any) -> Declaration:
    """A live P0 system outage declared now; `changes` replace its fields."""
    folder = shipped_folder()
    organisation, environment = load_organisation(folder), load_environment(folder, ENVIRONMENT)
    runbook = load_runbook(folder, "system-outage", organisation, environment)
    fields: dict[str, Any] = {
        "incident_id": incident,
        "title": "Portal down",
        "severity": Severity.P0,
        "declared_at": datetime.now(UTC),
        "declared_by": LEAD,
        "organisation": organisation,
        "environment": environment,
        "runbook": runbook,
        "runbook_digest": runbook.digest(),
    }
    return Declaration(**{**fields, **changes})


def instant(unix_seconds: float) -> datetime:
    return datetime.fromtimestamp(unix_seconds, UTC)


def probes(runbook: Runbook) -> int:
    return sum(isinstance(step, ProbeStep) for step in runbook.steps())


def opening() -> list[Said]:
    """What people say once the probes have answered."""
    return [("acknowledge", {"by": LEAD}), ("request_change", {"by": REQUESTER, "step": CHANGE})]


def approval(runbook: Runbook) -> Said:
    """The approval of exactly the plan that the change comes to."""
    step = runbook.step(CHANGE)
    if not isinstance(step, ChangeStep):
        raise TypeError(f"{CHANGE} is no change of {runbook.id}")
    return "approve", {"by": APPROVER, "digest": memory.plan(step.change).digest}


def closing(runbook: Runbook) -> list[Said]:
    """What people say once the change is applied; nothing is left to do, so that nothing outlives the incident."""
    tasks = [step.id for step in runbook.steps() if isinstance(step, TaskStep) and not step.opened_by]
    return [
        ("mitigated", {"by": LEAD, "summary": "rolled back"}),
        ("resolve", {"by": LEAD, "summary": "steady"}),
        *(("complete_task", {"by": LEAD, "step": task}) for task in tasks),
        ("close", {"by": LEAD}),
    ]
