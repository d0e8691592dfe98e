"""Command that one offers and another takes: until it is taken, whoever offered it commands."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from domain.config.organisation import Contact
from domain.model.command_events import CommandOffered, CommandTaken, HandOverLapsed
from domain.model.commands import OfferCommand, TakeCommand
from domain.model.event_kinds import Happening
from domain.model.records import HandOver, Page
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.rules import obligation_rules, paging
from domain.values.status import Status
from domain.values.timestamps import stamp

WITHIN = timedelta(minutes=10)
"""Policy time to take command once it is offered."""

ABOUT = "hand-over"
"""What the pages of a hand-over are about."""

_MOST = 5


def _recipient(state: IncidentState, command: OfferCommand) -> Contact | None:
    """Whom an offer names, by their own id: what is signed names a person, whoever holds a role."""
    found = state.declaration.organisation.contact(command.to)
    return found if found is not None and found.id == command.to else None


def may_offer(state: IncidentState, command: OfferCommand) -> str | None:
    if state.status is Status.DECLARED:
        return f"nobody has acknowledged it: whoever does commands (incident ack {state.id})"
    who, to = state.who(command.by), _recipient(state, command)
    if who is None or who.id != state.commander:
        return f"{state.commander} commands, and nobody else hands over"
    if to is None:
        return f"{command.to!r} is no contact of {state.declaration.organisation.id}"
    if state.hand_over is not None and state.hand_over.to == to.id:
        return f"command is offered to {to.id} already"
    return f"{to.id} commands already" if to.id == state.commander else None


def offer(state: IncidentState, command: OfferCommand, who: Contact, now: datetime) -> Iterator[Happening]:
    """Page whoever may take command. An offer to somebody else takes the place of one that stands."""
    if (to := _recipient(state, command)) is not None:
        yield Happening(CommandOffered(to=to.id, until=now + state.scaled(WITHIN)), who.id)
        yield from paging.page(state, to, to.roles[0], f"{who.id} offers you command", ABOUT)


def may_take(state: IncidentState, command: TakeCommand) -> str | None:
    offered, who = state.hand_over, state.who(command.by)
    if offered is None:
        return f"command is not offered to anybody: {state.commander or 'nobody'} commands"
    if who is None or who.id != offered.to:
        return f"command is offered to {offered.to}, and nobody else takes it"
    return None if command.of == offered.by else f"{offered.by} offers command, not {command.of}"


def take(state: IncidentState, _command: TakeCommand, who: Contact, _now: datetime) -> Iterator[Happening]:
    if state.hand_over is not None:
        yield Happening(CommandTaken(offer=state.hand_over), who.id)


def upcoming(state: IncidentState) -> list[tuple[datetime, str]]:
    """When an offer lapses that nobody takes."""
    return [] if state.hand_over is None else [(state.hand_over.until, _lapses(state.hand_over))]


def _lapses(offered: HandOver) -> str:
    return f"hand-over to {offered.to} lapses"


def lapse(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """End an offer that was not taken in time, and page whoever made it: they command still."""
    if (offered := state.hand_over) is None or offered.until > now:
        return
    cause = paging.deadline(_lapses(offered), offered.until)
    yield Happening(HandOverLapsed(to=offered.to, by=offered.by), cause=cause)
    if (who := state.who(offered.by)) is not None:
        reason = f"{offered.to} has not taken command: you command still"
        yield from paging.page(state, who, who.roles[0], reason, ABOUT)


def document(state: IncidentState) -> dict[str, Any] | None:
    """An offer that stands, as JSON values; None where there is none."""
    return None if state.hand_over is None else state.hand_over.model_dump(mode="json", exclude={"given", "proof"})


def ask(state: IncidentState, page: Page) -> str:
    """What a page of a hand-over asks of its reader, and where the incident stands, in the organisation's own words."""
    if page.to == state.commander:
        return f"Offer it again: incident hand-over {state.id} --to WHO\nLook: incident show {state.id}"
    offered = state.hand_over
    if offered is None or offered.to != page.to:
        return f"{state.commander or 'Nobody'} commands by now.\nLook: incident show {state.id}"
    take = f"Take it by {stamp(offered.until)}: incident hand-over {state.id} accept"
    return "\n".join([take, *_standing(state), f"Look: incident show {state.id}"])


def _standing(state: IncidentState) -> Iterator[str]:
    """Where an incident stands: titles of the files alone, nothing that anybody wrote about somebody."""
    yield f"It is {state.status}, {state.severity}."
    suspects = state.suspects()
    if found := [one.title for one in state.findings if one.step in suspects]:
        yield f"Suspect: {_some(found)}"
    if flying := [f"{one.title} ({one.status})" for one in state.changes_in_flight()]:
        yield f"Changes under way: {_some(flying)}"
    owed = [(one.due_at, obligation_rules.definition(state, one).title) for one in state.open_obligations()]
    work = [(one.due_at, one.title) for one in state.open_tasks() if one.due_at is not None and one.required]
    if dues := [f"{title} by {stamp(at)}" for at, title in sorted([*owed, *work])]:
        yield f"Due next: {_some(dues, '; ')}"


def _some(told: list[str], between: str = ", ") -> str:
    more = len(told) - _MOST
    return between.join(told[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _offered(state: IncidentState, entry: Entry, event: CommandOffered) -> None:
    """What was said stands in its entry, as it is signed."""
    given, proof = entry.cause.get("given") or {}, entry.cause.get("proof")
    state.hand_over = HandOver(by=entry.actor, to=event.to, at=entry.at, until=event.until, given=given, proof=proof)


def _taken(state: IncidentState, entry: Entry, _event: CommandTaken) -> None:
    state.commander, state.hand_over = entry.actor, None


def _lapsed(state: IncidentState, _entry: Entry, _event: HandOverLapsed) -> None:
    state.hand_over = None


OF_COMMAND: dict[type[Any], Callable[[IncidentState, Entry, Any], None]] = {
    CommandOffered: _offered,
    CommandTaken: _taken,
    HandOverLapsed: _lapsed,
}
"""How each of its events changes the state; called by `evolve` alone."""
