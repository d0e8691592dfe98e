"""How the clocks of an incident run on: started, moved, answered, ended. Called by `evolve` alone."""

from datetime import datetime

from domain.model.records import Clock, ClockState
from domain.model.state import IncidentState
from domain.values.status import Status

UPDATE = "update"


def start(state: IncidentState, name: str, at: datetime, due_at: datetime) -> None:
    """Run a clock, or let it end at another instant where it runs already."""
    if (running := _running(state, name)) is not None:
        running.due_at = due_at
    else:
        state.clocks.append(Clock(name=name, started_at=at, due_at=due_at))


def _running(state: IncidentState, name: str) -> Clock | None:
    clock = state.clock(name)
    return clock if clock is not None and clock.state == "running" else None


def start_response(state: IncidentState, at: datetime) -> None:
    """Run the two clocks of a response, acknowledgement and progress."""
    start(state, "ack", at, at + state.policy.respond)
    start(state, "progress", at, at + state.policy.progress)


def restart_update(state: IncidentState, at: datetime) -> None:
    """Count the next stakeholder update from now; a severity without updates has no such clock."""
    if (period := state.policy.update) is None:
        return
    if (running := _running(state, UPDATE)) is not None:
        # one run for any number of updates in time: an incident may have thousands, and carries all its clocks
        running.due_at, running.times = at + period, running.times + 1
        return
    answer(state, UPDATE, at)
    start(state, UPDATE, at, at + period)


def settle(clock: Clock, to: ClockState, at: datetime) -> None:
    """End a running clock; a breached one stays breached."""
    if clock.state == "running":
        clock.state, clock.ended_at = to, at


def answer(state: IncidentState, name: str, at: datetime) -> None:
    """What a clock waits for is done: it is met, or done late."""
    clock = state.clock(name)
    if clock is None:
        return
    if clock.state == "breached":
        clock.ended_at = clock.ended_at or at
    settle(clock, "met", at)


def drop(state: IncidentState, name: str, at: datetime) -> None:
    """Have this clock no longer."""
    if (clock := state.clock(name)) is not None:
        settle(clock, "cancelled", at)
        clock.dropped = True


def page_from(state: IncidentState, at: datetime, reason: str) -> None:
    """Count paging from now: those paged before and the level reached stay, the first round is due at once."""
    state.paging.base, state.paging.next_at, state.paging.reason = at, at, reason


def count_anew(state: IncidentState, at: datetime, *, raised: bool) -> None:
    """Move the clocks of a response to the deadlines of a severity that has just changed.

    Raised, they count from now, but never to a later end, and an acknowledgement stands. Lowered, they count from the
    old base, and the next round of pages lies ahead.
    """
    paging, policy = state.paging, state.policy
    ack, progress = _running(state, "ack"), _running(state, "progress")
    if raised:
        page_from(state, at, f"raised to {state.severity}")
        if state.status is not Status.DECLARED:
            paging.next_at = None
    elif paging.next_at is not None:
        paging.next_at = next_round(state, at)
    if ack is not None:
        ack.due_at = min(ack.due_at, at + policy.respond) if raised else paging.base + policy.respond
    if progress is not None:
        progress.due_at = paging.base + policy.progress
    if state.status is Status.ACKNOWLEDGED:
        _move_update(state, at)


def _move_update(state: IncidentState, at: datetime) -> None:
    """Count the next update from now as the new severity asks; no update was given, so none is counted."""
    running, period = _running(state, UPDATE), state.policy.update
    if running is not None and period is not None:
        running.due_at = at + period
    else:
        restart_update(state, at)


def next_round(state: IncidentState, at: datetime) -> datetime:
    """The first tick of re-paging after an instant."""
    repage = state.policy.repage
    return state.paging.base + (max((at - state.paging.base) // repage, 0) + 1) * repage
