"""Changes as their incident sees them: requested, under way, finished, undone."""

from datetime import datetime

from domain.config.organisation import Contact
from domain.config.runbook import ChangeStep
from domain.model.commands import RequestChange, Undo
from domain.model.effects import StartChange, TellChanges
from domain.model.state import IN_FLIGHT, ChangeProgress, ChangeRecord, ChangeStatus
from domain.rules import tasks
from domain.rules.incident import Incident
from domain.values.ids import change_workflow_id

_REPLANS = 5


def may_request(incident: Incident, command: RequestChange) -> str | None:
    step = incident.declaration.runbook.step(command.step)
    if not isinstance(step, ChangeStep):
        offered = ", ".join(s.id for s in incident.declaration.runbook.steps() if isinstance(s, ChangeStep))
        return f"{command.step!r} is no change of this runbook; it offers {offered}"
    if unknown := sorted(set(command.set) - set(step.ask)):
        asked = ", ".join(step.ask) or "nothing"
        return f"{step.id!r} does not ask for {', '.join(unknown)}; it asks for {asked}"
    if missing := [name for name in step.ask if name not in command.set and name not in step.params]:
        return f"{step.id!r} needs {', '.join(missing)}: give it with --set name=value"
    return _busy(incident, step.id)


def _busy(incident: Incident, step: str) -> str | None:
    latest = incident.latest_change(step)
    if latest is not None and latest in incident.changes_in_flight():
        return f"{latest.workflow_id} is {latest.status} already"
    return None


def request(incident: Incident, command: RequestChange, who: Contact, now: datetime) -> None:
    """Start a change: a workflow of its own plans it and asks whoever must approve."""
    step = incident.declaration.runbook.step(command.step)
    if isinstance(step, ChangeStep):
        start(incident, step, {**step.params, **command.set}, who.id, now)


def start(
    incident: Incident,
    step: ChangeStep,
    params: dict[str, object],
    by: str,
    now: datetime,
    undo: ChangeRecord | None = None,
) -> None:
    generation = 1 + sum(change.step == step.id for change in incident.state.changes)
    record = ChangeRecord(
        step=step.id,
        generation=generation,
        workflow_id=change_workflow_id(incident.declaration.incident_id, step.id, generation),
        action=step.change,
        requested_by=by,
        params=params,
        undo_of=undo.generation if undo else None,
    )
    incident.state.changes.append(record)
    verb = f"Undo of {undo.workflow_id}" if undo else f"{step.title}:"
    asked = record.model_dump(include={"step", "workflow_id", "generation", "action", "undo_of"})
    incident.record(now, by, "change-requested", f"{verb} requested", {**asked, "title": step.title})
    incident.effects.append(StartChange(record=record, undo=undo.plan if undo else None))


def request_all(incident: Incident, now: datetime) -> None:
    """Plan every change that needs no answer from a person; name those that do."""
    for step in incident.declaration.runbook.steps():
        if not isinstance(step, ChangeStep):
            continue
        if missing := [name for name in step.ask if name not in step.params]:
            text = f"{step.title}: not planned, it needs {', '.join(missing)}"
            incident.record(now, "orchestrator", "change", text, {"step": step.id})
        else:
            start(incident, step, step.params, incident.declaration.declared_by, now)


def may_undo(incident: Incident, command: Undo) -> str | None:
    latest = _last_done(incident, command.step)
    if latest is None or latest.plan is None:
        return f"nothing of {command.step!r} has been applied"
    if not latest.ours:
        return f"{latest.workflow_id} found its work done by somebody else; what is not ours is not undone"
    if not latest.plan.reversible:
        return f"{latest.action} cannot be undone"
    return _busy(incident, command.step)


def _last_done(incident: Incident, step: str) -> ChangeRecord | None:
    """The newest change of a step whose effect stands; undoing ones and those that found our own work are left out."""
    done = {ChangeStatus.APPLIED, ChangeStatus.ALREADY_DONE}
    changes = [
        c
        for c in incident.state.changes
        if c.step == step
        and c.undo_of is None
        and (c.status in done or (c.status is ChangeStatus.FAILED and c.ours))  # applied, but not proven good
    ]
    return next((c for c in reversed(changes) if not (c.ours and c.plan and c.plan.changes_nothing)), None)


def undo(incident: Incident, command: Undo, who: Contact, now: datetime) -> None:
    """Ask for the reverse of the last applied change of a step: a change like any other."""
    step = incident.declaration.runbook.step(command.step)
    latest = _last_done(incident, command.step)
    if isinstance(step, ChangeStep) and latest is not None:
        start(incident, step, latest.params, who.id, now, undo=latest)


