"""What is to be done outside about an event. The workflow does it, and says by another event how it went."""

from collections.abc import Iterator
from typing import Any

from domain.model import change_events, command_events, delegation_events, events, work_events
from domain.model.effects import (
    REPEATABLE,
    Effect,
    LookUp,
    Observe,
    OpenIncident,
    Send,
    SendNotice,
    Signal,
    StartChange,
    TellChanges,
)
from domain.model.events import Event
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.rules import change_requests, findings
from domain.rules.change_messages import StandIns
from domain.values.timestamps import stamp


def react(state: IncidentState, entry: Entry, event: Event) -> Iterator[Effect]:
    """The effects of an event; `state` has taken it in already."""
    match event:
        case events.Declared():
            yield from (Observe(step=step.id) for step in findings.unobserved(state))
        case events.PageAsked():
            yield Send("page", event.number)
        case events.Reminded():
            yield from (Send("mail", one.mail) for one in event.to if one.mail is not None)
        case work_events.NoticeMoved(status="sending"):
            yield SendNotice(step=event.step)
        case work_events.LinkAsked() if state.declaration.may_open(event.type):
            yield OpenIncident(event.type, event.key)
        case events.Acknowledged(joins=False):
            yield from _tell(state, "commander_is", {"commander": event.commander, "at": stamp(entry.at)})
        case command_events.CommandTaken():
            yield from _tell(state, "commander_is", {"commander": entry.actor, "at": stamp(entry.at)})
        case delegation_events.Delegated() | delegation_events.DelegationEnded():
            yield from _tell(state, "stand_ins_are", StandIns.of(state).model_dump(mode="json"))
        case events.FalseAlarm():
            yield from _tell(state, "cancel", {"by": entry.actor, "reason": "false alarm"})
        case events.DrillEnded():
            yield from _tell(state, "cancel", {"by": entry.actor, "reason": "the drill is over"})
        case change_events.ChangeRequested():
            yield StartChange(workflow_id=event.workflow_id)
        case change_events.ChangeLost():
            yield LookUp(workflow_id=event.workflow_id)
        case change_events.ChangeMoved():
            if waiting := change_requests.waiting_for_evidence(state, event.step):
                yield TellChanges(workflow_ids=tuple(waiting), signal="evidence_begun")
        case _:
            pass


def _tell(state: IncidentState, signal: Signal, payload: dict[str, Any]) -> Iterator[Effect]:
    if flying := tuple(change.workflow_id for change in state.changes_in_flight()):
        yield TellChanges(flying, signal, payload)


def under_way(state: IncidentState) -> list[Effect]:
    """What a run that ended amid it has the next one do again; its changes live on by themselves."""
    return [effect for effect in outstanding(state) if isinstance(effect, REPEATABLE)]


def outstanding(state: IncidentState) -> Iterator[Effect]:
    """Everything that was to be done outside and of which the record does not say how it went.

    For an incident that goes on from its record alone. What was done already and not recorded is done again: a page may
    come twice, never not at all; notices and changes look first whether they are done.
    """
    yield from (Send("page", number) for number, page in enumerate(state.pages, start=1) if not page.settled)
    yield from (Send("mail", mail.number) for mail in state.mails)
    yield from (SendNotice(step=notice.step) for notice in state.notices if notice.status == "sending")
    for change in state.changes_in_flight():
        yield LookUp(change.workflow_id) if change.adrift else StartChange(change.workflow_id)
    if not state.ended:
        yield from (Observe(step=step.id) for step in findings.unobserved(state))
    yield from (OpenIncident(link.type, link.key) for link in state.links if not (link.incident or link.held))
