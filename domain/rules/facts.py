"""Points in time that people put on record, and that clocks of the law count from. What is recorded stays."""

from datetime import datetime

from domain.config.organisation import Contact
from domain.model.commands import RecordFact
from domain.model.state import FactRecord
from domain.rules import obligation_rules
from domain.rules.incident import Incident
from domain.values.timestamps import stamp


def may_record(incident: Incident, command: RecordFact) -> str | None:
    fact = incident.declaration.obligations.fact(command.fact)
    if fact is None:
        known = ", ".join(fact.id for fact in incident.declaration.obligations.facts) or "none"
        return f"there is no fact {command.fact!r}; known: {known}"
    standing = incident.fact(command.fact)
    if standing is None:
        return None
    who = incident.who(command.by)
    if fact.moved_by and (who is None or not set(who.roles) & set(fact.moved_by)):
        return f"{fact.id} stands at {stamp(standing.value)}; it is moved by {' or '.join(fact.moved_by)}"
    return None if command.reason else f"{fact.id} stands at {stamp(standing.value)}; say why it is another (reason)"


def record(incident: Incident, command: RecordFact, who: Contact, now: datetime) -> None:
    """Put a fact on record as somebody says; nothing is so before it happens, so one of the future is said as now."""
    value = now if command.at is None else min(command.at, now)
    put(incident, command.fact, value, who.id, now, command.reason)


def record_declared(incident: Incident) -> None:
    """Record what a declaration itself says: the facts of its runbook, and those of health information at stake."""
    declaration = incident.declaration
    if not incident.live:
        return
    origins = {"declared": declaration.declared_at, "aware": declaration.aware_at or declaration.declared_at}
    values = {fact.id: origins["aware"] for fact in declaration.obligations.facts if fact.with_phi and declaration.phi}
    values |= {name: origins[origin] for name, origin in declaration.runbook.facts.items()}
    for name, value in values.items():
        if declaration.obligations.fact(name) is not None:
            put(incident, name, value, declaration.declared_by, declaration.declared_at, "as declared")


def put(incident: Incident, name: str, value: datetime, by: str, now: datetime, reason: str | None) -> None:
    """Record a fact, open or move the duties that count from it, end those that it supersedes."""
    fact = incident.declaration.obligations.fact(name)
    title = fact.title if fact else name
    incident.state.facts.append(FactRecord(fact=name, title=title, value=value, by=by, at=now, reason=reason))
    text = f"{name} is {stamp(value)}: {title}" + (f" ({reason})" if reason else "")
    data = {"fact": name, "title": title, "value": stamp(value), "reason": reason}
    incident.record(now, by, "fact", text, data)
    obligation_rules.begin(incident, name, value, by, now)
