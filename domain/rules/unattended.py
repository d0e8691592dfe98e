"""Whether an incident is being carried on, by its record alone: what was due, and has not happened."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.config.organisation import COMMANDER
from domain.model.events import PagingRound
from domain.model.state import IncidentState
from domain.rules import clock, paging, tasks
from domain.rules.clock import Due

_GRACE = timedelta(minutes=2)
_FLOOR = timedelta(seconds=30)
"""Real time: neither workers nor the ledger get faster with a sandbox's policy clocks."""

_FIRST, _LONGEST = timedelta(minutes=5), timedelta(hours=1)
"""Policy time from one page about the same silence to the next: each pause is twice the one before."""


def missed(state: IncidentState, now: datetime) -> Due | None:
    """The first thing that was to happen by itself, two minutes of policy time ago, and is not on record; else None."""
    return min((due for due in _dues(state) if due.at <= now - grace(state)), default=None)


def grace(state: IncidentState) -> timedelta:
    """How long what is due may take until it is on record, in real time."""
    return max(state.scaled(_GRACE), _FLOOR)


def _dues(state: IncidentState) -> Iterator[Due]:
    if not state.ended:
        yield from clock.upcoming(state)
        yield from clock.voting_ends(state)
    elif tasks.are_left(state):
        yield from (Due(at, what) for at, what in tasks.upcoming(state))


def unsettled(state: IncidentState, now: datetime) -> Iterator[tuple[int, Due]]:
    """Pages that were asked for two minutes of policy time ago, each by its number, and of which nothing has come."""
    for number, page in enumerate(state.pages, start=1):
        if not page.settled and page.at <= now - grace(state):
            yield number, Due(page.at, f"page {page.to}")


def concerned(state: IncidentState, now: datetime) -> tuple[str, ...]:
    """The roles that are told of a silence.

    Whoever commands; whom the round that is due by now pages, or everybody who was paged so far while nobody commands;
    and always the first of the chain, as it is no work of the commander's to see to the machine.
    """
    due = (one.event for one in paging.page_what_is_due(state, now))
    first = next(due, None)
    commands = [COMMANDER] if state.commander else []
    paged = state.paging.paged or list(state.declaration.runbook.on_call)
    called = first.roles if isinstance(first, PagingRound) else ([] if commands else paged)
    return tuple(dict.fromkeys([*commands, *called, *state.chain[:1]]))


def owners(state: IncidentState) -> tuple[str, ...]:
    """The roles that are told that nobody is reminded of what is left: its owners, and the first of the chain."""
    return tuple(dict.fromkeys([*(task.owner for task in state.open_tasks()), *state.chain[:1]]))


def rounds_by(elapsed: timedelta) -> int:
    """How many times people are paged about one silence within so much policy time: at 0, 5, 15, 35, 75 minutes …."""
    rounds, at, pause = 0, timedelta(), _FIRST
    while at <= elapsed:
        rounds, at, pause = rounds + 1, at + pause, min(pause * 2, _LONGEST)
    return rounds


def daily_rounds_by(elapsed: timedelta) -> int:
    """How many times people are told of what was to be reminded of daily."""
    return elapsed // tasks.NAG + 1
