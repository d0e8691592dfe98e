"""The duties of an incident: what opens them, whom they remind, what is overdue. All instants are UTC.

A duty is a few rows of the incident's own clock, not a process of its own: the incident cannot end before it has.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from domain.config.obligation import Obligation
from domain.config.organisation import Contact
from domain.config.runbook import ObligationStep
from domain.model.duty_records import Ending, ObligationRecord
from domain.model.event_kinds import Happening
from domain.model.events import ORCHESTRATOR
from domain.model.state import IncidentState
from domain.model.work_events import DutyOverdue, DutySigned, DutyStarted
from domain.rules import paging
from domain.values.timestamps import stamp


def definition(state: IncidentState, record: ObligationRecord) -> Obligation:
    """What the organisation says of a duty."""
    found = state.declaration.obligations.obligation(record.obligation)
    if found is None:
        raise LookupError(f"{record.obligation} is no obligation of this incident")
    return found


def still_open(state: IncidentState) -> str | None:
    """Why an incident cannot be taken for over or harmless yet; None when no duty stands in the way."""
    steps = ", ".join(record.step for record in state.open_obligations())
    return f"obligations are open (discharge them, or sign that they are not required): {steps}" if steps else None


def begin(state: IncidentState, fact: str, value: datetime, by: str, now: datetime) -> Iterator[Happening]:
    """Open every duty that counts from this fact, or move it where it has begun; end those that a fact supersedes."""
    for obligation in state.declaration.obligations.obligations:
        if obligation.starts == fact:
            yield from _start(state, obligation, value, by, now)
    known = {recorded.fact for recorded in state.facts}
    for record in state.open_obligations():
        if over := sorted(known & set(definition(state, record).superseded_by)):
            yield ended(state, record, superseding(over[0], by, now), by)


def superseding(fact: str, by: str, now: datetime) -> Ending:
    """The end of a duty in whose place a fact puts another."""
    return Ending(state="superseded", by=by, done_at=now, reason=f"{fact} is on record")


def told(who: str, now: datetime) -> Ending:
    """The end of a duty to inform somebody who has just shown that they know."""
    return Ending(state="discharged", by=who, done_at=now, reference=f"acknowledged by {who}")


def _start(
    state: IncidentState, obligation: Obligation, value: datetime, by: str, now: datetime
) -> Iterator[Happening]:
    standing = state.duty(obligation.id)
    if standing is not None and standing.state != "open":
        return
    # the reminders of the past would come all at once; that the duty has begun is news enough
    past = sum(value + state.scaled(reminder.after) < now for reminder in obligation.ordered())
    started = DutyStarted(
        step=_step_of(state, obligation),
        title=obligation.title,
        obligation=obligation.id,
        started_at=value,
        due_at=value + state.scaled(obligation.due.within),
        moved=standing is not None,
        reminded=past,
        source=obligation.due.source,
        as_soon_as_practicable=obligation.due.as_soon_as_practicable,
    )
    yield Happening(started, by)


def _step_of(state: IncidentState, obligation: Obligation) -> str:
    """The name that the runbook gives it; its own where the runbook has none."""
    steps = state.declaration.runbook.steps()
    return next((s.id for s in steps if isinstance(s, ObligationStep) and s.obligation == obligation.id), obligation.id)


def ended(state: IncidentState, record: ObligationRecord, ending: Ending, by: str) -> Happening:
    """End a duty for good, with the signatures that it has."""
    title = definition(state, record).title
    return Happening(DutySigned(step=record.step, title=title, ending=ending, signatures=record.signatures), by)


def acknowledged(state: IncidentState, who: Contact, now: datetime) -> Iterator[Happening]:
    """Discharge the duties to inform somebody who has just shown that they know."""
    for record in state.open_obligations():
        obligation = definition(state, record)
        if obligation.ends_by_acknowledgement and obligation.owner in who.roles:
            yield ended(state, record, told(who.id, now), who.id)


def upcoming(state: IncidentState) -> list[tuple[datetime, str]]:
    """When duties remind and fall due by themselves."""
    due = []
    for record in state.open_obligations():
        reminders = definition(state, record).ordered()
        if record.reminded < len(reminders):
            after = state.scaled(reminders[record.reminded].after)
            due.append((record.started_at + after, f"remind of {record.step}"))
        if not record.overdue:
            due.append((record.due_at, f"{record.step} overdue"))
    return due


def remind(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Send every reminder that is due, each once, and say what is overdue."""
    for record in state.open_obligations():
        obligation = definition(state, record)
        for nth, reminder in enumerate(obligation.ordered(), start=1):
            at = record.started_at + state.scaled(reminder.after)
            if nth > record.reminded and at <= now:
                yield paging.remind(state, record.step, reminder.to, obligation.title, at, nth)
        if not record.overdue and record.due_at <= now:
            cause = paging.deadline(f"{record.step} overdue", record.due_at)
            yield Happening(DutyOverdue(step=record.step, title=obligation.title), ORCHESTRATOR, cause=cause)
            people = (obligation.owner, *obligation.signers)
            yield paging.remind(state, record.step, people, f"OVERDUE: {obligation.title}", record.due_at)


def ask(state: IncidentState, record: ObligationRecord) -> str:
    """What a reminder asks of its reader."""
    obligation = definition(state, record)
    return (
        f"{obligation.source}. Due {stamp(record.due_at)} ({obligation.due.basis}: {obligation.due.source}).\n"
        f"Look: incident obligations {state.id}\n"
        f"Done: incident obligation discharge {state.id} {record.step} --reference RECEIPT"
    )


_KEPT: Any = {"ending": True, "reminded": True, "signatures": {"__all__": {"command", "given", "proof"}}}
"""What stands elsewhere, or is for whoever checks a signature: nobody reads it."""


def document(state: IncidentState, record: ObligationRecord) -> dict[str, Any]:
    """A duty as it stands, as JSON values; `due_at` is its deadline, the law's own or the ceiling under it."""
    obligation, ending = definition(state, record), record.ending
    due, basis = stamp(record.due_at), f"{obligation.due.basis}: {obligation.due.source}"
    ceiling = obligation.due.as_soon_as_practicable
    told = ending.model_dump(mode="json") if ending else dict.fromkeys(Ending.model_fields)
    return {
        **{name: value for name, value in told.items() if name not in {"state", "by"}},
        **obligation.model_dump(mode="json", include={"title", "basis", "source", "owner", "signers"}),
        **record.model_dump(mode="json", exclude=_KEPT),
        "proposal": ending.model_dump(mode="json") if ending and record.state == "open" else None,
        "due_at": due,
        "due_basis": None if ceiling else basis,
        "ceiling_at": due if ceiling else None,
        "ceiling_basis": basis if ceiling else None,
    }
