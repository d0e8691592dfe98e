"""The duties of an incident: what opens them, whom they remind, what is overdue. All instants are UTC.

A duty is a few rows of the incident's own clock, not a process of its own: the incident cannot end before it has.
"""

from datetime import datetime
from typing import Any

from domain.config.obligation import Obligation
from domain.config.organisation import Contact
from domain.config.runbook import ObligationStep
from domain.model.state import Ending, ObligationRecord
from domain.rules.incident import Incident
from domain.values.timestamps import stamp


def named(incident: Incident, record: ObligationRecord) -> Obligation:
    """What the organisation says of a duty."""
    found = incident.declaration.obligations.obligation(record.obligation)
    if found is None:
        raise LookupError(f"{record.obligation} is no obligation of this incident")
    return found


def open_ones(incident: Incident) -> list[ObligationRecord]:
    return [record for record in incident.state.obligations if record.state == "open"]


def still_open(incident: Incident) -> str | None:
    """Why an incident cannot be taken for over or harmless yet; None when no duty stands in the way."""
    steps = ", ".join(record.step for record in open_ones(incident))
    return f"obligations are open (discharge them, or sign that they are not required): {steps}" if steps else None


def begin(incident: Incident, fact: str, value: datetime, by: str, now: datetime) -> None:
    """Open every duty that counts from this fact, or move it where it has begun; end those that a fact supersedes."""
    for obligation in incident.declaration.obligations.obligations:
        if obligation.starts == fact:
            _start(incident, obligation, value, by, now)
    known = {recorded.fact for recorded in incident.state.facts}
    for record in open_ones(incident):
        if over := sorted(known & set(named(incident, record).superseded_by)):
            ending = Ending(state="superseded", by=by, done_at=now, reason=f"{over[0]} is on record")
            end(incident, record, ending, by, now)


def _start(incident: Incident, obligation: Obligation, value: datetime, by: str, now: datetime) -> None:
    due_at = value + incident.scaled(obligation.due.within)
    standing = next((r for r in incident.state.obligations if r.obligation == obligation.id), None)
    if standing is not None:
        if standing.state == "open":
            standing.started_at, standing.due_at, standing.overdue = value, due_at, False
            _tell(incident, standing, by, "moved", f"{obligation.title}: now due {stamp(due_at)}", now)
        return
    record = ObligationRecord(
        step=_step_of(incident, obligation), obligation=obligation.id, started_at=value, due_at=due_at
    )
    record.reminded = sum(
        value + incident.scaled(reminder.after) < now for reminder in obligation.ordered()
    )  # those of the past would come all at once; that it has begun is news enough
    incident.state.obligations.append(record)
    soon = "as soon as practicable, at the latest" if obligation.due.as_soon_as_practicable else "due"
    _tell(incident, record, by, "opened", f"{obligation.title}: {soon} {stamp(due_at)} ({obligation.due.source})", now)


def _step_of(incident: Incident, obligation: Obligation) -> str:
    """The name that the runbook gives it; its own where the runbook has none."""
    steps = incident.declaration.runbook.steps()
    return next((s.id for s in steps if isinstance(s, ObligationStep) and s.obligation == obligation.id), obligation.id)


def end(incident: Incident, record: ObligationRecord, ending: Ending, by: str, now: datetime) -> None:
    """End a duty for good."""
    record.state, record.ending = ending.state, ending
    why = ending.reference or ending.reason or ""
    _tell(incident, record, by, "ended", f"{named(incident, record).title}: {ending.state} ({why})", now)


def signed(incident: Incident, record: ObligationRecord, text: str, by: str, now: datetime) -> None:
    """Put a proposal or a signature on record."""
    _tell(incident, record, by, "signed", text, now)


def acknowledged(incident: Incident, who: Contact, now: datetime) -> None:
    """Discharge the duties to tell somebody who has just shown that they know."""
    for record in open_ones(incident):
        obligation = named(incident, record)
        if obligation.ends_by_acknowledgement and obligation.owner in who.roles:
            ending = Ending(state="discharged", by=who.id, done_at=now, reference=f"acknowledged by {who.id}")
            end(incident, record, ending, who.id, now)


def upcoming(incident: Incident) -> list[tuple[datetime, str]]:
    """When duties remind and fall due by themselves."""
    due = []
    for record in open_ones(incident):
        reminders = named(incident, record).ordered()
        if record.reminded < len(reminders):
            after = incident.scaled(reminders[record.reminded].after)
            due.append((record.started_at + after, f"remind of {record.step}"))
        if not record.overdue:
            due.append((record.due_at, f"{record.step} overdue"))
    return due


def fire(incident: Incident, now: datetime) -> None:
    """Send every reminder that is due, each once, and tell what is overdue."""
    for record in open_ones(incident):
        obligation = named(incident, record)
        reminders = obligation.ordered()
        while record.reminded < len(reminders):
            reminder = reminders[record.reminded]
            if record.started_at + incident.scaled(reminder.after) > now:
                break
            record.reminded += 1
            incident.remind(record.step, reminder.to, _ask(incident, record), obligation.title, now)
        if not record.overdue and record.due_at <= now:
            record.overdue = True
            _tell(incident, record, "orchestrator", "overdue", f"Deadline missed: {obligation.title}", now)
            people = (obligation.owner, *obligation.signers)
            incident.remind(record.step, people, _ask(incident, record), f"OVERDUE: {obligation.title}", now)


def _ask(incident: Incident, record: ObligationRecord) -> str:
    obligation, incident_id = named(incident, record), incident.declaration.incident_id
    return (
        f"{obligation.source}. Due {stamp(record.due_at)} ({obligation.due.basis}: {obligation.due.source}).\n"
        f"Look: incident obligations {incident_id}\n"
        f"Done: incident obligation discharge {incident_id} {record.step} --reference RECEIPT"
    )


def told(incident: Incident, record: ObligationRecord) -> dict[str, Any]:
    """Everything about a duty as it stands, as JSON values."""
    obligation, ending = named(incident, record), record.ending
    ceiling = obligation.due.as_soon_as_practicable
    basis = f"{obligation.due.basis}: {obligation.due.source}"
    return {
        "step": record.step,
        "obligation": obligation.id,
        "title": obligation.title,
        "state": record.state,
        "basis": obligation.basis,
        "source": obligation.source,
        "owner": obligation.owner,
        "signers": list(obligation.signers),
        "started_at": stamp(record.started_at),
        "due_at": None if ceiling else stamp(record.due_at),
        "due_basis": None if ceiling else basis,
        "ceiling_at": stamp(record.due_at) if ceiling else None,
        "ceiling_basis": basis if ceiling else None,
        "overdue": record.overdue,
        "reference": ending.reference if ending else None,
        "outcome": ending.outcome if ending else None,
        "reason": ending.reason if ending else None,
        "justification": ending.justification if ending else None,
        "done_at": stamp(ending.done_at) if ending else None,
        "signatures": [
            {"by": s.by, "role": s.role, "at": stamp(s.at), "verified": s.verified} for s in record.signatures
        ],
    }


def _tell(incident: Incident, record: ObligationRecord, by: str, event: str, text: str, now: datetime) -> None:
    incident.record(now, by, "obligation", text, {"event": event, **told(incident, record)})
