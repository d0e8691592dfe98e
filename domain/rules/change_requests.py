"""Changes as their incident sees them: requested, under way, finished, undone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from domain.config.organisation import Contact
from domain.config.runbook import ChangeStep, TaskStep
from domain.model.change_events import ApprovalAsked, ChangeMoved, ChangeRequested, NotPlanned, VoteCast, pieces_told
from domain.model.commands import RequestChange, Undo
from domain.model.event_kinds import Happening
from domain.model.events import ORCHESTRATOR
from domain.model.preauthorised import StartedBy
from domain.model.proofs import Requested
from domain.model.records import DONE, ChangeRecord, ChangeStatus
from domain.model.state import IncidentState
from domain.rules import breaking_glass, change_delays, expiry, paging, preauthorised, tampering, tasks
from domain.rules.access import denied_access
from domain.rules.voting import REQUESTER
from domain.values.ids import change_workflow_id

_REPLANS = 5


def change_steps(state: IncidentState) -> list[ChangeStep]:
    return [step for step in state.declaration.runbook.steps() if isinstance(step, ChangeStep)]


def _step(state: IncidentState, name: str) -> ChangeStep | None:
    return next((step for step in change_steps(state) if step.id == name), None)


def may_request(state: IncidentState, command: RequestChange) -> str | None:
    step = _step(state, command.step)
    if step is None:
        offered = ", ".join(step.id for step in change_steps(state))
        return f"{command.step!r} is no change of this runbook; it offers {offered}"
    if unknown := sorted(set(command.set) - set(step.ask)):
        asked = ", ".join(step.ask) or "nothing"
        return f"{step.id!r} does not ask for {', '.join(unknown)}; it asks for {asked}"
    if missing := [name for name in step.ask if name not in command.set and name not in step.params]:
        return f"{step.id!r} needs {', '.join(missing)}: give it with --set name=value"
    return _busy(state, step.id)


def _busy(state: IncidentState, step: str) -> str | None:
    latest = state.latest_change(step)
    return f"{latest.workflow_id} is {latest.status} already" if latest is not None and latest.in_flight else None


def request(state: IncidentState, command: RequestChange, who: Contact, _now: datetime) -> Iterator[Happening]:
    """Start a change: a workflow of its own plans it and asks whoever must approve."""
    if (step := _step(state, command.step)) is not None:
        requested = Requested(proof=command.proof, given=command.set) if command.proven else None
        yield _requested(state, step, {**step.params, **command.set}, who.id, requested=requested)


def _requested(
    state: IncidentState,
    step: ChangeStep,
    params: dict[str, Any],
    by: str,
    undo: ChangeRecord | None = None,
    requested: Requested | None = None,
    started: StartedBy | None = None,
) -> Happening:
    generation = 1 + sum(change.step == step.id for change in state.changes)
    asked = ChangeRequested(
        step=step.id,
        workflow_id=change_workflow_id(state.id, step.id, generation),
        generation=generation,
        action=step.change,
        title=step.title,
        params=params,
        undo_of=undo.generation if undo else None,
        requested=requested,
        preauthorised=started,
    )
    return Happening(asked, by)


def request_all(state: IncidentState) -> Iterator[Happening]:
    """Plan every change that needs no answer from a person; name those that do."""
    for step in change_steps(state):
        if missing := [name for name in step.ask if name not in step.params]:
            yield Happening(
                NotPlanned(step=step.id, title=step.title, reason=f"not planned, it needs {', '.join(missing)}")
            )
        else:
            yield _requested(state, step, step.params, state.declaration.declared_by)


def preserve_evidence(state: IncidentState) -> Iterator[Happening]:
    """Start every evidence step by itself: what would be lost cannot wait for anybody."""
    for step in change_steps(state):
        if step.evidence and state.live:
            yield _requested(state, step, step.params, ORCHESTRATOR)


def begin_by_themselves(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Start what is signed for beforehand and has to begin by now, and page that it was; each step once."""
    for due, step, one in list(preauthorised.ready(state)):
        if due <= now:
            by, params = preauthorised.started(one), {**step.params, **one.terms.set}
            asked = _requested(state, step, params, ORCHESTRATOR, started=by)
            yield asked._replace(cause=paging.deadline(f"{step.id} by {by.told}", due))
            yield from paging.page_commander(state, f"started by {by.told}: {step.title}")


