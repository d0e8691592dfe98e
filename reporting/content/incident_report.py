"""What a report of an incident says, in the order in which it is read."""

from collections.abc import Iterator

from domain.audit import evidence
from domain.model.declaration import Declaration
from domain.model.finding import FindingStatus
from domain.model.state import IncidentState
from domain.model.timeline import Entry, Timeline
from domain.rules.approving import role_of, unsigned
from domain.rules.document import document
from domain.values.durations import spoken
from domain.values.local_time import Clock
from reporting.content import deadlines, response, work
from reporting.content.blocks import Block, Figure, Heading, Items, Table
from reporting.content.stand_ins import stand_ins
from reporting.picture.incident_picture import picture


def facts(state: IncidentState, entries: list[Entry]) -> dict[str, object]:
    """The report as a document: the incident, how long each step took, the record and whether it is whole."""
    history = state.model_dump(mode="json", include={"first_acknowledged_at", "statuses", "severities"})
    shown = document(state)
    for change, record in zip(shown["changes"], state.changes, strict=True):
        if record.plan is not None:
            change["plan"]["words"] = record.plan.words
    incident = {
        **shown,
        **history,
        "deadlines": [clock.model_dump(mode="json") for clock in state.clocks],
        "notes": [_said(entry) for entry in entries if entry.kind == "note"],
        "refused": [_said(entry) for entry in entries if entry.kind == "refused"],
        "custody": evidence.custody(entries),
    }
    took = deadlines.after_declaration(state)
    return {
        "incident": incident,
        "seconds_to": {name: None if one is None else one.total_seconds() for name, one in took.items()},
        "record": {"entries": len(entries), "head": entries[-1].hash, "first_broken": _first_broken(entries)},
        "timeline": [entry.model_dump(mode="json") for entry in entries],
    }


def _said(entry: Entry) -> dict[str, object]:
    return entry.model_dump(mode="json", include={"at", "actor", "text"})


def blocks(state: IncidentState, entries: list[Entry], clock: Clock) -> Iterator[Block]:
    """The whole report."""
    yield Heading(1, f"{state.id}: {state.title}")
    yield from _summary(state, clock)
    yield Figure(picture(state, entries, clock), "Everything that this picture shows stands in the tables below.")
    yield from _impact(state)
    yield from response.findings(state, clock)
    yield from response.changes(state, clock)
    yield from response.decisions(entries, clock)
    yield from stand_ins(state, clock)
    yield from deadlines.performance(state, clock)
    yield from deadlines.obligations(state, clock)
    yield from work.lessons(state, entries, clock)
    yield from work.checklist(state, clock)
    yield from response.pages(state, clock)
    yield from response.notices(state, clock)
    yield from _timeline(entries, clock)
    yield from work.custody(entries, clock)
    yield from _record(state, entries)


def _summary(state: IncidentState, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Summary")
    where, mode = state.declaration.environment.name, state.declaration.mode
    yield (
        f"{state.severity} incident of type {state.type} in {where} ({mode}), {state.status}. "
        f"Commander: {state.commander or 'nobody'}{_offered(state, clock)}."
    )
    if state.declaration.description:
        yield state.declaration.description
    yield f"Times are those of {clock.name}, each with its offset from UTC, except where a text names a zone itself."
    rows = [["Declared", clock(state.declared_at), f"by {state.declaration.declared_by}"]]
    moments = {name: getattr(state, f"{name}_at") for name in ("acknowledged", "mitigated", "resolved", "closed")}
    rows += [[name.capitalize(), clock(at), spoken(at - state.declared_at)] for name, at in moments.items() if at]
    yield Table(["Moment", "At", "After the declaration"], rows)
    yield " ".join(_counts(state, clock))


def _offered(state: IncidentState, clock: Clock) -> str:
    """To whom command is offered, where it is and nobody has taken it yet."""
    offer = state.hand_over
    return "" if offer is None else f", who offers command to {offer.to} until {clock(offer.until)}"


def _counts(state: IncidentState, clock: Clock) -> Iterator[str]:
    yield "1 page was sent." if len(state.pages) == 1 else f"{len(state.pages)} pages were sent."
    if state.alerts > 1:
        yield f"{state.alerts} alerts came in under its key."
    if state.reopened:
        yield "It was reopened once." if state.reopened == 1 else f"It was reopened {state.reopened} times."
    for link in (link for link in state.links if link.incident):
        yield f"{link.incident} ({link.type}) was opened because of {link.because}."
    declaration, book = state.declaration, state.declaration.runbook
    if declaration.opened_by:
        yield f"It was opened by {declaration.opened_by}, whose awareness counts: {clock(declaration.aware_at)}."
    reviewed = f", reviewed by {book.approved.by}" if book.approved else ""
    approved = "".join(_approved(declaration, clock))
    yield f"Runbook {book.id}, version {book.version}{reviewed}{approved}, digest {declaration.runbook_digest}."


def _approved(declaration: Declaration, clock: Clock) -> Iterator[str]:
    """Who had signed the runbook's version when it was declared; and in production whose signature it lacked."""
    signed = declaration.approved_by
    if signed:
        yield ", approved by " + " and by ".join(
            f"{one.claim.by} ({role_of(one, declaration.organisation)}) on {clock(one.claim.at)[:10]}" for one in signed
        )
    if declaration.environment.kind == "production" and (left := unsigned(signed, declaration.organisation)):
        yield f", without the signature of {' and '.join(left)}"


def _health(state: IncidentState) -> str:
    if state.declaration.phi:
        return "suspected to be affected"
    if state.facts:
        return "not named in the declaration; what was suspected or believed since stands under “Obligations and facts”"
    return "not named in the declaration"


def _impact(state: IncidentState) -> Iterator[Block]:
    yield Heading(2, "Impact")
    yield f"{_lasted(state)} Severity: {' → '.join(step.to for step in state.severities)}."
    yield f"Sensitive information: {_health(state)}."
    suspect = [f for f in state.findings if f.status is FindingStatus.SUSPECT]
    if suspect:
        yield "What was found to be wrong:"
        yield Items([f"{finding.title or finding.step}: {finding.summary}" for finding in suspect])
    reasons = [step for step in state.statuses if step.reason]
    if reasons:
        yield "What was said of it:"
        yield Items([f"{step.to}, by {step.by}: {step.reason}" for step in reasons])


def _lasted(state: IncidentState) -> str:
    ends = ((state.mitigated_at, "mitigation"), (state.closed_at, "end"))
    at, until = next(((at, what) for at, what in ends if at is not None), (None, ""))
    if at is None:
        return "It is not mitigated yet."
    return f"It lasted for {spoken(at - state.declared_at)}, from the declaration to the {until}."


def _timeline(entries: list[Entry], clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Timeline")
    yield Table(
        ["Number", "At", "Who", "Kind", "What"],
        [[str(e.seq), clock(e.at), e.actor, e.kind, clock.in_text(e.text)] for e in entries],
    )


def _record(state: IncidentState, entries: list[Entry]) -> Iterator[Block]:
    yield Heading(2, "The record")
    broken = _first_broken(entries)
    whole = "follows from the one before it" if broken is None else f"does NOT follow at number {broken}"
    yield f"{len(entries)} entries; each {whole} by SHA-256. Head: {entries[-1].hash}."
    yield f"To check that they are what was written, and that they are signed: incident audit verify {state.id}"


def _first_broken(entries: list[Entry]) -> int | None:
    return Timeline(entries=entries).first_broken()
