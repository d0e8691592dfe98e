"""How each event changes the state: the only way in which it changes. The fold of a timeline is its incident's state.

`evolve` changes the state that it is given and returns it: an incident carries thousands of events, and a copy for each
would cost more than all the rest.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from domain.config.runbook import NoticeStep, TaskStep
from domain.model import change_events, events
from domain.model.declaration import Declaration
from domain.model.event_kinds import event_of
from domain.model.events import Event
from domain.model.proofs import nonce_of
from domain.model.records import (
    NoticeRecord,
    Paging,
    StandIn,
    StatusChange,
)
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.rules import (
    clock_runs,
    evolve_changes,
    evolve_delegations,
    evolve_lifecycle,
    hand_over,
    sign_of_life,
    tasks,
)
from domain.rules.evolve_lifecycle import OF_ITS_LIFE
from domain.rules.evolve_work import OF_THE_WORK
from domain.values.status import Status


class NoIncidentError(ValueError):
    """The entries do not make an incident from its declaration on; the text says what is wrong."""


def fold(entries: Iterable[Entry]) -> IncidentState:
    """The state that a whole timeline comes to, oldest entry first; kinds of a later release change nothing.

    Raises `NoIncidentError`.
    """
    state: IncidentState | None = None
    for entry in entries:
        try:
            state = begun(entry) if state is None else evolve(state, entry, event_of(entry))
        except (ValidationError, StopIteration, LookupError, TypeError, AttributeError) as error:
            raise NoIncidentError(f"entry {entry.seq} ({entry.kind}) cannot be read") from error
    if state is None:
        raise NoIncidentError("there are no entries")
    return state


def begun(entry: Entry) -> IncidentState:
    """The state after the first entry, which is the declaration. Raises `NoIncidentError` for any other."""
    event = event_of(entry) if entry.kind == "declared" else None
    if not isinstance(event, events.Declared):
        raise NoIncidentError(f"entry {entry.seq} is {entry.kind}, no declaration: what came before it is missing")
    return declared(event.declaration, entry.at, entry.actor)


def declared(declaration: Declaration, at: datetime, by: str) -> IncidentState:
    """The state of an incident that is just declared."""
    state = IncidentState(
        declaration=declaration,
        severity=declaration.severity,
        statuses=[StatusChange(at=at, by=by, to=Status.DECLARED)],
        severities=[StatusChange(at=at, by=by, to=declaration.severity)],
        paging=Paging(base=at, next_at=at, reason="declared"),
        stand_ins=[StandIn(delegation=one) for one in declaration.delegations],
    )
    for phase in declaration.runbook.phases:
        for step in phase.steps:
            if isinstance(step, TaskStep) and not step.waits:
                state.tasks.append(tasks.asked(step, phase))
            elif isinstance(step, NoticeStep):
                state.notices.append(NoticeRecord(step=step.id, action=step.notice))
    if not state.upkeep:
        clock_runs.start_response(state, at)
    evolve_lifecycle.reach(state, "declared", at)
    return state


def evolve(state: IncidentState, entry: Entry, event: Event | None) -> IncidentState:
    """Take one event, which `entry` dates and attributes, into the state, and return the state."""
    if (nonce := nonce_of(entry.cause.get("proof"))) is not None and nonce not in state.nonces:
        state.nonces.append(nonce)
    if (change := _EVOLVE.get(type(event))) is not None:
        change(state, entry, event)
    sign_of_life.hear(state, entry, event)
    return state


_EVOLVE: dict[type[Any], Callable[[IncidentState, Entry, Any], None]] = {
    **dict.fromkeys(evolve_changes.OF_A_CHANGE, evolve_changes.progress),  # a refusal changes none
    **OF_ITS_LIFE,
    **OF_THE_WORK,
    **hand_over.OF_COMMAND,
    **evolve_delegations.OF_DELEGATIONS,
    change_events.ChangeRequested: evolve_changes.requested,
    change_events.Delayed: evolve_changes.delayed,
    change_events.ChangeLost: evolve_changes.lost,
}
"""By kind of event; those that are not here are only for people to read."""