def progress(incident: Incident, told: ChangeProgress, now: datetime) -> None:
    """Take over what a change's workflow tells; of one that has ended only what still happened is recorded."""
    known = next((c for c in incident.state.changes if c.workflow_id == told.record.workflow_id), None)
    if known is None:
        return
    flying = known.status in IN_FLIGHT
    if flying and told.clock is not None:
        incident.state.clocks[f"approval:{told.record.step}"] = told.clock
    for entry in told.entries:
        data = {"step": told.record.step, "workflow_id": told.record.workflow_id, **entry.data}
        incident.record(entry.at, entry.actor, entry.kind, entry.text, data)
    if not flying:
        return
    incident.state.changes[incident.state.changes.index(known)] = told.record
    skip: set[str] = set()
    chain = incident.declaration.organisation.chain
    for name in told.page:
        contact = incident.declaration.organisation.contact(name)
        if contact is not None and contact.id not in skip:
            skip.add(contact.id)
            role = next((role for role in told.record.eligible if role in contact.roles), contact.roles[0])
            level = chain.index(role) + 1 if role in chain else 0
            incident.page(contact, role, level, told.page_reason, now, _ask(incident, told.record))
    if told.access_denied:
        lost_hands(incident, told.record.action, now)
    if told.record.status in {ChangeStatus.APPLIED, ChangeStatus.ALREADY_DONE} and told.record.undo_of is not None:
        _mark_undone(incident, told.record)
    if told.record.status is ChangeStatus.APPLIED and told.record.undo_of is None:
        tasks.open_for(incident, told.record.step, now)
    if told.record.status is ChangeStatus.STALE:
        _plan_again(incident, told.record, now)
    step = incident.declaration.runbook.step(told.record.step)
    if isinstance(step, ChangeStep) and step.evidence:
        _tell_evidence(incident)


def gone(incident: Incident, workflow_id: str, now: datetime) -> None:
    """Take a change as failed whose workflow is not there any more; one that told its end stays as it ended."""
    for change in incident.changes_in_flight():
        if change.workflow_id == workflow_id:
            change.status, change.eligible = ChangeStatus.FAILED, []
            change.reason = "its workflow was ended from outside"
            ended = change.model_dump(mode="json", include={"step", "workflow_id", "status", "reason", "ours"})
            incident.record(now, "orchestrator", "change", f"{workflow_id}: failed - {change.reason}", ended)


def _ask(incident: Incident, record: ChangeRecord) -> str | None:
    """What an approver reads: the plan, what it means, and how to decide on exactly that."""
    if record.plan is None:
        return None
    decide = f"incident approve {incident.declaration.incident_id} {record.step} --digest {record.plan.digest}"
    return f"{record.plan.summary}\nImpact: {record.plan.impact}\nDecide: {decide}"


def evidence_pending(incident: Incident, step: ChangeStep) -> bool:
    """Whether a change must still wait for evidence: some of what it names has not begun to be preserved."""
    return any(not _begun(incident.latest_change(name)) for name in step.evidence_first)


def _begun(change: ChangeRecord | None) -> bool:
    return change is not None and change.status not in {
        ChangeStatus.PLANNING,
        ChangeStatus.AWAITING_APPROVAL,
        ChangeStatus.APPLYING,
    }


def _tell_evidence(incident: Incident) -> None:
    """Tell the changes that wait for evidence once it is under way."""
    waiting = []
    for change in incident.changes_in_flight():
        step = incident.declaration.runbook.step(change.step)
        if isinstance(step, ChangeStep) and step.evidence_first and not evidence_pending(incident, step):
            waiting.append(change.workflow_id)
    if waiting:
        incident.effects.append(TellChanges(workflow_ids=tuple(waiting), signal="evidence_begun", payload={}))


def preserve_evidence(incident: Incident, now: datetime) -> None:
    """Start every evidence step by itself: what would be lost cannot wait for anybody."""
    for step in incident.declaration.runbook.steps():
        if isinstance(step, ChangeStep) and step.evidence and incident.live:
            start(incident, step, step.params, "orchestrator", now)


def _mark_undone(incident: Incident, record: ChangeRecord) -> None:
    for change in incident.state.changes:
        if change.step == record.step and change.generation == record.undo_of:
            change.status = ChangeStatus.UNDONE


def _plan_again(incident: Incident, record: ChangeRecord, now: datetime) -> None:
    """Ask again after drift: nothing was applied, the same request gets a plan of what stands now."""
    step = incident.declaration.runbook.step(record.step)
    stale = [c for c in incident.state.changes if c.step == record.step][-_REPLANS:]
    if not isinstance(step, ChangeStep) or incident.ended:
        return
    if len(stale) == _REPLANS and all(change.status is ChangeStatus.STALE for change in stale):
        incident.record(now, "orchestrator", "change", f"{step.title}: stale {_REPLANS} times; ask again by hand")
        return
    undone = next((c for c in incident.state.changes if c.step == record.step and c.generation == record.undo_of), None)
    start(incident, step, record.params, record.requested_by, now, undo=undone)


def lost_hands(incident: Incident, what: str, now: datetime) -> None:
    """AWS denied us access: in a P0 that is a page of its own, once an incident."""
    if incident.state.severity != "P0" or incident.state.hands_lost:
        return
    incident.state.hands_lost = True
    skip: set[str] = set()
    chain = incident.declaration.organisation.chain
    for role in incident.state.paging.paged or incident.declaration.runbook.on_call:
        level = chain.index(role) + 1 if role in chain else 0
        incident.page_role(role, level, f"AWS denies the automation access ({what})", now, skip)
