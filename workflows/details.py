"""What the Temporal UI shows of an incident on its User Metadata tab, as markdown. Raw HTML is escaped."""

from html import escape

from domain.config.runbook import ChangeStep
from domain.model.state import ChangeStatus
from domain.rules import clock, findings
from domain.rules.incident import Incident
from domain.values.timestamps import stamp


def details(incident: Incident) -> str:
    """The incident at a glance: where it stands, what is due, what waits for whom, what to type."""
    declaration, state = incident.declaration, incident.state
    due = clock.next_due(incident)
    lines = [
        f"## {state.severity} {escape(declaration.runbook.title)} · {state.status}",
        escape(declaration.title),
        f"Commander: {state.commander or 'nobody yet'} · waits for: {', '.join(incident.waiting_for()) or 'nobody'}",
        f"Next: {due.what} at {stamp(due.at)}" if due else "Nothing is due",
    ]
    if state.findings:
        lines += ["### Findings", "\n".join(_findings(incident))]
    if duties := [f"- {r.step}: **{r.state}**, due {stamp(r.due_at)}" for r in state.obligations]:
        lines += ["### Obligations", "\n".join(duties)]
    if changes := [f"- {c.workflow_id}: **{c.status}**" for c in state.changes]:
        lines += ["### Changes", "\n".join(changes)]
    lines += ["### What to type", f"```\n{chr(10).join(commands(incident))}\n```"]
    return "\n\n".join(lines)


def _findings(incident: Incident) -> list[str]:
    return [
        f"- {seen.step}: **{seen.finding.status}** {escape(seen.finding.summary)}" for seen in incident.state.findings
    ]


def commands(incident: Incident) -> list[str]:
    """The commands that take the incident forward now."""
    name, state = incident.declaration.incident_id, incident.state
    if incident.ended:
        return [f"incident report {name}"]
    typed = []
    if state.status == "declared":
        typed.append(f"incident ack {name}")
    typed += [
        f"incident approve {name} {change.step}"
        for change in state.changes
        if change.status is ChangeStatus.AWAITING_APPROVAL
    ]
    requested = {change.step for change in state.changes}
    typed += [
        f"incident change {name} {step.id}"
        for step in incident.declaration.runbook.steps()
        if isinstance(step, ChangeStep) and step.id not in requested and findings.suggested(incident, step)
    ]
    following = {
        "acknowledged": f"incident mitigated {name} --summary TEXT",
        "mitigated": f"incident resolve {name} --summary TEXT",
        "resolved": f"incident close {name}",
    }.get(state.status.value)
    return [*typed, following] if following else typed
