"""Raising and lowering the severity of an incident under way."""

from collections.abc import Iterator
from datetime import datetime

from domain.config.organisation import Contact, Organisation
from domain.model.commands import Reclassify
from domain.model.event_kinds import Happening
from domain.model.events import SeverityChanged
from domain.model.state import IncidentState
from domain.rules import obligation_rules
from domain.values.severity import Severity


def may_reclassify(state: IncidentState, command: Reclassify) -> str | None:
    now = state.severity
    if command.severity == now:
        return f"the severity is {now} already"
    if now.above(command.severity):
        below = Severity.P1.above(command.severity)
        if below and (reason := obligation_rules.still_open(state)):
            return f"it stays {Severity.P1} at least: {reason}"
        allowed = lowered_by(state.declaration.organisation, now)
        who = state.who(command.by)
        if who is None or not set(who.roles) & set(allowed):
            return f"{now} is lowered by {' or '.join(allowed)}, not by {command.by}"
    return None


def lowered_by(organisation: Organisation, severity: Severity) -> tuple[str, ...]:
    """The roles that may lower a severity: of P0 those above the first of the chain, where there are any."""
    chain = organisation.chain
    return chain[1:] if severity is Severity.P0 and len(chain) > 1 else chain


def reclassify(state: IncidentState, command: Reclassify, who: Contact, _now: datetime) -> Iterator[Happening]:
    """Change the severity, as somebody asks."""
    yield change_severity(state, command.severity, command.reason, who.id)


def change_severity(state: IncidentState, severity: Severity, reason: str, who: str) -> Happening:
    """Raised, the clocks count from now and an acknowledgement stands; lowered, they count from where they did."""
    return Happening(SeverityChanged(before=state.severity, after=severity, reason=reason), who)
