"""The document that `incident show --json` prints and the query `state` answers."""

from typing import Any

from domain.config.runbook import ChangeStep
from domain.model.plan import plan_document
from domain.model.state import ChangeRecord, FactRecord, NoticeRecord, ObligationRecord, ObservedFinding
from domain.rules import clock, findings, obligation_rules, tasks
from domain.rules.incident import Incident
from domain.values.timestamps import stamp


def document(incident: Incident) -> dict[str, Any]:
    """The incident as JSON values; times are RFC 3339 in UTC."""
    declaration, state = incident.declaration, incident.state
    return {
        "id": declaration.incident_id,
        "type": declaration.runbook.id,
        "title": declaration.title,
        "description": declaration.description,
        "severity": state.severity.value,
        "status": state.status.value,
        "mode": declaration.mode,
        "environment": declaration.environment.name,
        "declared_at": stamp(declaration.declared_at),
        "acknowledged_at": stamp(state.acknowledged_at),
        "mitigated_at": stamp(state.mitigated_at),
        "resolved_at": stamp(state.resolved_at),
        "closed_at": stamp(state.closed_at),
        "commander": state.commander,
        "phi": declaration.phi,
        "alerts": state.alerts,
        "reopened": state.reopened,
        "runbook": {
            "id": declaration.runbook.id,
            "version": declaration.runbook.version,
            "digest": declaration.runbook_digest,
        },
        "clocks": [{"name": n, "due_at": stamp(c.due_at), "state": c.state} for n, c in state.clocks.items()],
        "pages": [
            {"at": stamp(p.at), "to": p.to, "role": p.role, "level": p.level, "reason": p.reason} for p in state.pages
        ],
        "findings": [_finding(seen) for seen in state.findings],
        "changes": [change_document(change) for change in state.changes],
        "tasks": [tasks.told(task) for task in state.tasks],
        "notices": [_notice(notice) for notice in state.notices],
        "links": [link.model_dump(mode="json") for link in state.links],
        "aware_at": stamp(declaration.aware_at or declaration.declared_at),
        "opened_by": declaration.opened_by,
        "facts": [_fact(fact) for fact in state.facts],
        "obligations": [_obligation(incident, record) for record in state.obligations],
        "offers": _offers(incident),
        "due": [{"at": stamp(due.at), "what": due.what} for due in clock.upcoming(incident)],
        "waiting_for": incident.waiting_for(),
        "report": None if state.report is None else state.report.model_dump(mode="json"),
        "timeline": {
            "length": state.timeline.length,
            "head": state.timeline.head,
            "first": state.timeline.dropped + 1,
            "written": state.ledger.written,
        },
    }


def timeline_document(incident: Incident) -> list[dict[str, Any]]:
    """The entries that the workflow still carries as JSON values, oldest first."""
    return [entry.model_dump(mode="json") for entry in incident.state.timeline.entries]


def change_document(change: ChangeRecord) -> dict[str, Any]:
    """One change as JSON values."""
    content = change.model_dump(mode="json", by_alias=True)
    if change.plan is not None:
        content["plan"] = plan_document(change.plan)
    return content


def _finding(seen: ObservedFinding) -> dict[str, Any]:
    return {"step": seen.step, "action": seen.action, "at": stamp(seen.at), **seen.finding.model_dump(mode="json")}


def _fact(fact: FactRecord) -> dict[str, Any]:
    return {**fact.model_dump(mode="json"), "value": stamp(fact.value), "at": stamp(fact.at)}


def _obligation(incident: Incident, record: ObligationRecord) -> dict[str, Any]:
    """A duty as it stands; `due_at` is its deadline, be it the law's own or the ceiling under it."""
    told = obligation_rules.told(incident, record)
    return {**told, "due_at": stamp(record.due_at)}


def _notice(notice: NoticeRecord) -> dict[str, Any]:
    return {**notice.model_dump(mode="json"), "due_at": stamp(notice.due_at)}


def _offers(incident: Incident) -> list[dict[str, Any]]:
    """The changes that can be requested, with the findings that speak for each."""
    return [
        {"step": step.id, "title": step.title, "ask": list(step.ask), "because": findings.suggested(incident, step)}
        for step in incident.declaration.runbook.steps()
        if isinstance(step, ChangeStep)
    ]
