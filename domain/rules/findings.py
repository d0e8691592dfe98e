"""What the probes find, and what follows from it. People decide; a finding only suggests."""

from collections.abc import Iterator

from domain.config.runbook import ChangeStep, ProbeStep, Runbook
from domain.model.event_kinds import Happening
from domain.model.events import ORCHESTRATOR
from domain.model.finding import Finding, FindingStatus
from domain.model.state import IncidentState
from domain.model.work_events import Found, Suggested
from domain.rules import links, tasks
from domain.rules.access import denied_access
from domain.rules.reclassification import change_severity


def probes(runbook: Runbook) -> list[ProbeStep]:
    return [step for step in runbook.steps() if isinstance(step, ProbeStep)]


def unobserved(state: IncidentState) -> list[ProbeStep]:
    """The probes that have not answered yet."""
    seen = {finding.step for finding in state.findings}
    return [step for step in probes(state.declaration.runbook) if step.id not in seen]


def is_blind(finding: Finding) -> bool:
    """Whether the look itself is broken: work by a schedule, which nobody watches, must not end well for it."""
    return finding.status is FindingStatus.UNKNOWN and bool(finding.wrong or not finding.facts)


def found(state: IncidentState, step: ProbeStep, finding: Finding, *, denied: bool = False) -> Iterator[Happening]:
    """Put a finding on record, with what the runbook makes of one that is suspect."""
    yield Happening(Found(step=step.id, title=step.title, action=step.probe, **finding.model_dump()))
    if denied:
        yield from denied_access(state, step.probe)
    if finding.status is not FindingStatus.SUSPECT:
        if state.upkeep and step.opens is not None and is_blind(finding):
            yield from links.because_of(state, step, step.opens, finding)
        return
    if step.raises_to is not None and step.raises_to.above(state.severity):
        yield change_severity(state, step.raises_to, f"{step.title} is suspect", ORCHESTRATOR)
    if step.opens is not None and state.live:
        yield from links.because_of(state, step, step.opens, finding)
    yield from tasks.open_for(state, step.id)
    for change in state.declaration.runbook.steps():
        if isinstance(change, ChangeStep) and step.id in change.suggested_by:
            yield Happening(Suggested(step=change.id, title=change.title, because=step.id))


def suggested(state: IncidentState, change: ChangeStep) -> list[str]:
    """The probes whose findings speak for a change now."""
    suspects = state.suspects()
    return [probe for probe in change.suggested_by if probe in suspects]
