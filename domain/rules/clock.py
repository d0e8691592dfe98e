"""Every clock of an incident in two pure functions: what is due next, and what happens when it is.

Escalation, re-pages, reminders and notices are rows here, not loops of their own. All instants are UTC.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from domain.model.event_kinds import Happening
from domain.model.events import DeadlineMissed
from domain.model.state import IncidentState
from domain.rules import (
    change_delays,
    change_requests,
    delegating,
    hand_over,
    notices,
    obligation_rules,
    paging,
    preauthorised,
    sign_of_life,
    tasks,
)


class Due(NamedTuple):
    """Something that happens by itself at an instant."""

    at: datetime
    what: str


def upcoming(state: IncidentState) -> list[Due]:
    """Everything that will happen by itself if nobody does anything, earliest first."""
    due = notices.upcoming(state)
    if not state.ended:
        due += [*paging.upcoming(state), *preauthorised.upcoming(state), *delegating.upcoming(state)]
        due += [(clock.due_at, f"{clock.name} overdue") for clock in state.running()]
        due += [*obligation_rules.upcoming(state), *tasks.upcoming(state), *change_delays.upcoming(state)]
        due += [*hand_over.upcoming(state), *sign_of_life.upcoming(state)]
    return sorted(Due(at, what) for at, what in due)


def voting_ends(state: IncidentState) -> list[Due]:
    """When the voters of each change that waits for approval run out of time; the change itself keeps that clock."""
    return [
        Due(clock.due_at, f"{clock.name.removeprefix('approval:')}: its voters' time is up")
        for clock in state.standing_clocks()
        if clock.name.startswith("approval:") and clock.state == "running"
    ]


def next_due(state: IncidentState) -> Due | None:
    """The next thing that happens by itself; None when nothing will."""
    return next(iter(upcoming(state)), None)


def pass_time(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Everything that is due at or before `now`, once; what a late wake-up missed is caught up in one go."""
    if not state.ended:
        yield from delegating.pass_time(state, now)
    for clock in list(state.running()):
        if clock.due_at <= now:
            cause = paging.deadline(f"{clock.name} overdue", clock.due_at)
            yield Happening(DeadlineMissed(clock=clock.name), cause=cause)
    yield from sign_of_life.look(state, now)
    yield from paging.page_what_is_due(state, now)
    yield from change_requests.begin_by_themselves(state, now)
    yield from notices.send_what_is_due(state, now)
    if not state.ended:
        yield from obligation_rules.remind(state, now)
        yield from tasks.remind(state, now)
        yield from change_delays.tell(state, now)
        yield from hand_over.lapse(state, now)
