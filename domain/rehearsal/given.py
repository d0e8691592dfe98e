"""What a record says was given to the rules: what people said, what was answered, when the clocks were looked at."""

from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from domain.model import change_events, events, work_events
from domain.model.commands import INCIDENT_COMMANDS, Command
from domain.model.event_kinds import Happening, event_of
from domain.model.events import ORCHESTRATOR, Event
from domain.model.proofs import Proven, Unproven
from domain.model.timeline import Entry
from domain.rules.evolve import NoIncidentError
from domain.rules.tasks import BY_CODE


class Spoken(NamedTuple):
    """A command that somebody gave, and whether it was `refused`; `behind` the end it is one to the follow-up."""

    name: str
    command: Command
    refused: bool = False
    behind: bool = False


class Unread(NamedTuple):
    """A command that could not be read when it came; what it held is on no record."""

    name: str
    by: str
    reason: str


class Woke(NamedTuple):
    """The clocks were looked at; what was due first then was due at `since`."""

    since: datetime


class Looked(NamedTuple):
    """A probe's answer, and whether AWS denied it."""

    found: work_events.Found
    denied: bool


class Alerted(NamedTuple):
    by: str
    text: str


class Unwritten(NamedTuple):
    """The record itself could not be written by then."""

    due_at: datetime


class Idle(NamedTuple):
    """Nothing was under way any more, and what nobody closes, upkeep or a dry run, went on by itself."""


class Settled(NamedTuple):
    """What was said of a change whose workflow was gone: that it was, or what the record made of it then."""

    happenings: tuple[Happening, ...]


What = Spoken | Unread | Woke | Looked | Alerted | Unwritten | Idle | Settled | Any
"""One of these, or an event or an answer that is taken as it is."""


class Input(NamedTuple):
    """Something that was given: `at` where it was heard, `heard` when the incident took it; both UTC.

    `workflow_id` names the change that it was given to; None for the incident.
    """

    at: datetime
    heard: datetime
    what: What
    workflow_id: str | None = None


_TAKEN = (
    events.AccessDenied,
    events.Restored,
    work_events.LinkAsked,
    work_events.Linked,
    work_events.LinkHeld,
    work_events.LedgerTold,
)
_OF_THE_RECORD = frozenset({"change", "signal", "changes.outcome"})
_BY_ITSELF = (change_events.ChangeRequested, change_events.NotPlanned, events.Closed)


def deadline(entry: Entry) -> datetime | None:
    """When it was due, where it came of a deadline; None where it did not."""
    due = entry.cause.get("due_at")
    return None if due is None else datetime.fromisoformat(due)


def settles(entry: Entry) -> bool:
    """Whether an entry about a change was not made by its workflow, which was gone."""
    return entry.cause.get("command") == "restore" or entry.cause.get("answer") in _OF_THE_RECORD


def to_incident(entry: Entry, event: Event | None, followers: list[Entry]) -> What | None:
    """What was given to the incident there; None for what its rules made of what was given before."""
    name, due = entry.cause.get("command"), deadline(entry)
    if event is None or name == "start":
        return None
    if "drill" in entry.cause:
        return next(event_of(one) for one in (entry, *followers) if one.kind == "drill-ended")
    if name is not None and name != "restore":
        return _spoken(entry, str(name), followers)
    match event:
        case work_events.LedgerTold(state="failing"):
            return Unwritten(due or entry.at)
        case _ if due is not None:
            return Woke(due)
        case _ if isinstance(event, _BY_ITSELF):
            return Idle()
        case events.AlertRepeated():
            return Alerted(entry.actor, event.text)
        case work_events.Found():
            return Looked(event, any(one.kind == "access-denied" for one in followers))
        case work_events.NoticeMoved(status="sent" | "failed"):
            return event
        case _ if isinstance(event, _TAKEN):
            return event
        case _:
            return None


def _spoken(entry: Entry, name: str, followers: list[Entry]) -> Spoken | Unread:
    """A command; who gave it is whoever did the first thing that nothing does by itself."""
    acting = (one.actor for one in (entry, *followers) if one.actor != ORCHESTRATOR)
    given = {**_told(entry, name), "by": next(acting, entry.actor)}
    return read(entry, INCIDENT_COMMANDS, name, given, behind="follow_up" in entry.data)


def _told(entry: Entry, name: str) -> dict[str, Any]:
    """What was given with a command; of custody behind the end only the event holds it, and a code nothing does."""
    held = {key: entry.data[key] for key in ("evidence", "event", "reason", "to") if key in entry.data}
    told: dict[str, Any] = entry.cause.get("given", held if name == "custody" else {})
    by_code = name == "complete_task" and str(entry.data.get("note")).startswith(BY_CODE)
    return {**told, "code": BY_CODE} if by_code else told


def read(
    entry: Entry, known: dict[str, type[Command]], name: str, given: dict[str, Any], *, behind: bool = False
) -> Spoken | Unread:
    """A command as it was given. Raises `NoIncidentError` for one that was done and is none of today's."""
    reason = str(entry.data.get("reason", ""))
    if entry.data.get("unproven"):
        return Unread(name, entry.actor, Unproven(reason))
    try:
        command = known[name].model_validate({**given, "proof": entry.cause.get("proof")})
        if command.proof is not None:
            command = command.with_verdict(Proven.model_validate(command.proof))
        return Spoken(name, command, entry.kind == "refused", behind)
    except (KeyError, ValidationError) as error:
        if entry.kind != "refused":
            raise NoIncidentError(f"entry {entry.seq}: what was given to {name} cannot be read") from error
        return Unread(name, entry.actor, reason)
