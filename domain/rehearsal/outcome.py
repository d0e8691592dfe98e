"""What an incident came to, item by item, so that two accounts of one can be compared by when things were due."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import zip_longest
from typing import NamedTuple

from domain.model.change_events import ApprovalAsked, ElectorateChanged
from domain.model.event_kinds import event_of
from domain.model.events import Event, PageAsked, Refused, Reminded
from domain.model.records import ChangeRecord
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.model.work_events import LinkAsked, NoticeMoved, Suggested
from domain.rehearsal.given import deadline
from domain.rules import change_requests, findings, obligation_rules
from domain.values.timestamps import stamp

Told = dict[str, list[str]]
"""What is told about each thing, in order."""

_KINDS = frozenset({"page", "reminder", "notice", "approval-asked", "electorate", "refused", "suggestion", "linking"})

_REFUSAL = "refusal of "


class Difference(NamedTuple):
    """One thing that would be otherwise; None is nothing."""

    what: str
    was: str | None
    would_be: str | None


def told(entries: Iterable[Entry], state: IncidentState) -> Told:
    """Everything about an incident that people and the law notice."""
    found: Told = {}
    for what, value in (*_happened(entries), *_standing(state)):
        found.setdefault(what, []).append(value)
    return found


def differences(was: Told, would_be: Told) -> list[Difference]:
    """What is in one of the two alone. Of one thing, what went and what came are set against each other in order."""
    found = []
    for what in dict.fromkeys((*was, *would_be)):
        before, after = was.get(what, []), would_be.get(what, [])
        if before == after:
            continue
        pairs = zip_longest(_without(what, before, after), _without(what, after, before))
        found += [Difference(what, old, new) for old, new in pairs]
    return found


def _without(what: str, ones: list[str], others: list[str]) -> list[str]:
    left, kept = Counter(_compared(what, other) for other in others), []
    for one in ones:
        if left[_compared(what, one)]:
            left[_compared(what, one)] -= 1
        else:
            kept.append(one)
    return kept


def _compared(what: str, value: str) -> str:
    """What counts of a value: that something was refused, and when; how the refusal is worded does not."""
    return value.partition(": ")[0] if what.startswith(_REFUSAL) else value


def _happened(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """What happened, dated by when it was due; what followed is dated as what it followed."""
    due: datetime | None = None
    for entry in entries:
        if due is None or "entry" not in entry.cause:
            due = deadline(entry) or entry.at
        if entry.kind in _KINDS and (event := event_of(entry)) is not None:
            yield from _of(event, entry.actor, stamp(due))


def _of(event: Event, actor: str, due: str) -> Iterator[tuple[str, str]]:
    match event:
        case PageAsked():
            yield f"page of {event.to} as {event.role}", f"{due}, level {event.level}: {event.reason}"
        case Reminded():
            for one in event.to:
                yield f"reminder of {one.to} as {one.role}", f"{due}: {event.subject}"
        case NoticeMoved(status="sending" | "skipped"):
            yield f"notice {event.step}", f"{event.status} {due}" + (f": {event.reason}" if event.reason else "")
        case ApprovalAsked():
            who = f"{event.quorum} of {', '.join(event.eligible)} ({', '.join(event.voters)})"
            yield f"approval of {_short(event.workflow_id)}", f"asked {due}: {who}, until {stamp(event.until)}"
        case ElectorateChanged():
            who = ", ".join(event.eligible)
            yield f"approval of {_short(event.workflow_id)}", f"under another commander: {who}"
        case Refused():
            yield f"{_REFUSAL}{event.command} by {actor}", f"{due}: {event.reason}"
        case Suggested():
            yield f"suggestion of {event.step}", f"because of {event.because}"
        case LinkAsked():
            under = f" under {event.key}" if event.key else ""
            yield f"incident of type {event.type}", f"opened {due}{under} because of {event.because}"


def _short(workflow_id: str) -> str:
    """A change by its step and number, without the incident's id."""
    return workflow_id.partition("/")[2] or workflow_id


def _standing(state: IncidentState) -> Iterator[tuple[str, str]]:
    """What stands at the end, and what was said of it on the way."""
    yield from (("severity", f"{one.to} since {stamp(one.at)}") for one in state.severities)
    yield from (("status", f"{one.to} since {stamp(one.at)}") for one in state.statuses)
    for clock in state.clocks:
        if not clock.dropped and not clock.name.startswith("approval:"):
            yield f"deadline {clock.name}", f"{stamp(clock.due_at)}: {clock.state}"
    for task in state.tasks:
        how = "required" if task.required else "optional"
        yield f"task {task.step}", f"{task.phase}, {how}, {task.owner}, due {stamp(task.due_at)}: {task.status}"
    for duty in state.obligations:
        owed = obligation_rules.definition(state, duty)
        signed = f", signed by {', '.join(owed.signers)}" if owed.signers else ""
        yield f"duty {duty.step}", f"due {stamp(duty.due_at)}: {duty.state}; {owed.owner}{signed}"
    for change in state.changes:
        yield from _change(change)
    yield from _on_offer(state)


def _change(change: ChangeRecord) -> Iterator[tuple[str, str]]:
    short = _short(change.workflow_id)
    yield f"change {short}", f"{change.action} {_params(change.params)} by {change.requested_by}: {change.status}"
    for vote in change.approvals:
        yield f"vote of {vote.by} on {short}", f"{vote.decision} as {vote.role}, {stamp(vote.at)}"


def _on_offer(state: IncidentState) -> Iterator[tuple[str, str]]:
    """What the runbook looks at and offers, whether or not somebody took it up."""
    runbook = state.declaration.runbook
    for probe in findings.probes(runbook):
        raises = f", raises to {probe.raises_to}" if probe.raises_to else ""
        opens = f", opens {probe.opens}" if probe.opens else ""
        yield f"look {probe.id}", f"{probe.probe} {_params(probe.params)}{raises}{opens}"
    for step in change_requests.change_steps(state):
        asks, because = ", ".join(step.ask), ", ".join(findings.suggested(state, step))
        yield f"offer {step.id}", f"{step.change} {_params(step.params)}; asks for {asks or '-'}; for {because or '-'}"


def _params(params: dict[str, object]) -> str:
    """Parameters in the order of their names, as the record has them."""
    return ", ".join(f"{name}={value}" for name, value in sorted(params.items()))
