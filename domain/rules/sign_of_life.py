"""Whether whoever commands is there: who gives no sign of life is paged, and then the acknowledgement lapses.

Where the severity's policy asks for it, while an incident is acknowledged and not mitigated. Whatever is heard from
whoever commands is a sign of life, votes on changes too; what is refused is none, nor what nobody has proven to say.
"""

from collections.abc import Iterator
from datetime import datetime

from domain.model.change_events import VoteKept
from domain.model.command_events import AcknowledgementLapsed, SignOfLifeAsked
from domain.model.event_kinds import Happening
from domain.model.events import Event, Noted, Refused
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.model.work_events import CustodyRecorded, TaskEnded
from domain.rules import paging
from domain.values.status import Status
from domain.values.timestamps import stamp

ABOUT = "sign-of-life"
"""What the page is about that asks for one."""


def hear(state: IncidentState, entry: Entry, event: Event | None) -> None:
    """Take note of a sign of life; called by `evolve` alone. What a change says may be a little older."""
    said = entry.actor == state.commander and "command" in entry.cause
    if said and state.policy.sign_of_life is not None and _counts(state, entry, event):
        heard = state.commander_heard_at
        state.commander_heard_at = entry.at if heard is None else max(heard, entry.at)


def _counts(state: IncidentState, entry: Entry, event: Event | None) -> bool:
    """Whether it was heard, and by whom it says: outside a sandbox some of it is taken from anybody."""
    match event:
        case Refused():
            return False
        case Noted() | TaskEnded() | CustodyRecorded():
            return not state.proofs or "proof" in entry.cause
        case VoteKept():
            return not state.proofs or event.proven is not None
        case _:
            return True


def _silent_since(state: IncidentState) -> datetime | None:
    """Since when nothing was heard of whoever commands; None where nobody asks. Another severity counts anew."""
    asks = state.live and not state.upkeep and state.policy.sign_of_life is not None
    if not asks or state.status is not Status.ACKNOWLEDGED:
        return None
    moments = (state.commander_heard_at, state.acknowledged_at, state.severities[-1].at)
    return max(at for at in moments if at is not None)


def _asked(state: IncidentState, since: datetime) -> datetime | None:
    """When a sign of life was asked for in this silence; None where it was not yet."""
    at = state.commander_asked_at
    return at if at is not None and at > since else None


def upcoming(state: IncidentState) -> list[tuple[datetime, str]]:
    """When a sign of life is asked for, or the acknowledgement lapses."""
    since, policy = _silent_since(state), state.policy
    if since is None or policy.sign_of_life is None:
        return []
    if (asked := _asked(state, since)) is None:
        return [(since + policy.sign_of_life, f"no sign of life of {state.commander}")]
    return [(asked + policy.repage, f"acknowledgement of {state.commander} lapses")]


def look(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Page a commander who is silent, and nobody else; the time between two pages later the acknowledgement lapses."""
    since, commander = _silent_since(state), state.commander
    if since is None or commander is None:
        return
    for at, what in upcoming(state):
        if at > now:
            return
        cause = paging.deadline(what, at)
        if _asked(state, since) is not None:
            yield Happening(AcknowledgementLapsed(commander=commander, since=since), cause=cause)
            return
        until = now + state.policy.repage
        yield Happening(SignOfLifeAsked(commander=commander, since=since, until=until), cause=cause)
        if (who := state.who(commander)) is not None:
            yield from paging.page(state, who, who.roles[0], f"no sign of life since {stamp(since)}", ABOUT)


def ask(state: IncidentState) -> str:
    """What that page asks of its reader."""
    name = state.id
    return (
        f"Say that you are there, or your acknowledgement lapses: incident ack {name}\n"
        f"Or let somebody else command: incident hand-over {name} --to WHO"
    )
