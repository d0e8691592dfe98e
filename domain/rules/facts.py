"""Points in time that people put on record, and that clocks of the law count from. What is recorded stays."""

from collections.abc import Iterator
from datetime import datetime

from domain.config.organisation import Contact
from domain.model.commands import RecordFact
from domain.model.declaration import Declaration
from domain.model.event_kinds import Happening
from domain.model.state import IncidentState
from domain.model.work_events import FactRecorded
from domain.rules import confirming, obligation_rules
from domain.values.timestamps import stamp


def may_record(state: IncidentState, command: RecordFact) -> str | None:
    fact = state.declaration.obligations.fact(command.fact)
    if fact is None:
        known = ", ".join(fact.id for fact in state.declaration.obligations.facts) or "none"
        return f"there is no fact {command.fact!r}; known: {known}"
    if (doubt := confirming.unusual(state, f"{command.fact} at", command.at)) is not None:
        return doubt
    standing = state.fact(command.fact)
    if standing is None:
        return None
    who = state.who(command.by)
    if fact.moved_by and (who is None or not set(who.roles) & set(fact.moved_by)):
        return f"{fact.id} stands at {stamp(standing.value)}; it is moved by {' or '.join(fact.moved_by)}"
    return None if command.reason else f"{fact.id} stands at {stamp(standing.value)}; say why it is another (reason)"


def record(state: IncidentState, command: RecordFact, who: Contact, now: datetime) -> Iterator[Happening]:
    """Put a fact on record as somebody says. No fact lies in the future: a later instant is taken as now."""
    value = now if command.at is None else min(command.at, now)
    yield from _put(state, command.fact, value, who.id, now, command.reason)


def as_declared(state: IncidentState) -> Iterator[Happening]:
    """What a declaration itself says: the facts of its runbook, and those of health information at stake."""
    declaration = state.declaration
    if not state.live:
        return
    for name, value in declared(declaration).items():
        yield from _put(state, name, value, declaration.declared_by, declaration.declared_at, "as declared")


def declared(declaration: Declaration) -> dict[str, datetime]:
    """The facts that a declaration itself says, with when they were so (UTC)."""
    origins = {"declared": declaration.declared_at, "aware": declaration.aware_at or declaration.declared_at}
    values = {fact.id: origins["aware"] for fact in declaration.obligations.facts if fact.with_phi and declaration.phi}
    values |= {name: origins[origin] for name, origin in declaration.runbook.facts.items()}
    return {name: value for name, value in values.items() if declaration.obligations.fact(name) is not None}


def _put(
    state: IncidentState, name: str, value: datetime, by: str, now: datetime, reason: str | None
) -> Iterator[Happening]:
    """Record a fact, open or move the duties that count from it, end those that it supersedes."""
    fact = state.declaration.obligations.fact(name)
    yield Happening(FactRecorded(fact=name, title=fact.title if fact else name, value=value, reason=reason), by)
    yield from obligation_rules.begin(state, name, value, by, now)
