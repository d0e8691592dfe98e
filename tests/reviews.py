"""Reviews to test with: of runbooks as they stand in a folder, looked at and signed off."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from domain.config.reviews import looked_at, review, signed_off
from domain.config.runbook import Runbook
from domain.model.commands import INCIDENT_COMMANDS
from domain.model.event_kinds import Happening
from domain.model.finding import FindingStatus
from domain.model.work_events import Found
from domain.rules import lifecycle
from domain.rules.live import LiveIncident
from domain.values.severity import Severity
from starters.files.loading import load_runbook
from starters.files.organisation_folder import load_environment, load_organisation
from tests.builders import declaration, incident_id
from tests.domain.speaking import say


def read(folder: Path, *types: str, environment: str = "sandbox") -> list[Runbook]:
    """Runbooks of a folder, as they stand."""
    organisation, where = load_organisation(folder), load_environment(folder, environment)
    return [load_runbook(folder, name, organisation, where) for name in types]


def reviewed(runbooks: Sequence[Runbook], at: datetime, by: str | None, folder: Path, **changes: Any) -> LiveIncident:
    """A review that looked at runbooks, and was signed off a day later by the contact who has this role, if any."""
    fields: dict[str, Any] = {
        "incident_id": incident_id(at),
        "severity": Severity.P3,
        "mode": "upkeep",
        "declared_at": at,
        "organisation": load_organisation(folder),
        "runbook": review(runbooks),
        "related": {one.id: one for one in runbooks},
    }
    made = LiveIncident.declared(declaration(**{**fields, **changes}))
    made.pass_time(at)
    for one in runbooks:
        found = {"status": FindingStatus.OK, "summary": "fine", "facts": {"substance": one.substance()}}
        looked = Found(step=looked_at(one.id), title="Look", action="record.review", **found)
        made.take([Happening(looked)], at)
        if by is not None:
            command = INCIDENT_COMMANDS["complete_task"](by=by, step=signed_off(one.id), note="fit for use")
            assert say(made, "complete_task", command, at + timedelta(days=1)) is None
    made.take(lifecycle.end_upkeep(made.state, at + timedelta(days=1)), at + timedelta(days=1))
    return made
