"""How events of the work change an incident: pages, findings, tasks, facts, duties, notices."""

from collections.abc import Callable
from typing import Any

from domain.config.runbook import TaskStep
from domain.model import events, work_events
from domain.model.duty_records import FactRecord, ObligationRecord
from domain.model.records import FindingRecord, Link, Mail, Page, StoredReport
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.rules import breaking_glass, clock_runs, tasks


def _paging(state: IncidentState, _entry: Entry, event: events.PagingRound) -> None:
    paging = state.paging
    paging.level, paging.next_at = event.level, event.next_at
    paging.paged = list(dict.fromkeys([*paging.paged, *event.roles]))


def _page(state: IncidentState, entry: Entry, event: events.PageAsked) -> None:
    fields = event.model_dump(include={"to", "role", "level", "reason", "about"})
    state.pages.append(Page(at=entry.at, **fields))


def _settled(state: IncidentState, _entry: Entry, event: events.Delivered | events.DeliveryFailed) -> None:
    if event.message == "page":
        state.pages[event.number - 1].settled = True
    else:
        state.mails = [mail for mail in state.mails if mail.number != event.number]


def _reminded(state: IncidentState, entry: Entry, event: events.Reminded) -> None:
    for one in event.to:
        if one.mail is not None:
            state.mails_asked = one.mail
            state.mails.append(Mail(number=one.mail, step=event.step, to=one.to, role=one.role, subject=event.subject))
    if event.nth is not None:
        state.obligation(event.step).reminded = event.nth
    for task in state.tasks:
        if task.step == event.step:
            task.remind_at = tasks.next_reminder(state, task, entry.at)


def _missed(state: IncidentState, _entry: Entry, event: events.DeadlineMissed) -> None:
    if (clock := state.clock(event.clock)) is not None:
        clock.state = "breached"


def _denied(state: IncidentState, _entry: Entry, _event: events.AccessDenied) -> None:
    state.access_denied = True


def _found(state: IncidentState, entry: Entry, event: work_events.Found) -> None:
    """Of one probe the latest finding stands."""
    found = FindingRecord(at=entry.at, **event.model_dump(exclude={"kind"}))
    standing = next((n for n, one in enumerate(state.findings) if one.step == event.step), None)
    if standing is None:
        state.findings.append(found)
    else:
        state.findings[standing] = found


def _linking(state: IncidentState, _entry: Entry, event: work_events.LinkAsked) -> None:
    state.links.append(Link(**event.model_dump(exclude={"kind"})))


def _linked(state: IncidentState, _entry: Entry, event: work_events.Linked) -> None:
    state.link(event.type, event.key).incident = event.incident


def _held(state: IncidentState, _entry: Entry, event: work_events.LinkHeld) -> None:
    state.link(event.type, event.key).held = True


def _task_opened(state: IncidentState, entry: Entry, event: work_events.TaskOpened) -> None:
    state.tasks = [task for task in state.tasks if task.step != event.step]  # asked for again, it is open again
    if event.review_of is not None:
        state.tasks.append(breaking_glass.task(event))
        return
    for phase in state.declaration.runbook.phases:
        for step in phase.steps:
            if isinstance(step, TaskStep) and step.id == event.step:
                state.tasks.append(tasks.asked(step, phase))
                tasks.expect(state, state.tasks[-1], step, entry.at)


def _task_ended(state: IncidentState, entry: Entry, event: work_events.TaskEnded) -> None:
    task = state.task(event.step)
    task.status, task.by, task.at, task.note = event.status, entry.actor, entry.at, event.note
    phase = [other for other in state.tasks if other.phase == task.phase and other.required]
    if all(other.status != "open" for other in phase):
        clock_runs.answer(state, task.phase, entry.at)


def _fact(state: IncidentState, entry: Entry, event: work_events.FactRecorded) -> None:
    state.facts.append(FactRecord(by=entry.actor, at=entry.at, **event.model_dump(exclude={"kind"})))


def _duty_started(state: IncidentState, entry: Entry, event: work_events.DutyStarted) -> None:
    if event.moved:
        record = state.obligation(event.step)
        record.started_at, record.due_at, record.overdue = event.started_at, event.due_at, False
        return
    fields = event.model_dump(include={"step", "obligation", "started_at", "due_at", "reminded"})
    state.obligations.append(ObligationRecord(opened_at=entry.at, **fields))


def _duty_overdue(state: IncidentState, _entry: Entry, event: work_events.DutyOverdue) -> None:
    state.obligation(event.step).overdue = True


def _duty_signed(state: IncidentState, _entry: Entry, event: work_events.DutySigned) -> None:
    record = state.obligation(event.step)
    record.ending, record.signatures = event.ending, event.signatures
    if not event.missing:
        record.state = event.ending.state


def _notice(state: IncidentState, _entry: Entry, event: work_events.NoticeMoved) -> None:
    notice = state.notice(event.step)
    notice.status, notice.reason = event.status, event.reason
    notice.reference, notice.code = event.reference or notice.reference, event.code or notice.code
    if event.sequence is not None:
        notice.sequence = state.notices_begun = event.sequence


def _report(state: IncidentState, _entry: Entry, event: work_events.ReportStored) -> None:
    state.report = StoredReport(places=event.places, reason=event.reason)


OF_THE_WORK: dict[type[Any], Callable[[IncidentState, Entry, Any], None]] = {
    events.PagingRound: _paging,
    events.PageAsked: _page,
    events.Delivered: _settled,
    events.DeliveryFailed: _settled,
    events.Reminded: _reminded,
    events.DeadlineMissed: _missed,
    events.AccessDenied: _denied,
    work_events.Found: _found,
    work_events.LinkAsked: _linking,
    work_events.Linked: _linked,
    work_events.LinkHeld: _held,
    work_events.TaskOpened: _task_opened,
    work_events.TaskEnded: _task_ended,
    work_events.FactRecorded: _fact,
    work_events.DutyStarted: _duty_started,
    work_events.DutyOverdue: _duty_overdue,
    work_events.DutySigned: _duty_signed,
    work_events.NoticeMoved: _notice,
    work_events.ReportStored: _report,
}
