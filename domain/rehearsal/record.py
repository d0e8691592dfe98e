"""One stored record, read for being run again: the state that it comes to, what was given, and when nobody was there.

Where no worker ran, what was due meanwhile was done afterwards at once, or not at all where somebody spoke first. That
lateness is our own: it is found here, and kept when the record is run again, so that it makes no difference.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.model.change_events import ChangeLost, ChangeMoved
from domain.model.declaration import Declaration
from domain.model.event_kinds import Happening, event_of
from domain.model.events import Declared, Event
from domain.model.records import ChangeStatus
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.rehearsal.given import Input, Settled, What, Woke, deadline, settles, to_incident
from domain.rehearsal.given_to_changes import ChangeReader
from domain.rehearsal.silence import Missed, missed, with_silent_wakes
from domain.rules.evolve import NoIncidentError, begun, declared, evolve
from domain.rules.evolve_changes import OF_A_CHANGE

_LATE = timedelta(minutes=1)
_SETTLING: tuple[type[Event], ...] = (*OF_A_CHANGE, ChangeLost)


class Late(NamedTuple):
    """Something that was due and came more than a policy minute later, as no worker ran."""

    what: str
    due_at: datetime
    at: datetime


class Record(NamedTuple):
    """What was given, in order; `state` is what the record comes to, `until` when it says something last.

    `doubtful`: what would have been due by the rules of today while the record says nothing, from when until when.
    """

    entries: list[Entry]
    state: IncidentState
    inputs: list[Input]
    late: list[Late]
    doubtful: list[tuple[datetime, datetime]]
    until: datetime

    @property
    def declaration(self) -> Declaration:
        return self.state.declaration


def read(entries: list[Entry]) -> Record:
    """Read a whole record, oldest entry first. Raises `NoIncidentError` where it cannot be run again."""
    return _Reader(entries).record()


class _Reader:
    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries
        self._events = {entry.seq: self._event(entry) for entry in entries}
        self._changes: dict[str, ChangeReader] = {}
        self._inputs: list[Input] = []
        self._missed: list[Missed] = []

    def _event(self, entry: Entry) -> Event | None:
        try:
            return event_of(entry)
        except ValueError as error:
            raise NoIncidentError(f"entry {entry.seq} ({entry.kind}) cannot be read") from error

    def record(self) -> Record:
        if not self._entries:
            raise NoIncidentError("there are no entries")
        first = self._entries[0]
        event, now = self._events[first.seq], first.at
        state = declared(event.declaration, now, first.actor) if isinstance(event, Declared) else begun(first)
        for position, entry in enumerate(self._entries[1:], start=1):
            now = max(now, entry.at) if _is_follower(entry) else self._take_in(state, position, now)
            try:
                evolve(state, entry, self._events[entry.seq])
            except (StopIteration, LookupError, TypeError, AttributeError) as error:
                raise NoIncidentError(f"entry {entry.seq} ({entry.kind}) cannot be read") from error
        inputs, doubtful = with_silent_wakes(self._inputs, self._missed)
        return Record(self._entries, state, inputs, list(self._late(state.scaled(_LATE))), doubtful, now)

    def _take_in(self, state: IncidentState, position: int, before: datetime) -> datetime:
        """Note what was given with this entry, which follows from none before; returns when the incident took it."""
        entry, event = self._entries[position], self._events[self._entries[position].seq]
        followers = list(self._followers(position))
        heard = max([before, entry.at, *(one.at for one in followers)])
        workflow_id: str | None = getattr(event, "workflow_id", None)
        what: What | None
        if isinstance(event, _SETTLING) and workflow_id is not None and settles(entry):
            what = Settled(tuple(self._said_of_it([entry, *followers], workflow_id)))
        elif event is not None and isinstance(event, OF_A_CHANGE) and workflow_id is not None:
            reader = self._changes.setdefault(workflow_id, ChangeReader(ours=self._found_ours(workflow_id)))
            what = reader.given(entry, event)
        else:
            what, workflow_id = to_incident(entry, event, followers), None
        if what is None:
            return heard
        previous = self._inputs[-1] if self._inputs else None
        if isinstance(what, Woke) and workflow_id is not None:
            what = Woke(min([what.since, *(due for due, _ in missed(state, entry.at, workflow_id))]))
        given = Input(entry.at, heard, what, workflow_id)
        if not isinstance(what, Woke):
            self._missed += [Missed(len(self._inputs), *one) for one in missed(state, entry.at, workflow_id)]
        elif previous and isinstance(previous.what, Woke) and previous[::3] == given[::3]:
            self._inputs[-1] = previous._replace(what=Woke(min(previous.what.since, what.since)))
            return heard
        self._inputs.append(given)
        return heard

    def _followers(self, position: int) -> Iterator[Entry]:
        for entry in self._entries[position + 1 :]:
            if not _is_follower(entry):
                return
            yield entry

    def _said_of_it(self, entries: list[Entry], workflow_id: str) -> Iterator[Happening]:
        for entry in entries:
            event = self._events[entry.seq]
            if isinstance(event, _SETTLING) and getattr(event, "workflow_id", None) == workflow_id:
                yield Happening(event, entry.actor, cause=entry.cause)

    def _found_ours(self, workflow_id: str) -> bool:
        moves = (event for event in self._events.values() if isinstance(event, ChangeMoved))
        done = (one for one in moves if one.workflow_id == workflow_id and one.status is ChangeStatus.ALREADY_DONE)
        return any(one.ours for one in done)

    def _late(self, patience: timedelta) -> Iterator[Late]:
        for entry in self._entries:
            due = deadline(entry)
            if due is not None and entry.at - due > patience:
                yield Late(entry.cause["deadline"], due, entry.at)


def _is_follower(entry: Entry) -> bool:
    """Whether it came of the cause of an entry before it. What stands behind the end counts by numbers of its own."""
    return "entry" in entry.cause
