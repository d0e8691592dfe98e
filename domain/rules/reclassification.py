"""Raising and lowering an incident's severity."""

from datetime import datetime

from domain.config.organisation import Contact
from domain.model.commands import Reclassify
from domain.model.state import Clock
from domain.rules import clock, obligation_rules
from domain.rules.incident import Incident
from domain.values.severity import Severity
from domain.values.status import Status


def may_reclassify(incident: Incident, command: Reclassify) -> str | None:
    now = incident.state.severity
    if command.severity == now:
        return f"the severity is {now} already"
    if now.above(command.severity):
        below = Severity.P1.above(command.severity)
        if below and (reason := obligation_rules.still_open(incident)):
            return f"it stays {Severity.P1} at least: {reason}"
        chain = incident.declaration.organisation.chain
        allowed = chain[1:] if now is Severity.P0 and len(chain) > 1 else chain
        who = incident.who(command.by)
        if who is None or not set(who.roles) & set(allowed):
            return f"{now} is lowered by {' or '.join(allowed)}, not by {command.by}"
    return None


def reclassify(incident: Incident, command: Reclassify, who: Contact, now: datetime) -> None:
    """Change the severity, as somebody asks."""
    change_severity(incident, command.severity, command.reason, who.id, now)


def change_severity(incident: Incident, severity: Severity, reason: str, who: str, now: datetime) -> None:
    """Change the severity: upwards the clocks count from now and an acknowledgement stands."""
    state, before = incident.state, incident.state.severity
    raised = severity.above(before)
    state.severity = severity
    if incident.is_responding():
        _move_clocks(incident, raised=raised, now=now)
    verb = "raises" if raised else "lowers"
    incident.record(
        now,
        who,
        "severity",
        f"{who} {verb} {before} to {severity}: {reason}",
        {"from": before.value, "to": severity.value, "reason": reason},
    )


def _move_clocks(incident: Incident, *, raised: bool, now: datetime) -> None:
    state = incident.state
    if raised:
        unacknowledged = state.status is Status.DECLARED
        clock.paging_from(incident, now, f"raised to {state.severity}")
        if unacknowledged:
            due = clock.extend(state.clocks["ack"].due_at, now, incident.policy.respond)
            if state.clocks["ack"].state == "running":
                state.clocks["ack"] = Clock(due_at=due)
        else:
            state.paging.next_at = None
    else:
        _lower_clocks(incident, now)
    if state.clocks["progress"].state == "running":
        state.clocks["progress"] = Clock(due_at=state.paging.base + incident.progress_due)
    if state.status is Status.ACKNOWLEDGED:
        clock.restart_update_clock(incident, now)


def _lower_clocks(incident: Incident, now: datetime) -> None:
    """Count the new severity's longer deadlines from the old base; the next re-page lies ahead."""
    paging, policy = incident.state.paging, incident.policy
    if incident.state.clocks["ack"].state == "running":
        incident.state.clocks["ack"] = Clock(due_at=paging.base + policy.respond)
    if paging.next_at is not None:
        elapsed = max((now - paging.base) // policy.repage, 0)
        paging.next_at = paging.base + (elapsed + 1) * policy.repage
