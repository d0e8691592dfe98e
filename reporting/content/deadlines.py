"""How deadlines and duties were kept, as blocks."""

from collections.abc import Iterator
from datetime import datetime

from domain.rules.account import Account, Deadline
from domain.rules.account_duties import Obligation
from domain.values.durations import spoken
from domain.values.local_time import Clock
from reporting.content.blocks import Block, Heading, Table

_NAMES = {"ack": "acknowledge", "progress": "mitigate", "update": "update stakeholders"}


OF_THE_RESPONSE = frozenset(_NAMES)
"""The clocks that nobody waits for any more once the incident is resolved."""


def name_of(clock: str) -> str:
    """What a clock waits for, in words: the response itself, an approval, else a phase of the runbook."""
    if clock.startswith("approval:"):
        return f"approve {clock.removeprefix('approval:')}"
    return _NAMES.get(clock, f"phase {clock}")


def performance(account: Account, clock: Clock) -> Iterator[Block]:
    """Each deadline: when it was due, whether it was met, and by how much it was missed."""
    yield Heading(2, "Service levels")
    moments: list[tuple[str, datetime | None]] = [
        ("Time to acknowledge (for MTTA)", account.first_acknowledged_at),
        ("Time to mitigate", account.mitigated_at),
        ("Time to resolve (for MTTR)", account.resolved_at),
    ]
    yield Table(
        ["From the declaration", "Took"],
        [[name, "not yet" if at is None else spoken(at - account.declared_at)] for name, at in moments],
    )
    if not account.deadlines:
        yield "There were no deadlines."
        return
    kept = [run for run in account.deadlines if run.state in {"met", "breached"}]
    met = sum(run.state == "met" for run in kept)
    if kept:
        yield f"{met} of the {len(kept)} deadlines that came to an end were met."
    rows = [
        [name_of(run.name), clock(run.started_at), clock(run.due_at), run.state, clock(run.ended_at), _by(run)]
        for run in account.deadlines
    ]
    marks = {n: "bad" for n, run in enumerate(account.deadlines) if run.state == "breached"}
    yield Table(["Deadline", "From", "Due", "State", "Done", "By how much"], rows, marks)


def _by(run: Deadline) -> str:
    if run.late is not None:
        return f"{spoken(run.late)} late"
    if run.state == "breached":
        return "not done"
    if run.state == "met" and run.ended_at is not None and run.ended_at <= run.due_at:
        return f"{spoken(run.due_at - run.ended_at)} to spare"
    return ""


def obligations(account: Account, clock: Clock) -> Iterator[Block]:
    """Duties to notify, whether they were kept in time, and the facts that they count from."""
    if not account.obligations and not account.facts:
        return
    yield Heading(2, "Obligations and facts")
    if account.facts:
        rows = [[f.title, clock(f.value), f.by, clock(f.at), f.reason or ""] for f in account.facts]
        yield Table(["Fact", "Instant", "Recorded by", "Recorded at", "Why"], rows)
    if not account.obligations:
        return
    yield Table(
        ["Obligation", "State", "Due", "Done", "In time", "Reference or reason"],
        [_row(duty, clock) for duty in account.obligations],
        {n: "bad" for n, duty in enumerate(account.obligations) if duty.overdue},
    )
    signed = [[d.title, s.by, s.role, clock(s.at)] for d in account.obligations for s in d.signatures]
    if signed:
        yield Table(["Obligation", "Signed by", "As", "At"], signed)


def _row(duty: Obligation, clock: Clock) -> list[str]:
    basis = ", ".join(text for text in (duty.basis, duty.source) if text)
    why = [duty.reference, duty.outcome, duty.reason, duty.justification and f"justified: {duty.justification}"]
    soon = "as soon as practicable, at the latest " if duty.ceiling_at and not duty.due_at else ""
    set_by = duty.due_basis or duty.ceiling_basis
    return [
        f"{duty.title} ({basis}); {duty.owner}" if basis else duty.title,
        duty.state,
        soon + clock(duty.deadline) + (f" ({set_by})" if set_by else ""),
        "" if duty.state == "open" else clock(duty.done_at),
        _in_time(duty),
        "; ".join(text for text in why if text),
    ]


def _in_time(duty: Obligation) -> str:
    if duty.overdue:
        return "no, not done yet" if duty.late is None else f"no, {spoken(duty.late)} late"
    return "yes" if duty.state == "discharged" else ""
