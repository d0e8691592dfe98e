"""Notices to the outside: when each is due, why one is not sent, and how it ended."""

from collections.abc import Iterator
from datetime import datetime

from domain.config.runbook import NoticeStep
from domain.model.event_kinds import Happening
from domain.model.records import NoticeRecord
from domain.model.state import IncidentState
from domain.model.work_events import NoticeMoved
from domain.rules.paging import deadline


def upcoming(state: IncidentState) -> list[tuple[datetime, str]]:
    return [(one.due_at, one.step) for one in state.notices if one.status == "waiting" and one.due_at is not None]


def send_what_is_due(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Begin to send every notice that is due, or say why it is not sent."""
    for notice in state.notices:
        if notice.status != "waiting" or notice.due_at is None or notice.due_at > now:
            continue
        cause, reason = deadline(notice.step, notice.due_at), _not_needed(state, notice)
        if reason is not None:
            yield Happening(NoticeMoved(step=notice.step, status="skipped", reason=reason), cause=cause)
            continue
        moved = NoticeMoved(step=notice.step, status="sending", sequence=state.notices_begun + 1)
        yield Happening(moved, cause=cause)


def _not_needed(state: IncidentState, notice: NoticeRecord) -> str | None:
    """Why a notice is not sent; None when it is."""
    if not state.live:
        return "dry run"
    step = state.declaration.runbook.step(notice.step)
    suspects = state.suspects()
    found = [name for name in step.unless if name in suspects] if isinstance(step, NoticeStep) else []
    return f"the cause is ours: {', '.join(found)}" if found else None


def skip_waiting(state: IncidentState, reason: str) -> Iterator[Happening]:
    """Send nothing any more that was still to come."""
    for notice in state.notices:
        if notice.status == "waiting" and notice.due_at is not None:
            yield Happening(NoticeMoved(step=notice.step, status="skipped", reason=reason))