def may_undo(state: IncidentState, command: Undo) -> str | None:
    return _not_undoable(state, command.step) or _busy(state, command.step)


def _not_undoable(state: IncidentState, step: str) -> str | None:
    """Why nothing of a step can be undone; None where something of it stands that can."""
    latest = _last_done(state, step)
    if latest is None or latest.plan is None:
        return f"nothing of {step!r} has been applied"
    if not latest.ours:
        return f"{latest.workflow_id} found its work done by somebody else; what is not ours is not undone"
    return None if latest.plan.reversible else f"{latest.action} cannot be undone"


def _last_done(state: IncidentState, step: str) -> ChangeRecord | None:
    """The newest change of a step whose effect stands; undoing ones and those that found our own work are left out."""
    changes = [
        c
        for c in state.changes
        if c.step == step
        and c.undo_of is None
        # the last: applied, but not proven good
        and (c.status in {*DONE, ChangeStatus.PARTLY_APPLIED} or (c.status is ChangeStatus.FAILED and c.ours))
    ]
    return next((c for c in reversed(changes) if not (c.ours and c.plan and c.plan.changes_nothing)), None)


def undo(state: IncidentState, command: Undo, who: Contact, _now: datetime) -> Iterator[Happening]:
    """Ask for the reverse of the last applied change of a step: a change like any other."""
    step, latest = _step(state, command.step), _last_done(state, command.step)
    if step is not None and latest is not None:
        requested = Requested(proof=command.proof) if command.proven else None
        yield _requested(state, step, latest.params, who.id, undo=latest, requested=requested)


def undone_by(state: IncidentState, record: ChangeRecord) -> ChangeRecord | None:
    """The change that this one takes back; None for one that takes nothing back."""
    found = (c for c in state.changes if c.step == record.step and c.generation == record.undo_of)
    return next(found, None) if record.undo_of is not None else None


def progress(state: IncidentState, workflow_id: str, happenings: list[Happening]) -> Iterator[Happening]:
    """Take over what a change's workflow says; of one that has ended only what still happened is recorded."""
    record = state.change(workflow_id)
    if record is None:
        return
    for happening in happenings:
        counts = record.in_flight
        yield happening
        if tampering.is_cancel(happening.event):
            yield from tampering.tell(state, f"the change {record.title} was to be cancelled")
        yield from tampering.unproven(state, happening.event)
        if counts:
            yield from _follow(state, record, happening.event)


def _follow(state: IncidentState, record: ChangeRecord, event: Any) -> Iterator[Happening]:
    """What the incident does about an event of a change."""
    if isinstance(event, ApprovalAsked):
        yield from _page_voters(state, event)
    if isinstance(event, VoteCast) and event.break_glass is not None:
        vote = record.approvals[-1]
        yield from breaking_glass.broken(state, record, vote.by, event, vote.at)
    if not isinstance(event, ChangeMoved):
        return
    if event.denied:
        yield from denied_access(state, record.action)
    if event.pieces:
        yield from paging.page_commander(state, f"done in part: {event.title}: {pieces_told(event.pieces)}")
    if event.status in {ChangeStatus.APPLIED, ChangeStatus.PARTLY_APPLIED} and record.undo_of is None:
        yield from tasks.open_for(state, record.step)
    if event.status is ChangeStatus.EXPIRED:
        yield from expiry.tell(state, record, event.title)
    if not record.in_flight:
        yield from change_delays.failed(state, record)
        yield from preauthorised.failed(state, record)
        yield from _taken_back(state, record.step, event.reason or "")
    if event.status is ChangeStatus.STALE and not state.ended:
        yield from _plan_again(state, record)


