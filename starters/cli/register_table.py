"""The breach register in a terminal."""

from collections import Counter

from activities.ledger.incidents import Unreadable
from domain.values.local_time import Clock
from reporting.register.breach_register import BEING_ASSESSED, RegisterEntry, Signed
from starters.cli import terminal

_WHY = {"phi": "declared with --phi", "type": "its type", "fact": "fact on record"}


def show(entries: list[RegisterEntry], unreadable: list[Unreadable], clock: Clock) -> None:
    """Print the register, oldest first, what could not be read below it, and how many of each decision there are."""
    if entries:
        columns = ("Incident", "Suspected", "Decision", "Statement to the regulator")
        rows = ([cell(one, clock) for cell in (_incident, _suspected, _decision, _statement)] for one in entries)
        terminal.show(terminal.table("Breach register", *columns, rows=rows, lines=True))
    if unreadable:
        terminal.show(terminal.unreadable(unreadable))
    counts = ", ".join(f"{count} {word}" for word, count in sorted(Counter(one.decision for one in entries).items()))
    terminal.show(f"In the register: {counts or 'none'}. Drills and dry runs are not in it.")


def _incident(one: RegisterEntry, clock: Clock) -> str:
    return f"{one.incident}\n{one.severity} {one.type}\n{one.status}\ndeclared {clock(one.declared_at)}"


def _suspected(one: RegisterEntry, clock: Clock) -> str:
    lines = [", ".join(_WHY[why] for why in one.suspected_by)]
    if one.suspicion_at is not None:
        lines.append(f"since {clock(one.suspicion_at)}")
    return "\n".join(lines)


def _decision(one: RegisterEntry, clock: Clock) -> str:
    lines = [one.decision]
    if one.belief_at is not None:
        lines.append(f"believed since {clock(one.belief_at)}")
    elif one.decided_at is not None:
        lines.append(f"on {clock(one.decided_at)}")
    if one.decision == BEING_ASSESSED:
        due = one.assessment_due_at
        lines.append("no time runs: no suspicion is on record" if due is None else f"time runs out {clock(due)}")
    if one.assessment_overdue:
        lines.append("assessment OVERDUE" if one.decision == BEING_ASSESSED else "assessed late")
    lines += _why(one.reason, one.reference, one.justification, one.signed_by)
    return "\n".join(lines)


def _statement(one: RegisterEntry, clock: Clock) -> str:
    statement = one.statement
    if statement is None:
        return "none begun"
    lines = [f"OVERDUE, {statement.state}" if statement.overdue else statement.state]
    if statement.state == "open" and statement.due_at is not None:
        lines.append(f"until {clock(statement.due_at)}")
    if statement.done_at is not None:
        lines.append(f"on {clock(statement.done_at)}")
    lines += _why(statement.reason, statement.reference, statement.justification, statement.signed_by)
    return "\n".join(lines)


def _why(reason: str | None, reference: str | None, justification: str | None, signed_by: list[Signed]) -> list[str]:
    said = [("reason", reason), ("reference", reference), ("late because", justification)]
    lines = [f"{name}: {text}" for name, text in said if text]
    return [*lines, *([f"signed by {', '.join(one.role for one in signed_by)}"] if signed_by else [])]
