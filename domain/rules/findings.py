"""What the probes find, and what that suggests."""

from datetime import datetime

from domain.config.runbook import ChangeStep, ProbeStep, Runbook
from domain.model.effects import OpenIncident
from domain.model.finding import Finding, FindingStatus
from domain.model.state import Link, ObservedFinding
from domain.rules import tasks
from domain.rules.change_requests import lost_hands
from domain.rules.incident import Incident
from domain.rules.reclassification import change_severity


def probes(runbook: Runbook) -> list[ProbeStep]:
    return [step for step in runbook.steps() if isinstance(step, ProbeStep)]


def found(incident: Incident, step: ProbeStep, finding: Finding, now: datetime, *, denied: bool = False) -> None:
    """Put a finding on record, with the changes that it speaks for. People decide; a finding only suggests."""
    incident.state.findings.append(ObservedFinding(step=step.id, action=step.probe, at=now, finding=finding))
    data = {"step": step.id, "title": step.title, "action": step.probe, **finding.model_dump(mode="json")}
    incident.record(now, "orchestrator", "finding", f"{step.title}: {finding.status} - {finding.summary}", data)
    if denied:
        lost_hands(incident, step.probe, now)
    if finding.status is FindingStatus.SUSPECT:
        _follow(incident, step, now)
        tasks.open_for(incident, step.id, now)
        for change in incident.declaration.runbook.steps():
            if isinstance(change, ChangeStep) and step.id in change.suggested_by:
                text = f"Suggested: {change.title} (incident change {incident.declaration.incident_id} {change.id})"
                incident.record(now, "orchestrator", "suggestion", text, {"step": change.id, "because": step.id})


def _follow(incident: Incident, step: ProbeStep, now: datetime) -> None:
    """Raise the severity, or open a linked incident, where the runbook says that such a finding does."""
    if step.raises_to is not None and step.raises_to.above(incident.state.severity):
        change_severity(incident, step.raises_to, f"{step.title} is suspect", "orchestrator", now)
    opened = {link.type for link in incident.state.links}
    if step.opens is not None and step.opens not in opened and incident.live:
        incident.state.links.append(Link(type=step.opens, because=step.id))
        incident.effects.append(OpenIncident(type=step.opens))


def linked(incident: Incident, incident_type: str, opened: str, now: datetime) -> None:
    """Put on record which incident was opened beside this one."""
    link = next(link for link in incident.state.links if link.type == incident_type)
    link.incident = opened
    text = f"Opened {opened} ({incident_type}) because of {link.because}; it keeps this incident's awareness"
    incident.record(
        now, "orchestrator", "linked", text, {"incident": opened, "type": incident_type, "because": link.because}
    )


def suggested(incident: Incident, change: ChangeStep) -> list[str]:
    """The probes whose findings speak for a change now."""
    suspect = {seen.step for seen in incident.state.findings if seen.finding.status is FindingStatus.SUSPECT}
    return [probe for probe in change.suggested_by if probe in suspect]
