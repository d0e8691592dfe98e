"""How events of delegations change an incident: who stands in. One that nobody has told of changes nothing."""

from collections.abc import Callable
from typing import Any

from domain.model.delegation_events import Delegated, DelegationEnded, StandInBegan, StandInOver
from domain.model.records import StandIn
from domain.model.state import IncidentState
from domain.model.timeline import Entry


def _delegated(state: IncidentState, _entry: Entry, event: Delegated) -> None:
    state.stand_ins.append(StandIn(delegation=event.delegation))


def _began(state: IncidentState, _entry: Entry, event: StandInBegan) -> None:
    if (known := state.stand_in(event.delegation)) is not None:
        known.begun = True


def _over(state: IncidentState, _entry: Entry, event: StandInOver) -> None:
    if (known := state.stand_in(event.delegation)) is not None:
        known.over = True


def _ended(state: IncidentState, entry: Entry, event: DelegationEnded) -> None:
    if (known := state.stand_in(event.delegation)) is not None:
        known.over, known.ended = True, entry.at


OF_DELEGATIONS: dict[type[Any], Callable[[IncidentState, Entry, Any], None]] = {
    Delegated: _delegated,
    StandInBegan: _began,
    StandInOver: _over,
    DelegationEnded: _ended,
}
