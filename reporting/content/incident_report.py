"""What a report of an incident says, in the order in which it is read."""

from collections.abc import Iterator
from datetime import datetime

from domain.model.finding import FindingStatus
from domain.model.timeline import Entry, Timeline
from domain.rules.account import Account
from domain.values.durations import spoken
from domain.values.local_time import Clock
from reporting.content import deadlines, response, work
from reporting.content.blocks import Block, Figure, Heading, Items, Table
from reporting.picture.incident_picture import picture

_MOMENTS = ("acknowledged_at", "mitigated_at", "resolved_at", "closed_at")


def facts(account: Account, entries: list[Entry]) -> dict[str, object]:
    """The report as a document: the incident, how long each step took, the record and whether it is whole."""
    incident = account.model_dump(mode="json", by_alias=True)
    incident["clocks"] = [clock.model_dump(mode="json", exclude={"dropped"}) for clock in account.clocks()]
    took = {name.removesuffix("_at"): getattr(account, name) for name in _MOMENTS}
    took["acknowledged"] = account.first_acknowledged_at
    return {
        "incident": incident,
        "seconds_to": {name: at and (at - account.declared_at).total_seconds() for name, at in took.items()},
        "record": {"entries": len(entries), "head": entries[-1].hash, "first_broken": _first_broken(entries)},
        "timeline": [entry.model_dump(mode="json") for entry in entries],
    }


def blocks(account: Account, entries: list[Entry], clock: Clock) -> Iterator[Block]:
    """The whole report."""
    yield Heading(1, f"{account.id}: {account.title}")
    yield from _summary(account, clock)
    yield Figure(picture(account, entries, clock), "Everything that this picture shows stands in the tables below.")
    yield from _impact(account)
    yield from response.findings(account, clock)
    yield from response.changes(account, clock)
    yield from response.decisions(account, entries, clock)
    yield from deadlines.performance(account, clock)
    yield from deadlines.obligations(account, clock)
    yield from work.lessons(account, clock)
    yield from work.checklist(account, clock)
    yield from response.pages(account, clock)
    yield from response.notices(account, clock)
    yield from _timeline(entries, clock)
    yield from work.custody(account, entries, clock)
    yield from _record(account, entries)


def _summary(account: Account, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Summary")
    yield (
        f"{account.severity} incident of type {account.type} in {account.environment} ({account.mode}), "
        f"{account.status}. Commander: {account.commander or 'nobody'}."
    )
    if account.description:
        yield account.description
    yield f"Times are those of {clock.name}, each with its offset from UTC, but where a text names a zone itself."
    moments: list[tuple[str, datetime | None]] = [
        (moment.removesuffix("_at").capitalize(), getattr(account, moment)) for moment in _MOMENTS
    ]
    rows = [["Declared", clock(account.declared_at), f"by {account.declared_by}"]]
    rows += [[name, clock(at), spoken(at - account.declared_at)] for name, at in moments if at is not None]
    yield Table(["Moment", "At", "After the declaration"], rows)
    yield " ".join(_counts(account, clock))


def _counts(account: Account, clock: Clock) -> Iterator[str]:
    yield "1 page was sent." if len(account.pages) == 1 else f"{len(account.pages)} pages were sent."
    if account.alerts > 1:
        yield f"{account.alerts} alerts came in under its key."
    if account.reopened:
        yield "It was reopened once." if account.reopened == 1 else f"It was reopened {account.reopened} times."
    for link in account.links:
        yield f"{link.incident} ({link.type}) was opened because of {link.because}."
    if account.opened_by:
        yield f"It was opened by {account.opened_by}, whose awareness counts: {clock(account.aware_at)}."
    book = account.runbook
    yield f"Runbook {book['id']}, version {book['version']}, digest {book['digest']}."


def _health(account: Account) -> str:
    if account.phi:
        return "suspected to be affected"
    if account.facts:
        return "not named in the declaration; what was suspected or believed since stands under “Obligations and facts”"
    return "not named in the declaration"


def _impact(account: Account) -> Iterator[Block]:
    yield Heading(2, "Impact")
    yield f"{_lasted(account)} Severity: {' → '.join(step.to for step in account.severities)}."
    yield f"Sensitive information: {_health(account)}."
    suspect = [f for f in account.findings if f.status is FindingStatus.SUSPECT]
    if suspect:
        yield "What was found to be wrong:"
        yield Items([f"{finding.title or finding.step}: {finding.summary}" for finding in suspect])
    told = [step for step in account.statuses if step.reason]
    if told:
        yield "What was said of it:"
        yield Items([f"{step.to}, by {step.by}: {step.reason}" for step in told])


def _lasted(account: Account) -> str:
    ends = ((account.mitigated_at, "mitigation"), (account.closed_at, "end"))
    at, until = next(((at, what) for at, what in ends if at is not None), (None, ""))
    if at is None:
        return "It is not mitigated yet."
    return f"It lasted for {spoken(at - account.declared_at)}, from the declaration to the {until}."


def _timeline(entries: list[Entry], clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Timeline")
    yield Table(
        ["Number", "At", "Who", "Kind", "What"],
        [[str(e.seq), clock(e.at), e.actor, e.kind, clock.in_text(e.text)] for e in entries],
    )


def _record(account: Account, entries: list[Entry]) -> Iterator[Block]:
    yield Heading(2, "The record")
    broken = _first_broken(entries)
    whole = "follows from the one before it" if broken is None else f"does NOT follow at number {broken}"
    yield f"{len(entries)} entries; each {whole} by SHA-256. Head: {entries[-1].hash}."
    yield f"Whether they are what was written, and signed, says: incident audit verify {account.id}"


def _first_broken(entries: list[Entry]) -> int | None:
    return Timeline(entries=entries).first_broken()
