"""What a run of a schedule declares, by an organisation's files as they stand when it runs."""

from pathlib import Path
from zoneinfo import ZoneInfo

from activities.action import RuleError
from domain.config.reviews import REVIEW
from domain.config.schedule import MAINTENANCE, TRIALS
from domain.model.declaration import Declaration, Nominal
from domain.model.events import ORCHESTRATOR
from domain.model.scheduled import ScheduledCall
from domain.values.local_time import Clock
from starters.files.approvals import signatures
from starters.files.declarable import beforehand, current
from starters.files.holidays import calendar
from starters.files.loading import load_obligations, load_runbook
from starters.files.made import MADE, Files
from starters.files.made_reviews import as_reviewed
from starters.files.made_trials import Record, made_trials
from starters.files.organisation_folder import load_environment, load_organisation, load_schedules


def declared(folder: Path, call: ScheduledCall, record: Record | None = None) -> Declaration:
    """Make the declaration of a run; its id is set when it starts. Without a `record` nothing is proven.

    Raises `InvalidFile`, `RefusedError`, and `RuleError` for a speed outside of a sandbox.
    """
    organisation, environment = load_organisation(folder), load_environment(folder, call.run.environment)
    if call.run.speed != 1 and environment.kind != "sandbox":
        raise RuleError(f"a speed is for sandboxes only; {environment.name} is {environment.kind}")
    nominal = nominal_of(folder, call, organisation.timezone)
    kind = call.run.declares
    made = MADE.get(kind)
    said = [_described(nominal, Clock(ZoneInfo(organisation.timezone)))]
    if made is not None or kind == TRIALS:
        files = Files(folder, organisation, environment, call)
        if made is not None:
            runbook = made(files)
        else:
            runbook, says = made_trials(*files[:3], record or Record({}), call.now, opens=MAINTENANCE)
            said.append(says)
        opened = {MAINTENANCE: load_runbook(folder, MAINTENANCE, organisation, environment)}
        related = as_reviewed(files) if kind == REVIEW else opened
    else:
        runbook = load_runbook(folder, kind, organisation, environment)
        related = {name: load_runbook(folder, name, organisation, environment) for name in runbook.opens()}
    signed = signatures(folder, organisation, runbook, () if kind == REVIEW else related.values())
    return Declaration(
        incident_id="scheduled",
        title=runbook.title,
        description="\n".join(said),
        severity=min(runbook.severities),
        declared_at=call.now,
        declared_by=ORCHESTRATOR,
        mode="upkeep",
        speed=call.run.speed,
        organisation=organisation,
        environment=environment,
        runbook=runbook,
        runbook_digest=runbook.digest(),
        related=related,
        approvals=signed.approvals,
        lacking=signed.lacking,
        **current(beforehand(folder, organisation, environment, related), call.now),
        obligations=load_obligations(folder, organisation),
        calendar=calendar(organisation, call.now),
        scheduled=nominal,
    )


def nominal_of(folder: Path, call: ScheduledCall, timezone: str) -> Nominal:
    """When the run was due; and what was due since the last one until now, by the schedule's row of today."""
    row = load_schedules(folder, timezone).of(call.run.environment).get(call.run.schedule)
    due = row.between(call.after or call.at, call.now, ZoneInfo(timezone)) if row else ()
    return Nominal(schedule=call.run.schedule, at=call.at, missed=tuple(at for at in due if at != call.at))


def _described(nominal: Nominal, clock: Clock) -> str:
    """Say of which schedule it is a run, and what was due without any."""
    said = f"By schedule {nominal.schedule}, due {clock(nominal.at)}."
    if not nominal.missed:
        return said
    first, last, count = nominal.missed[0], nominal.missed[-1], len(nominal.missed)
    missed = f"on {clock(first)}" if count == 1 else f"{count} times, from {clock(first)} to {clock(last)}"
    return f"{said} There was no run {missed}."