def _taken_back(state: IncidentState, ended: str, note: str) -> Iterator[Happening]:
    """Ask for what this change has left to be taken back, or see that it has been."""
    for step in state.declaration.runbook.steps():
        if isinstance(step, TaskStep) and step.until_undone and ended in {step.until_undone, step.undone_by}:
            stands = _not_undoable(state, step.until_undone) is None
            if step.undone_by:
                stands = _stands(state, step.until_undone, step.undone_by)
            yield from tasks.until_undone(state, step, stands=stands, note=note)


def _stands(state: IncidentState, step: str, by: str) -> bool:
    """Whether a step's change has left something, and none of `by` that was asked for later was wholly applied."""
    left = _last_done(state, step)
    if left is None or not left.ours:
        return False
    later = state.changes[state.changes.index(left) + 1 :]
    return not any(one.step == by and one.status in DONE and one.undo_of is None for one in later)


def _page_voters(state: IncidentState, asked: ApprovalAsked) -> Iterator[Happening]:
    """Page whoever may decide; for upkeep they have a mail."""
    record = state.change(asked.workflow_id)
    if state.upkeep and record is not None:
        own = state.who(record.requested_by) if asked.eligible == [REQUESTER] else None
        roles = asked.eligible if own is None else own.roles[:1]
        yield paging.remind(state, record.step, roles, asked.reason, due=asked.until)
        return
    for voter in dict.fromkeys(asked.voters):
        if record is not None and voter == record.requested_by and not (asked.again or _planned_anew(state, record)):
            continue  # whoever asks for it has its plan before them
        contact = state.who(voter)
        if contact is not None:
            role = next((role for role in asked.eligible if role in contact.roles), contact.roles[0])
            yield from paging.page(state, contact, role, asked.reason, asked.workflow_id)


def _planned_anew(state: IncidentState, record: ChangeRecord) -> bool:
    """Whether it was asked for again by itself, as the one before it was stale."""
    before = (c for c in state.changes if c.step == record.step and c.generation == record.generation - 1)
    return any(change.status is ChangeStatus.STALE for change in before)


def _plan_again(state: IncidentState, record: ChangeRecord) -> Iterator[Happening]:
    """Ask again after drift: nothing was applied, the same request gets a plan of what stands now."""
    step = _step(state, record.step)
    if step is None:
        return
    latest = [c for c in state.changes if c.step == record.step][-_REPLANS:]
    if len(latest) == _REPLANS and all(change.status is ChangeStatus.STALE for change in latest):
        reason = f"stale {_REPLANS} times; ask again by hand"
        yield Happening(NotPlanned(step=step.id, title=step.title, reason=reason))
        if record.preauthorised is not None:
            yield from paging.page_commander(state, f"{step.title}: {reason}")
        return
    how: dict[str, Any] = {"requested": record.requested, "started": record.preauthorised}
    yield _requested(state, step, record.params, record.requested_by, undo=undone_by(state, record), **how)


def evidence_pending(state: IncidentState, step: ChangeStep) -> bool:
    """Whether a change must still wait for evidence: some of what it names has not begun to be preserved."""
    return any(not _begun(state.latest_change(name)) for name in step.evidence_first)


def _begun(change: ChangeRecord | None) -> bool:
    waiting = {ChangeStatus.PLANNING, ChangeStatus.AWAITING_APPROVAL, ChangeStatus.APPLYING}
    return change is not None and change.status not in waiting


def waiting_for_evidence(state: IncidentState, step: str) -> list[str]:
    """The changes that may go on now that the evidence of `step` is under way."""
    if (preserving := _step(state, step)) is None or not preserving.evidence:
        return []
    waiting = []
    for change in state.changes_in_flight():
        found = _step(state, change.step)
        if found is not None and step in found.evidence_first and not evidence_pending(state, found):
            waiting.append(change.workflow_id)
    return waiting
