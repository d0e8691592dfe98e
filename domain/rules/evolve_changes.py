"""How the events of a change alter its record: in the change's own workflow and in its incident's state alike."""

from datetime import datetime
from typing import Any, get_args

from domain.model import change_events
from domain.model.change_events import ChangeEvent
from domain.model.events import Event
from domain.model.proofs import nonce_of
from domain.model.records import DONE, PIECE_DONE, PIECE_UNDONE, ChangeRecord, ChangeStatus, EarlyVote, Vote, Window
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.rules import clock_runs

OF_A_CHANGE: tuple[type[Event], ...] = get_args(ChangeEvent)


def requested(state: IncidentState, entry: Entry, event: change_events.ChangeRequested) -> None:
    """A change begins to be planned."""
    fields = event.model_dump(exclude={"kind"})
    if event.requested is not None and (nonce := nonce_of(event.requested.proof)) is not None:
        state.nonces.append(nonce)
    state.changes.append(ChangeRecord(requested_by=entry.actor, requested_at=entry.at, **fields))


def progress(state: IncidentState, entry: Entry, event: Any) -> None:
    """Take what a change's workflow says; of one that has ended nothing counts any more."""
    record = state.change(event.workflow_id) if event.workflow_id else None
    if record is None or not record.in_flight:
        return
    name = f"approval:{record.step}"
    was_open = record.status is ChangeStatus.AWAITING_APPROVAL
    alter(record, entry.at, entry.actor, event)
    if isinstance(event, change_events.ApprovalAsked) and not event.again:
        clock_runs.start(state, name, entry.at, event.until)
    elif was_open and record.status is not ChangeStatus.AWAITING_APPROVAL:
        _decided(state, name, record, entry.at)
    if record.undo_of is not None:
        for other in state.changes:
            if other.step == record.step and other.generation == record.undo_of:
                _taken_back(other, record)


def delayed(state: IncidentState, _entry: Entry, event: change_events.Delayed) -> None:
    """People were told that it is not under way yet."""
    state.delayed.append(event.workflow_id)


def lost(state: IncidentState, _entry: Entry, event: change_events.ChangeLost) -> None:
    """Nobody carries it on until the record has said what came of it."""
    record = state.change(event.workflow_id)
    if record is not None and record.in_flight:
        record.lost, record.adrift = record.lost + 1, True


def _taken_back(record: ChangeRecord, undo: ChangeRecord) -> None:
    """A change is undone with its undo; where some pieces were not put back, only the others are."""
    if undo.status in DONE:
        record.status = ChangeStatus.UNDONE
    elif undo.pieces and record.effect is not None:
        standing = dict.fromkeys(record.effect.changing, PIECE_DONE)
        undone = {name: PIECE_UNDONE for name in standing if undo.pieces.get(name) == PIECE_DONE}
        record.pieces = record.pieces | standing | undone


def _decided(state: IncidentState, name: str, record: ChangeRecord, at: datetime) -> None:
    clock = state.clock(name)
    if clock is None:
        return
    if record.status is ChangeStatus.EXPIRED:
        clock.state = "breached"
    elif record.status in {ChangeStatus.APPLYING, ChangeStatus.REJECTED}:
        clock_runs.settle(clock, "met", at)
    else:
        clock_runs.settle(clock, "cancelled", at)


def alter(record: ChangeRecord, at: datetime, actor: str, event: Event) -> None:
    """Take one event into the record of its change."""
    match event:
        case change_events.PlanMade():
            record.plan, record.approval_class, record.early = event.plan, event.plan.approval_class, []
        case change_events.ApprovalAsked():
            record.status, record.eligible = ChangeStatus.AWAITING_APPROVAL, event.eligible
            if event.added is not None:
                record.added = [*record.added, event.added]
            if event.again and record.window is not None:
                record.window.reminded = True
            else:
                record.window = Window(opened_at=at, ends_at=event.until)
        case change_events.ElectorateChanged():
            record.eligible = event.eligible
        case change_events.VoteKept():
            record.early.append(EarlyVote(command=event.command, given=event.given, proven=event.proven))
        case change_events.VoteCast():
            vote = event.model_dump(include={"role", "decision", "verified", "proof", "comment", "break_glass"})
            record.approvals.append(Vote(by=actor, at=at, **vote))
        case change_events.ChangeMoved():
            _move(record, at, event)
        case _:
            pass


def _move(record: ChangeRecord, at: datetime, event: change_events.ChangeMoved) -> None:
    record.status, record.eligible, record.window = event.status, [], None
    record.ours, record.pieces, record.adrift = event.ours, event.pieces or record.pieces, False
    if not record.in_flight:
        record.reason, record.ended_at, record.early = event.reason, at, []
