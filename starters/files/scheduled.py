"""What a run of a schedule declares, by an organisation's files as they stand when it runs."""

from pathlib import Path

from domain.config.reviews import REVIEW
from domain.model.declaration import Declaration, Nominal
from domain.model.events import ORCHESTRATOR
from domain.model.scheduled import ScheduledCall
from starters.files.holidays import calendar
from starters.files.loading import load_obligations, load_runbook
from starters.files.made import MADE, OPENED, Files
from starters.files.made_reviews import as_reviewed
from starters.files.organisation_folder import load_environment, load_organisation


def declared(folder: Path, call: ScheduledCall) -> Declaration:
    """Make the declaration of a run; its id is set when it starts. Raises `InvalidFile` and `RefusedError`."""
    organisation, environment = load_organisation(folder), load_environment(folder, call.run.environment)
    kind = call.run.declares
    made = MADE.get(kind)
    if made is not None:
        files = Files(folder, organisation, environment)
        runbook = made(files)
        opened = {OPENED: load_runbook(folder, OPENED, organisation, environment)}
        related = as_reviewed(files) if kind == REVIEW else opened
    else:
        runbook, related = load_runbook(folder, kind, organisation, environment), {}
    return Declaration(
        incident_id="scheduled",
        title=runbook.title,
        severity=min(runbook.severities),
        declared_at=call.now,
        declared_by=ORCHESTRATOR,
        mode="upkeep",
        organisation=organisation,
        environment=environment,
        runbook=runbook,
        runbook_digest=runbook.digest(),
        related=related,
        obligations=load_obligations(folder, organisation),
        calendar=calendar(organisation, call.now),
        scheduled=Nominal(schedule=call.run.schedule, at=call.at),
    )
