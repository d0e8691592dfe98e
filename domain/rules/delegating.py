"""Stand-ins within an incident: told of by its declaration or by a command, and begun and ended by the clock.

From when a delegation begins until it is over its contact holds the role too: they are paged beside whoever holds it,
may vote for it, and do what it may do. It ends with the incident at the latest.
"""

from collections.abc import Iterator
from datetime import datetime

from domain.config.delegation import Delegation, doubt, doubt_of_end, twin
from domain.config.organisation import Contact
from domain.model.commands import Delegate, EndDelegation
from domain.model.delegation_events import Delegated, DelegationEnded, StandInBegan, StandInOver
from domain.model.event_kinds import Happening
from domain.model.records import ChangeStatus, StandIn
from domain.model.state import IncidentState
from domain.rules import paging
from domain.rules.paging import deadline
from domain.values import limits
from domain.values.timestamps import stamp


def may_delegate(state: IncidentState, command: Delegate) -> str | None:
    """Its maker alone tells it, who holds the role by the organisation's file: no stand-in delegates onwards."""
    one, who = command.delegation, state.who(command.by)
    if who is None or who.id != one.by:
        return f"{one.by} has made this delegation, and tells it"
    if one.ended is not None:
        return "it is over already"
    told = [other.delegation.bare().model_dump(mode="json") for other in state.stand_ins]
    if limits.size([*told, one.bare().model_dump(mode="json")]) > limits.DELEGATIONS:
        return f"the incident knows of {len(told)} delegations, and has no room for more"
    known = [other.delegation for other in state.stand_ins if not other.over]
    if any(other.delegation.id == one.id for other in state.stand_ins):
        return f"the incident knows of {one.id} already"
    if (other := twin(one, known)) is not None:
        return f"{one.to} already stands in as {one.role} during that time, by {other.id}"
    return doubt(state.declaration.organisation, one)


def delegate(_state: IncidentState, command: Delegate, who: Contact, _now: datetime) -> Iterator[Happening]:
    """Take it over; `pass_time` begins it, at once where its time has begun."""
    yield Happening(Delegated(delegation=command.delegation), who.id)


def may_end_early(state: IncidentState, command: EndDelegation) -> str | None:
    known = state.stand_in(command.delegation)
    if known is None:
        return f"there is no delegation {command.delegation}"
    if known.over:
        return f"{command.delegation} is over already"
    who = state.who(command.by)
    return doubt_of_end(state.declaration.organisation, command.by if who is None else who.id, known.delegation)


def end_early(state: IncidentState, command: EndDelegation, who: Contact, _now: datetime) -> Iterator[Happening]:
    """From now on they no longer hold the role."""
    if (known := state.stand_in(command.delegation)) is not None:
        one = known.delegation
        yield Happening(DelegationEnded(delegation=one.id, role=one.role, to=one.to, reason=command.reason), who.id)


def upcoming(state: IncidentState) -> list[tuple[datetime, str]]:
    """When a delegation begins, or is over, by itself."""
    return [
        (one.until, f"{one.to} no longer stands in as {one.role}")
        if known.begun
        else (one.since, f"{one.to} stands in as {one.role}")
        for known, one in _open(state)
    ]


def pass_time(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Begin and end what is due by now, before anything else is done: whoever is asked holds the role then."""
    for known, one in _open(state):
        said = {"delegation": one.id, "role": one.role, "to": one.to}
        if not known.begun and one.since <= now < one.until:
            yield Happening(StandInBegan(**said), cause=deadline("stand-in", one.since))
            yield from _page(state, one)
        elif one.until <= now:
            yield Happening(StandInOver(**said), cause=deadline("stand-in over", one.until))


def _open(state: IncidentState) -> list[tuple[StandIn, Delegation]]:
    return [(known, known.delegation) for known in state.stand_ins if not known.over]


def _page(state: IncidentState, one: Delegation) -> Iterator[Happening]:
    """Page whoever begins to stand in: for what the role is asked to decide, or where it was paged before."""
    contact = state.who(one.to)
    if contact is None or state.ended:
        return
    asked = [
        change
        for change in state.changes_in_flight()
        if change.status is ChangeStatus.AWAITING_APPROVAL
        and one.role in change.eligible
        and one.to not in {change.requested_by, *(vote.by for vote in change.approvals)}
    ]
    for change in asked:
        reason = f"approval needed, as you stand in until {stamp(one.until)}: {change.title}"
        yield from paging.page(state, contact, one.role, reason, change.workflow_id)
    if not asked and state.responding and one.role in state.paging.paged:
        yield from paging.page(state, contact, one.role, f"you stand in until {stamp(one.until)}")
