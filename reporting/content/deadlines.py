"""How deadlines and duties were kept, as blocks."""

from collections.abc import Iterator
from datetime import timedelta

from domain.model.duty_records import ObligationRecord
from domain.model.records import Clock as Run
from domain.model.state import IncidentState
from domain.rules.obligation_rules import definition
from domain.values.durations import spoken
from domain.values.local_time import Clock
from reporting.content.blocks import Block, Heading, Table

_TIMES = ("Time to acknowledge (for MTTA)", "Time to mitigate", "Time to resolve (for MTTR)")
_NAMES = {"ack": "acknowledge", "progress": "mitigate", "update": "update stakeholders"}


OF_THE_RESPONSE = frozenset(_NAMES)
"""The clocks that nobody waits for any more once the incident is resolved."""


def name_of(clock: str) -> str:
    """What a clock waits for, in words: the response itself, an approval, else a phase of the runbook."""
    if clock.startswith("approval:"):
        return f"approve {clock.removeprefix('approval:')}"
    return _NAMES.get(clock, f"phase {clock}")


def after_declaration(state: IncidentState) -> dict[str, timedelta | None]:
    """How long it took until it was first acknowledged, mitigated, resolved and closed; None where it is not."""
    moments = {
        "acknowledged": state.first_acknowledged_at,
        "mitigated": state.mitigated_at,
        "resolved": state.resolved_at,
        "closed": state.closed_at,
    }
    return {name: None if at is None else at - state.declared_at for name, at in moments.items()}


def performance(state: IncidentState, clock: Clock) -> Iterator[Block]:
    """Each deadline: when it was due, whether it was met, and by how much it was missed."""
    yield Heading(2, "Service levels")
    rows = [
        [name, "not yet" if took is None else spoken(took)]
        for name, took in zip(_TIMES, after_declaration(state).values(), strict=False)
    ]
    yield Table(["From the declaration", "Took"], rows)
    if not state.clocks:
        yield "There were no deadlines."
        return
    kept = sum(run.times - (run.state not in {"met", "breached"}) for run in state.clocks)
    met = kept - sum(run.state == "breached" for run in state.clocks)
    if kept:
        yield f"{met} of the {kept} deadlines that came to an end were met."
    rows = [
        [_named(run), clock(run.started_at), clock(run.due_at), run.state, clock(run.ended_at), _by(run)]
        for run in state.clocks
    ]
    marks = {n: "bad" for n, run in enumerate(state.clocks) if run.state == "breached"}
    yield Table(["Deadline", "From", "Due", "State", "Done", "By how much"], rows, marks)


def _named(run: Run) -> str:
    return name_of(run.name) + (f" ({run.times} times)" if run.times > 1 else "")


def _by(run: Run) -> str:
    if run.late is not None:
        return f"{spoken(run.late)} late"
    if run.state == "breached":
        return "not done"
    if run.state == "met" and run.ended_at is not None and run.ended_at <= run.due_at:
        return f"{spoken(run.due_at - run.ended_at)} to spare"
    return ""


def obligations(state: IncidentState, clock: Clock) -> Iterator[Block]:
    """Duties to notify, whether they were kept in time, and the facts that they count from."""
    if not state.obligations and not state.facts:
        return
    yield Heading(2, "Obligations and facts")
    if facts := state.standing_facts():
        rows = [[f.title, clock(f.value), f.by, clock(f.at), f.reason or ""] for f in facts]
        yield Table(["Fact", "Instant", "Recorded by", "Recorded at", "Why"], rows)
    if not state.obligations:
        return
    yield Table(
        ["Obligation", "State", "Due", "Done", "In time", "Reference or reason"],
        [_row(state, duty, clock) for duty in state.obligations],
        {n: "bad" for n, duty in enumerate(state.obligations) if duty.missed},
    )
    titles = {duty.step: definition(state, duty).title for duty in state.obligations}
    signed = [[titles[d.step], s.by, s.role, clock(s.at)] for d in state.obligations for s in d.signatures]
    if signed:
        yield Table(["Obligation", "Signed by", "As", "At"], signed)


def _row(state: IncidentState, duty: ObligationRecord, clock: Clock) -> list[str]:
    defined, proposed = definition(state, duty), duty.ending
    why: list[str | None] = []
    if proposed is not None:
        justified = proposed.justification and f"justified: {proposed.justification}"
        why = [proposed.reference, proposed.outcome, proposed.reason, justified]
    soon = "as soon as practicable, at the latest " if defined.due.as_soon_as_practicable else ""
    return [
        f"{defined.title} ({defined.basis}, {defined.source}); {defined.owner}",
        duty.state,
        f"{soon}{clock(duty.due_at)} ({defined.due.basis}: {defined.due.source})",
        clock(duty.ended.done_at) if duty.ended else "",
        _in_time(duty),
        "; ".join(text for text in why if text),
    ]


def _in_time(duty: ObligationRecord) -> str:
    if duty.missed:
        return "no, not done yet" if duty.late is None else f"no, {spoken(duty.late)} late"
    return "yes" if duty.state == "discharged" else ""
